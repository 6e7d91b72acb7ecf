"""Makes and seals many keys on a thread beside the event loop, which has its turn after every few."""

import asyncio
from collections.abc import Iterator

from licensing.bulk import MadeKey
from licensing.keys import RandomBytes, make_license_keys
from licensing.ports import Vault
from licensing.services.issuing import sealed

_AT_ONCE = 100  # a millisecond or two, in which the event loop may have to wait
_FIRST_BYTES = 256


async def made_keys(count: int, vault: Vault, random_bytes: RandomBytes) -> Iterator[MadeKey]:
    """Return new keys in the order of their hashes: rows in the order of their index are written twice as fast.

    Sorting all of them at once would hold the interpreter, and with it the event loop, for a tenth of a second.
    """
    by_hash: list[list[MadeKey]] = [[] for _ in range(_FIRST_BYTES)]
    for start in range(0, count, _AT_ONCE):
        for made in await asyncio.to_thread(_make, min(_AT_ONCE, count - start), vault, random_bytes):
            by_hash[-1 - made[0][0]].append(made)
    return _emptied(by_hash)


def _make(count: int, vault: Vault, random_bytes: RandomBytes) -> list[MadeKey]:
    keys = make_license_keys(count, random_bytes)
    kept = [sealed(vault, key) for key in keys]
    return [(it.digest, key, it.prefix, it.key_id, it.ciphertext) for it, key in zip(kept, keys, strict=True)]


def _emptied(lists: list[list[MadeKey]]) -> Iterator[MadeKey]:
    """Yield the last list sorted, then the one before it, and let go of each."""
    while lists:
        yield from sorted(lists.pop())
