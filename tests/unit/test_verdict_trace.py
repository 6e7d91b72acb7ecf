"""The trace of a verdict: each check passed, failed or skipped, and the fact that decided."""

from dataclasses import replace

from factories import ADDRESS, LICENSE_ID, NOW_MS
from hypothesis import given
from situations import (
    ALLOWED,
    DEPRECATED,
    ENFORCE,
    FULL_OF_DEVICES,
    Situation,
    blocked,
    seats,
    situations,
    versions,
    working,
)

from licensing.choices import AutoRegister, BlockLevel, LicenseState, OrganizationState, ProductState, VersionMode
from licensing.verdict import CHECKS, Outcome, Status


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
