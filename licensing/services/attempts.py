"""How validations of licenses ended, gathered in memory and written later; those that are alike are one row."""

from collections.abc import Sequence
from functools import partial

from licensing.ports import Steps, Store, Transaction
from licensing.services.trails import Attempt, Trail
from licensing.services.usage import written
from licensing.tables import AttemptRow

MAX_ATTEMPTS = 20_000  # that wait to be written; what comes thicker is left out
MAX_TRAILS = 100_000
REST_MS = 30_000  # a caller who comes all the time is written no more often

_BATCH = 1_000  # rows of a transaction: more would keep a seat that is to be taken waiting

_Seen = tuple[Attempt, list[int]]


class AttemptLog:
    """Gathers validations, each with its count."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._pending: dict[Attempt, list[int]] = {}
        self._trails: list[Trail] = []

    def __len__(self) -> int:
        return len(self._pending) + len(self._trails)

    def note(self, attempt: Attempt, *, now_ms: int) -> None:
        """Remember how a validation ended; what comes too thick to be written is left out."""
        seen = self._pending.get(attempt)
        if seen is not None:
            seen[0] += 1
            seen[2] = now_ms
        elif len(self._pending) < MAX_ATTEMPTS and self._keep:
            self._pending[attempt] = [1, now_ms, now_ms]

    def follow(self, trail: Trail, *, now_ms: int) -> None:
        """Remember a validation that ended as the one before it, the first since its trail was written."""
        if len(self._trails) < MAX_TRAILS and self._keep:
            trail.count, trail.first_ms = 1, now_ms
            self._trails.append(trail)

    async def flush(self, store: Store, *, now_ms: int | None = None) -> None:
        """Write what came since the last flush; it is kept for the next one if the store is away.

        Told the time, it leaves trails to rest that were written lately: to write their rows is most of the work.

        Raises: Unavailable.
        """
        self._gather(now_ms)
        # In the order of their index: each page of it is written with few batches then, and not with all of them.
        waiting, self._pending = sorted(self._pending.items(), key=_license_of), {}
        for start in range(0, len(waiting), _BATCH):
            batch, rest = waiting[start : start + _BATCH], waiting[start + _BATCH :]
            rows = _rows(batch)
            try:
                await written(store.write(partial(_add_attempts, rows, self._keep)), partial(self._keep_all, batch))
            except BaseException:
                self._keep_all(rest)
                raise

    def _gather(self, now_ms: int | None) -> None:
        trails, self._trails = self._trails, []
        for trail in trails:
            rests = now_ms is not None and 0 <= now_ms - trail.written_ms < REST_MS
            if rests or (now_ms is not None and len(self._pending) >= MAX_ATTEMPTS):
                self._trails.append(trail)
                continue
            self._add(trail.attempt, trail.count, trail.first_ms, trail.last_ms)
            trail.count, trail.written_ms = 0, trail.last_ms

    def _keep_all(self, unwritten: Sequence[_Seen]) -> None:
        for attempt, (count, first_ms, last_ms) in unwritten:
            if attempt in self._pending or len(self._pending) < MAX_ATTEMPTS:
                self._add(attempt, count, first_ms, last_ms)

    def _add(self, attempt: Attempt, count: int, first_ms: int, last_ms: int) -> None:
        seen = self._pending.setdefault(attempt, [0, first_ms, last_ms])
        seen[0] += count
        seen[1] = min(seen[1], first_ms)
        seen[2] = max(seen[2], last_ms)


def _license_of(seen: _Seen) -> int:
    return seen[0][0]


def _rows(batch: Sequence[_Seen]) -> list[AttemptRow]:
    return [
        (license_id, status, address or "", device or "", version or "", count, first_ms, last_ms)
        for (license_id, status, address, device, version), (count, first_ms, last_ms) in batch
    ]


def _add_attempts(rows: Sequence[AttemptRow], keep: int, tx: Transaction) -> Steps[None]:
    return tx.history.add_attempts(rows, keep=keep)
