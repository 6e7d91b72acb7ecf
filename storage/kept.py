"""Licenses in memory: so many at most, found by their keys and forgotten by their ids.

They are kept as the rows they were read as, which take little room and at which no garbage collection looks. What is
asked for again is in use: it is made a snapshot of once, and as long as that is true no other is handed out.
"""

from itertools import islice

from licensing.ports import Entry
from licensing.verdict import LicenseSnapshot
from storage.statements.base import Row
from storage.statements.seats import snapshot_of

Key = tuple[int, bytes]  # a product and the license key's hash

IN_USE = 40_000
_DROPPED_AT_ONCE = 1_000


class KeptLicenses:
    """What was read first goes first."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._rows: dict[Key, Row] = {}
        self._key_of: dict[int, Key] = {}
        self._entries: dict[int, Entry] = {}
        # In use, in two halves: once the young one is full the old one goes, but for what is asked for until then.
        self._half = min(IN_USE, size) // 2
        self._young: dict[Key, LicenseSnapshot] = {}
        self._old: dict[Key, LicenseSnapshot] = {}

    def __len__(self) -> int:
        return len(self._key_of)

    def entry(self, key: Key, license_: LicenseSnapshot) -> Entry | None:
        """Return what tells how long a license is kept as it is; one that was asked for but once has none."""
        if self._young.get(key) is not license_:
            return None
        entry = self._entries.get(license_.id)
        if entry is None:
            entry = self._entries[license_.id] = Entry()
        return entry

    def find(self, key: Key) -> LicenseSnapshot | None:
        """Return a license that is kept; from now on it is in use."""
        found = self._young.get(key) or self._old.pop(key, None)
        if found is None:
            row = self._rows.get(key)
            if row is None:
                return None
            found = snapshot_of(row)
        self._use(key, found)
        return found

    def add(self, key: Key, row: Row) -> None:
        """Keep a license that was read; its id is the row's first value."""
        if self._key_of.get(row[0], key) != key:  # it has two keys: by one id only one of them could be forgotten
            self.forget(row[0])
        if len(self._key_of) >= self._size:
            self._make_room()
        self._rows[key] = row
        self._key_of[row[0]] = key

    def renew(self, license_: LicenseSnapshot) -> None:
        """Keep a license as it is now, if it was kept."""
        self._outdate(license_.id)
        key = self._key_of.get(license_.id)
        if key is not None:
            self._rows.pop(key, None)  # once it is no longer in use it will be read anew
            self._old.pop(key, None)
            self._use(key, license_)

    def forget(self, license_id: int) -> None:
        """Keep a license no longer."""
        self._outdate(license_id)
        key = self._key_of.pop(license_id, None)
        if key is not None:
            for kept in (self._rows, self._young, self._old):
                kept.pop(key, None)

    def forget_all(self) -> None:
        """Keep nothing any longer."""
        for entry in self._entries.values():
            entry.is_current = False
        for kept in (self._rows, self._key_of, self._entries, self._young, self._old):
            kept.clear()

    def _outdate(self, license_id: int) -> None:
        entry = self._entries.pop(license_id, None)
        if entry is not None:
            entry.is_current = False

    def _use(self, key: Key, license_: LicenseSnapshot) -> None:
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = license_

    def _make_room(self) -> None:
        """Drop many at a time: to find its first key, a dict looks through all that it dropped before."""
        for license_id in list(islice(self._key_of, max(1, min(_DROPPED_AT_ONCE, self._size // 64)))):
            self.forget(license_id)
