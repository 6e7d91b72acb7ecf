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
from situations import (
    ALLOWED,
    BEFORE_THE_LICENSE,
    BLOCKED,
    DEPRECATED,
    ENFORCE,
    EVERY_WRONG,
    LATEST,
    OTHERS,
    WRONGS,
    Change,
    Situation,
    situations,
    versions,
    working,
)

from licensing.choices import AutoRegister, BlockLevel, LicenseState, ProductState, UnlistedVersions, VersionMode
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
