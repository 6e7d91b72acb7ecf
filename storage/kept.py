"""Licenses in memory: so many at most, found by their keys and forgotten by their ids."""

from collections.abc import Callable
from itertools import islice

from licensing.verdict import LicenseSnapshot

Key = tuple[int, bytes]  # a product and the license key's hash

_DROPPED_AT_ONCE = 1_000


class KeptLicenses:
    """What was read first goes first."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._by_key: dict[Key, LicenseSnapshot] = {}
        self._key_of: dict[int, Key] = {}
        # The dict's own, since every validation asks it.
        self.get: Callable[[Key], LicenseSnapshot | None] = self._by_key.get

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, key: Key, license_: LicenseSnapshot) -> None:
        """Keep a license that was read."""
        if len(self._by_key) >= self._size:
            self._make_room()
        self._by_key[key] = license_
        self._key_of[license_.id] = key

    def renew(self, license_: LicenseSnapshot) -> None:
        """Keep a license as it is now, if it was kept."""
        key = self._key_of.get(license_.id)
        if key is not None:
            self._by_key[key] = license_

    def forget(self, license_id: int) -> None:
        """Keep a license no longer."""
        key = self._key_of.pop(license_id, None)
        if key is not None:
            self._by_key.pop(key, None)

    def _make_room(self) -> None:
        """Drop many at a time: to find its first key, a dict looks through all that it dropped before."""
        for license_ in list(islice(self._by_key.values(), max(1, min(_DROPPED_AT_ONCE, self._size // 64)))):
            self.forget(license_.id)
