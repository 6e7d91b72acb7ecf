"""What a server does to many licenses at once when it is asked to: issue, revoke, notice their ends."""

import os
import time
from typing import Any

from bench.layout import AFTER_ENDS_MS, ORGANIZATION_ID
from bench.process import Json
from licensing.choices import ActorKind
from licensing.models import Actor
from licensing.services.bulk import BulkChange, BulkService, Selection
from licensing.services.terms import Terms
from licensing.services.upkeep import FOUND_AT_ONCE, UpkeepService

_BY = Actor(organization_id=ORGANIZATION_ID, kind=ActorKind.OPERATOR)


async def done_in_bulk(house: Any, order: Json) -> Json:
    """Do what an order names and return how many licenses it was done to, and how long it took."""
    began = time.perf_counter()
    count = await _WORKS[order["what"]](house, order)
    return {"seconds": time.perf_counter() - began, "count": count}


async def _issue(house: Any, order: Json) -> int:
    lot = await _service(house).issue(_BY, Terms(order["product"], max_ips=3), order["limit"])
    return len(lot.keys)


async def _revoke(house: Any, order: Json) -> int:
    done = await _service(house).change(_BY, BulkChange.REVOKE, Selection(product=order["product"]))
    return done.changed


async def _sweep(house: Any, order: Json) -> int:
    """Notice in 2036 which licenses have ended, so many and for so long at most, as the worker does."""
    upkeep = UpkeepService(house.store, keeping=house.keeping, clock=lambda: AFTER_ENDS_MS)
    until, count = time.perf_counter() + order["seconds"], 0
    while count < order["limit"] and time.perf_counter() < until:
        noticed = await upkeep.expire_licenses()
        count += noticed
        if noticed < FOUND_AT_ONCE:
            break
    return count


def _service(house: Any) -> BulkService:
    store = house.store
    return BulkService(store, store.vault, plans=house.plans, clock=house.clock, random_bytes=os.urandom)


_WORKS = {"issue": _issue, "revoke": _revoke, "sweep": _sweep}
