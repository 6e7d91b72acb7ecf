"""What was committed since the last look, by any process: how a cache learns what to forget.

Two lists grow with the commits. The events tell every process of what was decided. The log of touched licenses tells
what was written without an event, which is a seat taken above all: one row for each group of transactions. What a
store wrote there itself it passes over, for its own writer tells its cache, before any caller hears of the commit.

Nothing stale is kept for ever, because of one rule: whatever is kept knows every event up to `event_id`, and every
row of other stores up to `log_id`. Ids of both are given out under the lock to write, hence in the order of commits,
so what is not known yet has ids that are still to be followed, and is forgotten then. How the rule holds:

- What is read is read after a look, from a state that is no older.
- What a transaction of ours left was read under the lock, after the last event that there was then and after every
  row before our own. If more was followed before our cache is told, another process has committed since: then it is
  not kept (`has_missed_nothing`). If not, whatever it does not know is still to be followed.
- Between our commit and the moment when our cache is told of it, older things may be kept, and our own row may be
  passed over: nobody has been answered yet, and the cache is told before our next group begins.
- Positions move only together, once all was read; a look that fails is made again from where the last one ended.
- Rows are cleared once there are a thousand newer ones, so the newest stays. Ids have no gaps: one in what is read
  tells a process that slept that it has missed rows, and then it forgets everything, as it does for too much at once.

PostgreSQL gives out ids before it commits, and some of them never: it has to order and to count in another way.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from storage.statements.base import Row

_EVENTS = (
    "SELECT id, action, organization_id, product_id, license_id FROM events WHERE id > :id ORDER BY id LIMIT :limit"
)
_TOUCHED = (
    "SELECT id, CASE WHEN writer = :own THEN NULL ELSE license_ids END FROM touched_log WHERE id > :id ORDER BY id"
)
_NEWEST = "SELECT (SELECT COALESCE(MAX(id), 0) FROM events), (SELECT COALESCE(MAX(id), 0) FROM touched_log)"
_MAX_EVENTS = 5_000  # so many are followed one by one: some 10 ms of the event loop
_MAX_TOUCHED = 10_000  # as many ms: there is less to do for each

Rows = Callable[[str, Mapping[str, int | bytes | str]], list[Row]]


class Changes(NamedTuple):
    """What to forget."""

    events: Sequence[Row]  # each one's id and action, then of which organization, product and license
    license_ids: Sequence[int]


_NONE = Changes((), ())


class Follower:
    """How far a cache has followed; `own` is what the store of that cache signs its rows of the log with."""

    def __init__(self, rows: Rows, *, own: str) -> None:
        self._rows = rows
        self._own = own
        self._version = -1
        self._event_id, self._log_id = self._newest()

    def changes(self) -> Changes | None:
        """Return what is new since the last look; None where that is too much, or nobody knows it any more."""
        version = self._rows("PRAGMA data_version", {})[0][0]
        if version == self._version:
            return _NONE
        # The version is kept from before anything is read: what commits in between is seen next time.
        events = self._rows(_EVENTS, {"id": self._event_id, "limit": _MAX_EVENTS + 1})
        rows = self._rows(_TOUCHED, {"id": self._log_id, "own": self._own})
        license_ids = self._touched(rows)
        if len(events) > _MAX_EVENTS or license_ids is None:
            self._event_id, self._log_id = self._newest()
            self._version = version
            return None
        self._event_id = events[-1][0] if events else self._event_id
        self._log_id = rows[-1][0] if rows else self._log_id
        self._version = version
        return Changes(events, license_ids)

    def has_missed_nothing(self, event_id: int, *, log_id: int) -> bool:
        """Tell whether who read after an event, and then wrote a row of the log, knows all that is followed."""
        return event_id >= self._event_id and log_id >= self._log_id

    def _touched(self, rows: Sequence[Row]) -> list[int] | None:
        if rows and rows[0][0] > self._log_id + 1:
            return None
        found: list[int] = []
        for _, license_ids in rows:
            if license_ids is not None:
                found += json.loads(license_ids)
            if len(found) > _MAX_TOUCHED:
                return None
        return found

    def _newest(self) -> tuple[int, int]:
        event_id, log_id = self._rows(_NEWEST, {})[0]
        return event_id, log_id
