"""A call that is answered from memory is counted, limited and written down exactly as one that is judged anew."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_world import World, opened

from licensing import throttle
from licensing.addresses import parse_ip
from licensing.models import Plan
from licensing.services.answers import Regular
from licensing.services.attempts import AttemptLog
from licensing.services.limits import Limits, Rates
from licensing.services.organizations import Plans
from licensing.services.refusals import RefusalLog
from licensing.services.traces import Traces
from licensing.services.usage import LastSeen, UsageMeter
from licensing.services.validation import ValidationService
from licensing.verdict import Call
from storage import DatabaseSettings

NOON_MS = 1_750_000_000_000
DAY_MS = 86_400_000
LICENSES, ADDRESSES = 2, ("203.0.113.1", None)

Said = tuple[object, ...]


@dataclass
class Side:
    """A process that has just begun, on a world of its own; one of the two remembers what it answered."""

    world: World
    remembers: bool
    regulars: dict[tuple[int, int], Regular] = field(default_factory=dict)
    api_key: str = ""
    keys: Sequence[str] = ()
    ids: Sequence[int] = ()

    async def begin(self, rates: Rates, quota: int | None) -> None:
        world, name = self.world, f"Pro {await self.world.store.read(lambda tx: tx.products.count(1))}"
        world.now_ms = NOON_MS
        product = await world.product(name, max_devices=4)
        issued = [await world.issue(name, discord_id=20) for _ in range(LICENSES)]
        self.api_key, self.product_id, self.regulars = product.api_key, product.product.id, {}
        self.keys, self.ids = [it.key for it in issued], [it.view.license.id for it in issued]
        self.usage, self.seen, self.attempts = UsageMeter(world.store.snapshots), LastSeen(), AttemptLog(keep=50)
        traces = Traces(usage=self.usage, seen=self.seen, attempts=self.attempts, refusals=RefusalLog(bytes))
        plans = Plans({"default": Plan(calls_per_product_per_day=quota)}, default="default")
        self.validation = ValidationService(
            world.store, world.store.vault, plans=plans, limits=Limits(rates), traces=traces, clock=world.clock
        )
        snapshots = world.store.snapshots
        self.looks = snapshots.hits, snapshots.misses

    async def call(self, license_: int, address: int) -> Said:
        regular = self.regulars.get((license_, address)) if self.remembers else None
        if regular is not None and self.validation.regulars.again(regular):
            return "active", None, None
        if not self.remembers:
            found = await self.validation.product(self.api_key)
            assert found is not None
            found.settled.clear()
        at = ADDRESSES[address]
        call = Call(self.keys[license_], at, "1.4", "a", parse_ip(at) if at else None)
        answer = await self.validation.validate(self.api_key, call)
        if answer.regular is not None:
            self.regulars[license_, address] = answer.regular
        return str(answer.verdict.status), answer.reason, answer.retry_after_s

    async def flood(self, calls: int) -> list[Said]:
        """Try keys that no license has, each twice, from ever new addresses."""
        found = []
        for number in range(2 * calls):
            call = Call(f"ABCD-EFGH-{number // 2}-{self.world.now_ms}", f"198.51.100.{number // 2}")
            answer = await self.validation.validate(self.api_key, call)
            found.append((str(answer.verdict.status), answer.reason, answer.retry_after_s))
        return found

    async def flush(self) -> None:
        await self.usage.flush(self.world.store)

    def counted(self, *, timed: bool) -> Said:
        """Return all that the calls left behind, with each license by its number; without times or with them."""
        snapshots = self.world.store.snapshots
        days = {day: (it.total, it.on_their_way, it.pending) for (_, day), it in self.usage._days.items()}
        hits = snapshots.hits - self.looks[0], snapshots.misses - self.looks[1]
        return days, self._attempts(timed=timed), self._seen() if timed else None, *hits

    def _attempts(self, *, timed: bool) -> Mapping[Said, object]:
        left = [(attempt, *counts) for attempt, counts in self.attempts._pending.items()]
        left += [(it.attempt, it.count, it.first_ms, it.last_ms) for it in self.attempts._trails]
        found: dict[Said, tuple[int, int, int]] = {}
        for (license_id, *rest), count, first_ms, last_ms in left:
            kind = self.ids.index(license_id), *rest
            before = found.get(kind, (0, first_ms, last_ms))
            found[kind] = before[0] + count, min(before[1], first_ms), max(before[2], last_ms)
        return found if timed else {kind: counts[0] for kind, counts in found.items()}

    def _seen(self) -> Mapping[Said, int]:
        trails = [(seat, it.last_ms) for it in self.seen._trails for seat in (it.address, it.device) if seat]
        found: dict[Said, int] = {}
        noted = [each for of_kind in self.seen._noted.values() for each in of_kind.items()]
        for (license_id, name), at_ms in trails + noted:
            seat = self.ids.index(license_id), name
            found[seat] = max(at_ms, found.get(seat, at_ms))
        return found


@pytest.fixture
async def sides(tmp_path: Path) -> AsyncIterator[tuple[Side, Side]]:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    async with (
        opened(DatabaseSettings(here / "keyport.db", here / "keyport.key")) as one,
        opened(DatabaseSettings(there / "keyport.db", there / "keyport.key")) as other,
    ):
        yield Side(one, remembers=True), Side(other, remembers=False)


CALL = st.tuples(st.just("call"), st.integers(0, LICENSES - 1), st.integers(0, len(ADDRESSES) - 1))
STEP = st.one_of(
    *[CALL] * 8,  # so that most are of somebody who asked before
    st.tuples(st.just("pass"), st.sampled_from((1, 500, 7_000, 30_000, 60_000)), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from((-1, -5_000, -DAY_MS, DAY_MS // 2, DAY_MS)), st.just(0)),
    st.tuples(st.just("flood"), st.sampled_from((1, 2, 16)), st.just(0)),
    st.tuples(st.just("flush"), st.just(0), st.just(0)),
)
FEW = st.sampled_from((0, 0, 0, 3, 5))
RATES = st.builds(
    Rates,
    address_per_minute=FEW,
    license_per_minute=FEW,
    failures_per_minute=st.just(0),
    license_quota_percent=st.sampled_from((100, 50)),
    address_quota_percent=st.sampled_from((100, 40)),
)


@given(rates=RATES, quota=st.sampled_from((None, 6, 15)), steps=st.lists(STEP, min_size=20, max_size=50))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_with_a_memory_and_without_the_same_calls_pass_and_leave_the_same_behind(
    sides: tuple[Side, Side],
    monkeypatch: pytest.MonkeyPatch,
    rates: Rates,
    quota: int | None,
    steps: list[tuple[str, int, int]],
) -> None:
    monkeypatch.setattr(throttle, "_MAX_KEYS", 12)
    timed = all(first >= 0 for _, first, _ in steps)  # of a clock that was set back no two logs think alike
    for side in sides:
        await side.begin(rates, quota)
    for what, first, second in steps:
        found = []
        for side in sides:
            match what:
                case "call":
                    found.append([await side.call(first, second)])
                case "flood":
                    found.append(await side.flood(first))
                case "flush":
                    await side.flush()
                case _:
                    side.world.now_ms += first
        assert found[:1] == found[1:]
        assert sides[0].counted(timed=timed) == sides[1].counted(timed=timed)


async def test_a_customer_who_was_forgotten_in_a_flood_is_remembered_again(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "_MAX_KEYS", 12)
    side = sides[0]
    await side.begin(Rates(license_per_minute=1_000), None)
    for _ in range(2):
        await side.call(0, 0)
    before = side.regulars[0, 0]
    assert side.validation.regulars.again(before)
    await side.flood(40)
    assert not before.meter.is_kept
    assert not side.validation.regulars.again(before)
    await side.call(0, 0)
    assert side.validation.regulars.again(side.regulars[0, 0])


@pytest.mark.parametrize(
    ("rates", "quota"),
    [(Rates(), 7), (Rates(license_quota_percent=50), 14), (Rates(address_quota_percent=50), 14)],
    ids=("quota", "share of a license", "share of an address"),
)
async def test_a_day_has_as_many_calls_as_it_should_whether_they_were_answered_before_or_not(
    sides: tuple[Side, Side], rates: Rates, quota: int
) -> None:
    for side in sides:
        await side.begin(rates, quota)
        for _ in range(3):
            assert [(await side.call(0, 0))[0] for _ in range(9)] == ["active"] * 7 + ["rate_limit_exceeded"] * 2
            side.world.now_ms += DAY_MS
