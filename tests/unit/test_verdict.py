"""The validation rules: every status, their order, and what an answer may tell."""

import copy
import itertools
from dataclasses import replace

import pytest
from factories import (
    ADDRESS,
    CUSTOMER_ID,
    LICENSE_ID,
    NOW_MS,
    PRODUCT_ID,
    make_license,
    make_license_snapshot,
    make_product,
    make_settings,
    make_stock,
)
from hypothesis import given
from hypothesis import strategies as st
from situations import (
    ALLOWED,
    BEFORE_THE_LICENSE,
    BLOCKED,
    DEPRECATED,
    ENFORCE,
    EVERY_WRONG,
    FULL_OF_DEVICES,
    LATEST,
    OTHERS,
    WRONGS,
    Change,
    Situation,
    addresses,
    blocked,
    seats,
    situations,
    versions,
    working,
)

from licensing.choices import (
    AutoRegister,
    BlockLevel,
    LicenseState,
    OrganizationState,
    ProductState,
    UnlistedVersions,
    VersionMode,
)
from licensing.models import License
from licensing.verdict import CHECKS, STRICT, Outcome, Status, Verdict, license_status


def test_every_check_stands_in_the_table_in_its_order():
    assert [check.name for check in CHECKS] == list(WRONGS)


def test_every_status_the_rules_can_give_stands_in_the_table():
    assert {status for _, status, _ in EVERY_WRONG} == set(Status) - BEFORE_THE_LICENSE - {Status.ACTIVE}


def test_a_situation_with_nothing_wrong_is_valid():
    assert Situation().judged() == Verdict(
        Status.ACTIVE, make_license_snapshot(), ip_registered=True, ip_count=1, registers=ADDRESS
    )


@pytest.mark.parametrize(("check", "status", "change"), EVERY_WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_one_wrong_thing_gives_its_status_and_its_check_fails(check: str, status: Status, change: Change):
    situation = change(Situation())
    verdict = situation.judged()
    assert (verdict.status, verdict.valid, verdict.registers) == (status, False, None)
    failed = [step for step in situation.traced() if step.outcome is Outcome.FAILED]
    assert [(step.check, step.status) for step in failed] == [(check, status)]


def test_of_any_things_wrong_together_the_first_in_the_order_of_the_contract_decides():
    """Every subset of checks that fail, each of a check's failures in turn."""
    longest = max(map(len, WRONGS.values()))
    tried = 0
    for turn, fails in itertools.product(range(longest), itertools.product((False, True), repeat=len(WRONGS))):
        one_of_each = [wrongs[turn % len(wrongs)] for wrongs in WRONGS.values()]
        chosen = [one if it else (None, None) for one, it in zip(one_of_each, fails, strict=True)]
        situation, first = Situation(), Status.ACTIVE
        for status, change in reversed(chosen):
            situation, first = (change(situation), status) if change else (situation, first)
        assert situation.judged().status is first, [status for status, _ in chosen]
        tried += 1
    assert tried == longest * 2 ** len(WRONGS)


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
    assert full.judged() == Verdict(Status.ACTIVE, full.license_snapshot, ip_registered=False, ip_count=1)


@pytest.mark.parametrize("mode", AutoRegister)
def test_with_the_ip_system_off_no_address_is_refused_registered_or_told_of(mode: AutoRegister):
    situation = seats(mode, max_ips=1, taken=3)(Situation()).with_settings(track_ip_on_validate=False)
    assert situation.judged() == Verdict(Status.ACTIVE, situation.license_snapshot)


@pytest.mark.parametrize("change", [change for _, status, change in EVERY_WRONG if not status.endswith("_not_found")])
def test_the_ip_fields_of_a_refused_license_say_how_its_seats_stand(change: Change):
    situation = change(Situation())
    verdict = situation.judged()
    assert verdict.license == situation.license_snapshot
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


@given(situations | working)
def test_a_trace_fails_where_the_verdict_does_and_skips_the_rest(situation: Situation):
    steps, status = situation.traced(), situation.judged().status
    failed = [at for at, step in enumerate(steps) if step.outcome is Outcome.FAILED]
    first = failed[0] if failed else len(steps)
    assert [step.check for step in steps] == [check.name for check in CHECKS]
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
    stored = replace(
        situation,
        addresses=situation.addresses | ({first.registers} - {None}),
        devices=situation.devices | ({first.registers_device} - {None}),
    )
    told = first._replace(license=stored.license_snapshot, registers=None, registers_device=None)
    assert stored.judged() == told


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


LATER = {
    check: [change for later in list(WRONGS)[at + 1 :] for _, change in WRONGS[later]]
    for at, check in enumerate(WRONGS)
}


@pytest.mark.parametrize(("check", "status", "change"), EVERY_WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_whatever_a_later_check_finds_an_earlier_refusal_stays(check: str, status: Status, change: Change):
    for later in LATER[check]:
        # what is wrong earlier is changed last, for some changes set what an earlier one did
        assert change(later(Situation())).judged().status is status


DEVICES = [
    # limit, taken, the call's -> status, what is registered
    (None, (), "mine", Status.ACTIVE, None),
    (None, ("one", "two"), None, Status.ACTIVE, None),
    (1, (), "mine", Status.ACTIVE, "mine"),
    (1, (), None, Status.ACTIVE, ""),
    (1, ("",), None, Status.ACTIVE, None),
    (1, ("mine",), "mine", Status.ACTIVE, None),
    (1, ("mine",), None, Status.DEVICE_LIMIT_REACHED, None),
    (1, ("",), "mine", Status.DEVICE_LIMIT_REACHED, None),
    (2, ("one",), "mine", Status.ACTIVE, "mine"),
    (2, ("one", "two"), "mine", Status.DEVICE_LIMIT_REACHED, None),
    (2, ("one", "two", "three"), "one", Status.ACTIVE, None),
]


@pytest.mark.parametrize("row", DEVICES, ids=str)
@pytest.mark.parametrize("tracked", [True, False])
def test_which_device_may_take_a_seat(row, tracked: bool):
    limit, taken, mine, status, registers = row
    situation = Situation().with_settings(max_devices=limit, track_ip_on_validate=tracked)
    verdict = replace(situation, devices=frozenset(taken), device=mine).judged()
    assert (verdict.status, verdict.registers_device) == (status, registers)
    assert verdict.takes_a_seat is (registers is not None or verdict.registers is not None)


@given(situations | working)
def test_only_a_valid_answer_to_an_unknown_device_registers_it(situation: Situation):
    verdict = situation.judged()
    new = situation.product.settings.max_devices is not None and (situation.device or "") not in situation.devices
    assert verdict.registers_device == ((situation.device or "") if verdict.valid and new else None)


@given(situation=situations | working, more=st.none() | st.integers(1, 5))
def test_more_devices_never_refuse_what_fewer_allowed(situation: Situation, more: int | None):
    limit = situation.product.settings.max_devices
    roomier = situation.with_settings(max_devices=None if limit is None or more is None else limit + more)
    assert roomier.judged().valid >= situation.judged().valid


VERSIONS = [
    # rules, unlisted, version, pin -> the version that counts, is it valid
    ((("1.4.0", ALLOWED),), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", True),
    ((("1.4.0", DEPRECATED),), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", True),
    ((("1.4.0", LATEST),), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", True),
    ((("1.4.0", BLOCKED),), UnlistedVersions.ALLOW, "1.4.0", {}, "1.4.0", False),
    ((("1.x", ALLOWED), ("1.4.0", BLOCKED)), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", False),
    ((("1.x", BLOCKED), ("1.4.0", ALLOWED)), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", True),
    ((), UnlistedVersions.REFUSE, "1.4.0", {}, "1.4.0", False),
    ((), UnlistedVersions.ALLOW, "1.4.0", {}, "1.4.0", True),
    ((("1.4.0", LATEST),), UnlistedVersions.ALLOW_NEWER, "1.5.0", {}, "1.5.0", True),
    ((("1.4.0", LATEST),), UnlistedVersions.ALLOW_NEWER, "1.3.0", {}, "1.3.0", False),
    ((("1.4.0", LATEST),), UnlistedVersions.REFUSE, None, {}, "1.4.0", True),
    ((("1.4.0", LATEST),), UnlistedVersions.REFUSE, "", {}, "1.4.0", True),
    ((), UnlistedVersions.REFUSE, None, {}, None, False),
    ((), UnlistedVersions.ALLOW, None, {}, None, True),
    ((), UnlistedVersions.ALLOW, "1.4.0", {"version_pinned": "1.4.0"}, "1.4.0", True),
    ((), UnlistedVersions.ALLOW, "1.4.1", {"version_pinned": "1.4.0"}, "1.4.1", False),
    ((), UnlistedVersions.ALLOW, "2.1.0", {"version_min": "2.1", "version_max": "2.4"}, "2.1.0", True),
    ((), UnlistedVersions.ALLOW, "2.4.0", {"version_min": "2.1", "version_max": "2.4"}, "2.4.0", False),
    ((), UnlistedVersions.ALLOW, "2.0.9", {"version_min": "2.1"}, "2.0.9", False),
    ((), UnlistedVersions.ALLOW, "2.4.0", {"version_max": "2.4"}, "2.4.0", False),
    ((("2.0.0", LATEST),), UnlistedVersions.ALLOW, None, {"version_pinned": "1.4.0"}, "2.0.0", False),
]


@pytest.mark.parametrize("row", VERSIONS, ids=str)
def test_which_version_is_allowed(row):
    given_rules, unlisted, version, pin, counts, valid = row
    change = versions(VersionMode.REPORT, *given_rules, version=version, **pin)
    reported = change(Situation()).with_settings(unlisted_versions=unlisted)
    assert (reported.judged().version, reported.judged().version_valid) == (counts, valid)
    assert reported.judged().status is Status.ACTIVE
    enforced = reported.with_settings(versions=ENFORCE).judged()
    assert enforced.status is (Status.ACTIVE if valid else Status.VERSION_NOT_ALLOWED)
    assert (enforced.version, enforced.version_valid) == (counts, valid)
    untracked = reported.with_settings(track_ip_on_validate=False).judged()
    assert (untracked.status, untracked.version, untracked.version_valid) == (Status.ACTIVE, counts, valid)
    off = reported.with_settings(versions=VersionMode.OFF).judged()
    assert (off.status, off.version, off.version_valid) == (Status.ACTIVE, version, None)


def test_a_version_is_told_of_with_every_refusal_but_one_without_a_product():
    change = versions(ENFORCE, ("1.4.0", ALLOWED), version_pinned="1.3.0")
    for _, status, wrong in EVERY_WRONG:
        verdict = wrong(change(Situation())).judged()
        expected = {
            Status.PRODUCT_NOT_FOUND: ("1.4.0", None),
            Status.LICENSE_NOT_FOUND: ("1.4.0", True),  # nobody's license has no pin
        }.get(status, ("1.4.0", False))
        if wrong not in [change for _, change in WRONGS["version"]]:
            assert (verdict.version, verdict.version_valid) == expected, status


BLOCKS = [
    (None, True),
    ((BlockLevel.PLATFORM, 0, "203.0.113.7"), False),
    ((BlockLevel.ORGANIZATION, 0, "203.0.112.0/22"), False),
    ((BlockLevel.ORGANIZATION, 0, "203.0.113.8"), True),
    ((BlockLevel.CUSTOMER, CUSTOMER_ID, "203.0.113.7"), False),
    ((BlockLevel.CUSTOMER, CUSTOMER_ID + 1, "203.0.113.7"), True),
    ((BlockLevel.LICENSE, LICENSE_ID, "203.0.113.7"), False),
    ((BlockLevel.LICENSE, LICENSE_ID + 1, "203.0.113.7"), True),
]


@pytest.mark.parametrize(("block", "valid"), BLOCKS)
def test_whom_a_block_concerns(block, valid):
    situation = replace(Situation(), blocks=(block,) if block else ())
    assert situation.judged().valid is valid
    assert replace(situation, address=None).judged().valid  # who cannot be known is on no list


def fact_of(situation: Situation, check: str) -> dict[str, object]:
    return next(dict(step.fact) for step in situation.traced() if step.check == check)


def test_a_trace_tells_the_fact_that_decided():
    plain = Situation().with_license(expires_at_ms=NOW_MS + 5, max_ips=3)
    assert fact_of(plain, "product") == {"state": ProductState.ACTIVE}
    assert fact_of(replace(plain, product_vanished=True), "product") == {"state": None}
    assert fact_of(plain, "organization") == {"state": OrganizationState.ACTIVE}
    assert fact_of(plain, "license") == {}
    assert fact_of(plain, "state") == {"state": LicenseState.ACTIVE}
    assert fact_of(plain, "claim") == {"claimed": True}
    assert fact_of(plain.with_license(customer_id=None), "claim") == {"claimed": False}
    assert fact_of(plain, "expiry") == {"expires_at_ms": NOW_MS + 5, "enforced": True}
    assert fact_of(plain, "blacklist") == {"known": True}
    assert fact_of(replace(plain, address=None), "blacklist") == {"known": False}
    blocked_here = blocked(BlockLevel.LICENSE, LICENSE_ID)(plain)
    assert fact_of(blocked_here, "blacklist") == {"level": BlockLevel.LICENSE, "network": "203.0.113.0/24"}
    by_operator = blocked(BlockLevel.PLATFORM)(plain)
    assert fact_of(by_operator, "blacklist") == {"level": BlockLevel.PLATFORM}  # the network is the operator's alone
    assert fact_of(plain, "device") == {"limit": None}
    assert fact_of(plain, "version") == {"mode": VersionMode.OFF}


def test_a_trace_tells_how_the_seats_stand():
    full = seats(AutoRegister.UP_TO_MAX, max_ips=2, taken=2)(Situation())
    told = {
        "tracked": True,
        "address": ADDRESS,
        "registered": False,
        "taken": 2,
        "limit": 2,
        "auto_register": AutoRegister.UP_TO_MAX,
    }
    assert fact_of(full, "address") == told
    mine = replace(full, addresses=full.addresses | {ADDRESS}).with_license(max_ips=0)
    assert fact_of(mine, "address") == told | {"registered": True, "taken": 3, "limit": None}
    assert fact_of(full.with_settings(track_ip_on_validate=False), "address") == {"tracked": False}
    full_of_devices = {"device": "three", "registered": False, "taken": 2, "limit": 2}
    assert fact_of(FULL_OF_DEVICES(Situation()), "device") == full_of_devices
    unnamed = replace(FULL_OF_DEVICES(Situation()), device=None, devices=frozenset({""}))
    assert fact_of(unnamed, "device") == {"device": "", "registered": True, "taken": 1, "limit": 2}


def test_a_trace_tells_which_rule_or_pin_decided_about_a_version():
    change = versions(ENFORCE, ("1.x", DEPRECATED), version_min="1.5", version_max="2")
    assert fact_of(change(Situation()), "version") == {
        "mode": ENFORCE,
        "version": "1.4.0",
        "state": DEPRECATED,
        "rule": "1.x",
        "listed": True,
        "pin": ">=1.5 <2",
        "valid": False,
    }
    exact = versions(ENFORCE, ("1.x", ALLOWED), version_pinned="1.3.0")(Situation())
    assert fact_of(exact, "version")["pin"] == "1.3.0"
    unlisted = versions(VersionMode.REPORT)(Situation())
    fact = fact_of(unlisted, "version")
    assert (fact["state"], fact["rule"], fact["listed"], fact["pin"], fact["valid"]) == (
        None,
        None,
        False,
        None,
        False,
    )


def test_what_was_skipped_tells_nothing():
    situation = Situation().with_product(state=ProductState.ARCHIVED)
    assert [step.fact for step in situation.traced()[1:]] == [{}] * (len(CHECKS) - 1)


KEYPORTS = {
    "active", "expired", "revoked", "license_not_found", "ip_blocked", "ip_not_registered", "ip_limit_reached",
    "invalid_api_key", "product_not_found", "product_archived", "product_disabled", "org_suspended",
    "billing_suspended", "rate_limit_exceeded",
}  # fmt: skip


def test_strict_statuses_are_keyports_fourteen_and_as_bad_as_ours():
    ours = set(Status) - {Status(name) for name in KEYPORTS} - {Status.INVALID_REQUEST, Status.UNAVAILABLE}
    assert set(STRICT) == ours
    assert {
        STRICT.get(status, status).value for status in set(Status) - {Status.INVALID_REQUEST, Status.UNAVAILABLE}
    } == KEYPORTS
    assert Status.ACTIVE not in STRICT.values()
