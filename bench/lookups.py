"""Times what Discord's side asks of a large store: suggestions for what staff typed so far, and pages of results."""

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from bench.layout import ORGANIZATION_ID, key_at
from bench.names import name_of
from bench.process import Json
from bench.report import percentile
from licensing.models import Actor
from licensing.services.finder import LAST, FinderService, Place
from licensing.verdict import Status

_STAFF = Actor(organization_id=ORGANIZATION_ID, id=10, name="Olivia", is_administrator=True)

Ask = Callable[[], Awaitable[Any]]


async def timed_lookups(house: Any, order: Json) -> Json:
    """Ask everything in turns, for so long at most, and return the times of each kind of question."""
    kinds = (
        _Questions(house, order).suggestions() if order["side"] == "complete" else _Questions(house, order).pages()
    )
    found: dict[str, list[float]] = {}
    ends = time.perf_counter() + order["seconds"]
    for kind, ask in kinds:
        if time.perf_counter() > ends and found.keys() >= {kind}:
            break
        began = time.perf_counter()
        await ask()
        found.setdefault(kind, []).append(1000 * (time.perf_counter() - began))
    everything = [ms for times in found.values() for ms in times]
    return {
        "asked": len(everything),
        "p95_ms": percentile(everything, 0.95),
        "kinds": {kind: percentile(times, 0.95) for kind, times in found.items()},
    }


class _Questions:
    """What staff type: keys, names, emails, notes, numbers, and what nobody is called."""

    def __init__(self, house: Any, order: Json) -> None:
        self._vault = house.store.vault
        self._finder = FinderService(house.store, house.store.vault, clock=house.clock)
        self._file, self._count, self._times = Path(order["file"]), order["licenses"], order["times"]

    def suggestions(self) -> Iterator[tuple[str, Ask]]:
        for turn in range(self._times):
            number = turn * 7919 % self._count
            key, name = key_at(self._file, number), name_of(number + 1)
            texts = {
                "nothing typed": "",
                "start of a key": key[:4],
                "first letter": key[:1],
                "whole key": key,
                "reference": f"#{number + 1}",
                "holder's family name": name.split()[1],
                "holder's whole name": name,
                "first letter of many": "e",
                "a digit": str(turn % 10),
                "a word that 100,000 share": "order",
                "two common words": f"{name.split()[0]} {name.split()[1]}",
                "two words that all share": "example com",
                "an email with dots": ".".join(name.lower().split()[:2]) + "@example.com",
                "Discord ID": str(10**15 + number + 1),
                "note": f"order {(number // 10 * 10 + 10) * 7919 % 1_000_003}",
                "what nothing matches": f"zq{turn}xv",
            }
            for kind, text in texts.items():
                yield kind, lambda text=text: self._suggest(text)

    def pages(self) -> Iterator[tuple[str, Ask]]:
        find = self._finder.find
        for turn in range(self._times):
            name = name_of(turn * 7919 % self._count + 1)
            asked: dict[str, dict[str, Any]] = {
                "everything": {},
                "last page of everything": {"place": LAST},
                "a page by its number": {"place": Place(30)},
                "one product": {"product": "Widget"},
                "active ones": {"status": Status.ACTIVE},
                "unclaimed ones": {"status": Status.NOT_CLAIMED},
                "revoked ones (none)": {"status": Status.REVOKED},
                "suspended ones (none)": {"status": Status.SUSPENDED},
                "expired ones (none)": {"status": Status.EXPIRED},
                "unclaimed ones of a product without": {"status": Status.NOT_CLAIMED, "product": "Widget"},
                "active ones of a product without": {"status": Status.ACTIVE, "product": "Stock"},
                "a family name": {"text": name.split()[1]},
                "a family name, second page": {
                    "text": name.split()[1],
                    "place": Place(1, before_id=self._count // 2),
                },
                "one letter": {"text": "e"},
                "two common words": {"text": " ".join(name.split()[:2])},
                "a word that 100,000 share, one product": {"text": "order", "product": "Widget"},
                "a common word, not in that product": {"text": "com", "product": "Stock"},
                "a common word, unclaimed (none)": {"text": "example", "status": Status.NOT_CLAIMED},
                "what nothing matches": {"text": f"zq{turn}xv"},
            }
            for kind, values in asked.items():
                yield kind, lambda values=values: find(_STAFF, **values)

    async def _suggest(self, text: str) -> None:
        for view in await self._finder.search(_STAFF, text):
            self._vault.reveal(view.key)  # its last four characters are shown
