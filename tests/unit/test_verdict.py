"""The validation rules: every status, their order, and what an answer may tell."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from factories import (
    ADDRESS,
    NOW_MS,
    PRODUCT_ID,
    make_call,
    make_license,
    make_product,
    make_product_snapshot,
    make_settings,
    make_stock,
)
from hypothesis import given
from hypothesis import strategies as st

from licensing.choices import AutoRegister, LicenseState, OrganizationState, ProductState
from licensing.models import License, Product
from licensing.verdict import (
    CHECKS,
    LicenseSnapshot,
    Outcome,
    ProductSnapshot,
    Status,
    Step,
    Verdict,
    judge,
    license_status,
    trace,
)

OTHERS = ("198.51.100.1", "198.51.100.2", "198.51.100.3")
BEFORE_THE_LICENSE = {
    Status.INVALID_API_KEY,
    Status.RATE_LIMIT_EXCEEDED,
    Status.INVALID_REQUEST,
    Status.UNAVAILABLE,
}


@dataclass(frozen=True)
class Situation:
    """A validation before it is judged; as it stands, it is a valid one from a new address."""

    product: Product = field(default_factory=make_product)
    organization_state: OrganizationState = OrganizationState.ACTIVE
    license: License = field(default_factory=make_license)
    addresses: frozenset[str] = frozenset()
    address: str | None = ADDRESS
    now_ms: int = NOW_MS
    product_vanished: bool = False
    license_missing: bool = False

    def with_product(self, **update: object) -> "Situation":
        return replace(self, product=self.product.model_copy(update=update))

    def with_settings(self, **update: object) -> "Situation":
        return self.with_product(settings=self.product.settings.model_copy(update=update))

    def with_license(self, **update: object) -> "Situation":
        return replace(self, license=self.license.model_copy(update=update))

    @property
    def product_snapshot(self) -> ProductSnapshot:
        found = make_product_snapshot(self.product, organization_state=self.organization_state)
        return replace(found, product=None) if self.product_vanished else found

    @property
    def license_snapshot(self) -> LicenseSnapshot | None:
        return None if self.license_missing else LicenseSnapshot(self.license, self.addresses)

    def judged(self) -> Verdict:
        call = make_call(address=self.address)
        return judge(self.product_snapshot, self.license_snapshot, call, now_ms=self.now_ms)

    def traced(self) -> tuple[Step, ...]:
        call = make_call(address=self.address)
        return trace(self.product_snapshot, self.license_snapshot, call, now_ms=self.now_ms)


Change = Callable[[Situation], Situation]


def seats(mode: AutoRegister, *, max_ips: int | None, taken: int) -> Change:
    """Return the change to a license with so many seats, all taken seats by other addresses."""
    return lambda situation: replace(
        situation.with_settings(auto_register=mode).with_license(max_ips=max_ips),
        addresses=frozenset(OTHERS[:taken]),
    )


# Each group is one check of the contract, in its order; of one group only one thing can be wrong at a time.
WRONGS: dict[str, tuple[tuple[Status, Change], ...]] = {
    "product": (
        (Status.PRODUCT_NOT_FOUND, lambda situation: replace(situation, product_vanished=True)),
        (Status.PRODUCT_ARCHIVED, lambda situation: situation.with_product(state=ProductState.ARCHIVED)),
        (Status.PRODUCT_DISABLED, lambda situation: situation.with_product(state=ProductState.DISABLED)),
    ),
    "organization": (
        (Status.ORG_SUSPENDED, lambda s: replace(s, organization_state=OrganizationState.SUSPENDED)),
        (
            Status.BILLING_SUSPENDED,
            lambda s: replace(s, organization_state=OrganizationState.BILLING_SUSPENDED),
        ),
    ),
    "license": (
        (Status.LICENSE_NOT_FOUND, lambda situation: replace(situation, license_missing=True)),
        (Status.LICENSE_NOT_FOUND, lambda situation: situation.with_license(product_id=PRODUCT_ID + 1)),
    ),
    "state": (
        (Status.REVOKED, lambda situation: situation.with_license(state=LicenseState.REVOKED)),
        (Status.SUSPENDED, lambda situation: situation.with_license(state=LicenseState.SUSPENDED)),
    ),
    "claim": ((Status.NOT_CLAIMED, lambda situation: situation.with_license(customer_id=None)),),
    "expiry": ((Status.EXPIRED, lambda situation: situation.with_license(expires_at_ms=NOW_MS)),),
    "address": (
        (Status.IP_NOT_REGISTERED, seats(AutoRegister.OFF, max_ips=3, taken=0)),
        (Status.IP_NOT_REGISTERED, seats(AutoRegister.FIRST, max_ips=3, taken=1)),
        (Status.IP_LIMIT_REACHED, seats(AutoRegister.UP_TO_MAX, max_ips=2, taken=2)),
    ),
}
EVERY_WRONG = [(check, status, change) for check, wrongs in WRONGS.items() for status, change in wrongs]


def test_every_check_stands_in_the_table_in_its_order():
    assert [name for name, _ in CHECKS] == list(WRONGS)


def test_every_status_the_rules_can_give_stands_in_the_table():
    assert {status for _, status, _ in EVERY_WRONG} == set(Status) - BEFORE_THE_LICENSE - {Status.ACTIVE}


def test_a_situation_with_nothing_wrong_is_valid():
    assert Situation().judged() == Verdict(
        Status.ACTIVE, make_license(), ip_registered=True, ip_count=1, registers=ADDRESS
    )


@pytest.mark.parametrize(("check", "status", "change"), EVERY_WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_one_wrong_thing_gives_its_status_and_its_check_fails(check: str, status: Status, change: Change):
    situation = change(Situation())
    verdict = situation.judged()
    assert (verdict.status, verdict.valid, verdict.registers) == (status, False, None)
    assert [step for step in situation.traced() if step.outcome is Outcome.FAILED] == [
        Step(check, Outcome.FAILED, status)
    ]


def test_of_any_things_wrong_together_the_first_in_the_order_of_the_contract_decides():
    """Every subset: of each check nothing, or one of the things that can be wrong with it."""
    choices = [((None, None), *wrongs) for wrongs in WRONGS.values()]
    tried = 0
    for chosen in itertools.product(*choices):
        situation, first = Situation(), Status.ACTIVE
        for status, change in reversed(chosen):
            situation, first = (change(situation), status) if change else (situation, first)
        assert situation.judged().status is first, [status for status, _ in chosen]
        tried += 1
    assert tried == 4 * 3 * 3 * 3 * 2 * 2 * 4


SEATS = [
    # mode, max_ips, seats taken by others, is the caller's own seat taken -> status
    (AutoRegister.OFF, None, 0, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 3, 2, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 1, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 1, 0, True, Status.ACTIVE),
    (AutoRegister.OFF, 1, 3, True, Status.ACTIVE),
    (AutoRegister.FIRST, None, 0, False, Status.ACTIVE),
    (AutoRegister.FIRST, 1, 0, False, Status.ACTIVE),
    (AutoRegister.FIRST, None, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 3, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 1, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 1, 0, True, Status.ACTIVE),
    (AutoRegister.FIRST, 1, 2, True, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, None, 0, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, None, 3, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 0, 3, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 1, 0, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 3, 2, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 2, 2, False, Status.IP_LIMIT_REACHED),
    (AutoRegister.UP_TO_MAX, 1, 3, False, Status.IP_LIMIT_REACHED),
    (AutoRegister.UP_TO_MAX, 3, 2, True, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 1, 3, True, Status.ACTIVE),
]


@pytest.mark.parametrize(("mode", "max_ips", "others", "mine", "status"), SEATS)
def test_who_may_take_a_seat(mode: AutoRegister, max_ips: int | None, others: int, mine: bool, status: Status):
    situation = seats(mode, max_ips=max_ips, taken=others)(Situation())
    if mine:
        situation = replace(situation, addresses=situation.addresses | {ADDRESS})
    verdict, registers = situation.judged(), status is Status.ACTIVE and not mine
    assert verdict.status is status
    assert verdict.registers == (ADDRESS if registers else None)
    assert verdict.ip_registered == (mine or registers)
    assert verdict.ip_count == others + mine + registers


@pytest.mark.parametrize("mode", AutoRegister)
def test_an_address_that_cannot_be_known_neither_takes_nor_misses_a_seat(mode: AutoRegister):
    full = seats(mode, max_ips=1, taken=1)(Situation(address=None))
    assert full.judged() == Verdict(Status.ACTIVE, full.license, ip_registered=False, ip_count=1)


@pytest.mark.parametrize("mode", AutoRegister)
def test_with_the_ip_system_off_no_address_is_refused_registered_or_told_of(mode: AutoRegister):
    situation = seats(mode, max_ips=1, taken=3)(Situation()).with_settings(track_ip_on_validate=False)
    assert situation.judged() == Verdict(Status.ACTIVE, situation.license)


@pytest.mark.parametrize("change", [change for _, status, change in EVERY_WRONG if not status.endswith("_not_found")])
def test_the_ip_fields_of_a_refused_license_say_how_its_seats_stand(change: Change):
    situation = change(Situation())
    verdict = situation.judged()
    assert verdict.license == situation.license
    assert (verdict.ip_registered, verdict.ip_count) == (False, len(situation.addresses))
    without = situation.with_settings(track_ip_on_validate=False).judged()
    assert (without.ip_registered, without.ip_count) == (None, None)


def test_a_key_of_another_product_is_told_apart_from_an_unknown_one_by_nothing():
    foreign = Situation().with_license(
        product_id=PRODUCT_ID + 1, state=LicenseState.REVOKED, expires_at_ms=1, max_ips=1
    )
    foreign = replace(foreign, addresses=frozenset(OTHERS))
    unknown = replace(foreign, license_missing=True)
    for state in ProductState:
        one, other = (situation.with_product(state=state) for situation in (foreign, unknown))
        assert one.judged() == other.judged()
        assert one.traced() == other.traced()
    assert unknown.judged() == Verdict(Status.LICENSE_NOT_FOUND)


def test_a_product_that_vanished_tells_nothing_of_its_licenses():
    situation = replace(Situation(), product_vanished=True, addresses=frozenset(OTHERS))
    assert situation.judged() == Verdict(Status.PRODUCT_NOT_FOUND)


@pytest.mark.parametrize(
    ("now_ms", "enforced", "status"),
    [
        (NOW_MS - 1, True, Status.ACTIVE),
        (NOW_MS, True, Status.EXPIRED),
        (NOW_MS + 1, True, Status.EXPIRED),
        (NOW_MS + 10**12, False, Status.ACTIVE),
    ],
)
def test_a_license_ends_at_its_exact_millisecond_where_the_product_enforces_it(
    now_ms: int, enforced: bool, status: Status
):
    situation = replace(Situation(), now_ms=now_ms).with_license(expires_at_ms=NOW_MS)
    assert situation.with_settings(enforce_expiry=enforced).judged().status is status


def test_a_lifetime_license_never_ends():
    assert replace(Situation(), now_ms=10**15).judged().valid


STATUSES = [
    (make_license(), Status.ACTIVE),
    (make_license(state=LicenseState.REVOKED, expires_at_ms=1), Status.REVOKED),
    (make_license(state=LicenseState.SUSPENDED, expires_at_ms=1), Status.SUSPENDED),
    (make_stock(expires_at_ms=1), Status.NOT_CLAIMED),
    (make_license(expires_at_ms=NOW_MS), Status.EXPIRED),
    (make_license(expires_at_ms=NOW_MS + 1), Status.ACTIVE),
    (make_license(max_ips=1), Status.ACTIVE),
]


@pytest.mark.parametrize(("license_", "status"), STATUSES)
@pytest.mark.parametrize("state", ProductState)
def test_a_license_has_a_status_of_its_own_whoever_asks_from_wherever(
    license_: License, status: Status, state: ProductState
):
    product = make_product(state=state, settings=make_settings(auto_register=AutoRegister.OFF))
    assert license_status(license_, product, now_ms=NOW_MS) is status


addresses = st.sampled_from((ADDRESS, *OTHERS))
products = st.builds(
    make_product,
    state=st.sampled_from(ProductState),
    settings=st.builds(
        make_settings,
        enforce_expiry=st.booleans(),
        track_ip_on_validate=st.booleans(),
        auto_register=st.sampled_from(AutoRegister),
    ),
)
licenses = st.builds(
    make_license,
    product_id=st.sampled_from((PRODUCT_ID, PRODUCT_ID, PRODUCT_ID, PRODUCT_ID + 1)),
    customer_id=st.sampled_from((None, 20, 20)),
    state=st.sampled_from(LicenseState),
    expires_at_ms=st.none() | st.integers(NOW_MS - 2, NOW_MS + 2),
    max_ips=st.none() | st.integers(0, 4),
)
situations = st.builds(
    Situation,
    product=products,
    organization_state=st.sampled_from(OrganizationState),
    license=licenses,
    addresses=st.frozensets(addresses),
    address=st.none() | addresses,
    now_ms=st.integers(NOW_MS - 2, NOW_MS + 2),
    product_vanished=st.booleans(),
    license_missing=st.booleans(),
)
working = st.builds(
    Situation,
    product=products.map(lambda product: product.model_copy(update={"state": ProductState.ACTIVE})),
    license=st.builds(make_license, max_ips=st.none() | st.integers(0, 4)),
    addresses=st.frozensets(addresses),
    address=st.none() | addresses,
)


@given(situations | working)
def test_a_trace_fails_where_the_verdict_does_and_skips_the_rest(situation: Situation):
    steps, status = situation.traced(), situation.judged().status
    failed = [at for at, step in enumerate(steps) if step.outcome is Outcome.FAILED]
    first = failed[0] if failed else len(steps)
    assert [step.check for step in steps] == [name for name, _ in CHECKS]
    assert len(failed) == (status is not Status.ACTIVE)
    assert all(step.outcome is Outcome.PASSED for step in steps[:first])
    assert all(step.outcome is Outcome.SKIPPED for step in steps[first + 1 :])
    assert [step.status for step in steps if step.status] == ([status] if failed else [])


@given(situations | working)
def test_only_a_valid_answer_to_an_unknown_address_registers_it(situation: Situation):
    verdict = situation.judged()
    tracked = situation.product.settings.track_ip_on_validate
    new = situation.address is not None and situation.address not in situation.addresses
    assert verdict.registers == (situation.address if verdict.valid and tracked and new else None)


@given(working)
def test_once_the_address_is_stored_the_same_call_gets_the_same_answer(situation: Situation):
    first = situation.judged()
    if first.registers is not None:
        stored = replace(situation, addresses=situation.addresses | {first.registers})
        assert stored.judged() == replace(first, registers=None)


@given(situations | working)
def test_the_ip_fields_are_null_together_and_only_where_the_contract_says_so(situation: Situation):
    verdict = situation.judged()
    told = verdict.license is not None and situation.product.settings.track_ip_on_validate
    assert (verdict.ip_registered is not None, verdict.ip_count is not None) == (told, told)


@given(situation=situations | working, more=st.none() | st.integers(1, 5))
def test_more_seats_never_refuse_what_fewer_allowed(situation: Situation, more: int | None):
    limit = situation.license.max_ips or None
    roomier = situation.with_license(max_ips=None if limit is None or more is None else limit + more)
    assert roomier.judged().valid >= situation.judged().valid


@given(situation=situations | working, freed=addresses)
def test_freeing_the_seat_of_another_never_refuses_what_was_allowed(situation: Situation, freed: str):
    emptier = replace(situation, addresses=situation.addresses - ({freed} - {situation.address}))
    assert emptier.judged().valid >= situation.judged().valid


@given(callers=st.lists(addresses, max_size=12), mode=st.sampled_from(AutoRegister), max_ips=st.integers(1, 4))
def test_no_order_of_callers_ever_takes_more_seats_than_there_are(
    callers: list[str], mode: AutoRegister, max_ips: int
):
    situation = seats(mode, max_ips=max_ips, taken=0)(Situation())
    for address in callers:
        verdict = replace(situation, address=address).judged()
        situation = replace(situation, addresses=situation.addresses | ({verdict.registers} - {None}))
    most = {AutoRegister.OFF: 0, AutoRegister.FIRST: 1, AutoRegister.UP_TO_MAX: max_ips}[mode]
    assert len(situation.addresses) == min(most, len(set(callers)))


@given(situations | working)
def test_judging_changes_nothing_and_answers_the_same_again(situation: Situation):
    before = copy.deepcopy(situation)
    assert situation.judged() == situation.judged()
    assert situation == before
