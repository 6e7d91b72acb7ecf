"""Every refusal says who may learn more: its code, kept with the check and the fact that decided."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from functools import partial

import pytest
from factories import DAY_MS, make_actor

from bot.api.answers import explanation
from licensing.choices import (
    ActorKind,
    AutoRegister,
    OrganizationState,
    ProductState,
    UnlistedVersions,
    VersionMode,
    VersionState,
)
from licensing.services.blacklist import BlacklistService
from licensing.services.changes import ChangeService
from licensing.services.organizations import OrganizationService, Plans
from licensing.services.versions import VersionService
from licensing.status import STRICT
from licensing.verdict import CHECKS, Status

CODE = re.compile(r"[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}")
FIELDS = [
    "valid", "status", "expires", "ip_registered", "ip_count", "max_ips",
    "version", "version_valid", "custom", "signature",
]  # fmt: skip
OPERATOR = make_actor(kind=ActorKind.OPERATOR, is_administrator=False)
ELSEWHERE = "198.51.100.9"


@dataclass
class Case:
    """A license that is refused: how it came to that, by which check, and by which facts."""

    status: Status
    check: str
    facts: dict
    settings: dict = field(default_factory=dict)
    terms: dict = field(default_factory=dict)
    call: dict = field(default_factory=dict)
    key: str | None = None
    before: object = None


def changes(shop):
    return ChangeService(shop.store, shop.store.vault, clock=shop.clock)


async def revoke(shop, _product, issued):
    await shop.licenses.revoke(shop.staff, issued.key)


async def suspend(shop, _product, issued):
    await changes(shop).suspend(shop.staff, issued.key)


async def archive(shop, _product, _issued):
    await shop.catalog.change_state(shop.staff, "Widget", ProductState.ARCHIVED)


async def disable(shop, _product, _issued):
    await shop.catalog.change_state(shop.staff, "Widget", ProductState.DISABLED)


async def pass_time(shop, _product, _issued):
    shop.clock.now_ms += 2 * DAY_MS


async def validate_once(shop, product, issued):
    assert (await shop.validate(product.api_key, issued.key, device_id="first")).body["valid"]


async def block(shop, _product, _issued):
    service = BlacklistService(shop.store, shop.store.vault, clock=shop.clock)
    await service.add(shop.staff, network="198.51.100.0/24")


async def list_versions(shop, _product, _issued):
    service = VersionService(shop.store, clock=shop.clock)
    await service.set(shop.staff, "Widget", spec="2.0.0", state=VersionState.LATEST)
    await service.set(shop.staff, "Widget", spec="<1.5", state=VersionState.BLOCKED)


def suspend_organization(state):
    async def change(shop, _product, _issued):
        service = OrganizationService(shop.store, plans=Plans({}, default=""), clock=shop.clock)
        await service.change_state(OPERATOR, state)

    return change


ENFORCED = {"versions": VersionMode.ENFORCE, "unlisted_versions": UnlistedVersions.REFUSE}
CASES = [
    Case(Status.PRODUCT_ARCHIVED, "product", {"state": "archived"}, before=archive),
    Case(Status.PRODUCT_DISABLED, "product", {"state": "disabled"}, before=disable),
    Case(
        Status.ORG_SUSPENDED,
        "organization",
        {"state": "suspended"},
        before=suspend_organization(OrganizationState.SUSPENDED),
    ),
    Case(
        Status.BILLING_SUSPENDED,
        "organization",
        {"state": "billing_suspended"},
        before=suspend_organization(OrganizationState.BILLING_SUSPENDED),
    ),
    Case(Status.LICENSE_NOT_FOUND, "license", {}, key="NO-SUCH-KEY"),
    Case(Status.REVOKED, "state", {"state": "revoked"}, before=revoke),
    Case(Status.SUSPENDED, "state", {"state": "suspended"}, before=suspend),
    Case(Status.NOT_CLAIMED, "claim", {"claimed": False}, terms={"discord_id": None}),
    Case(Status.EXPIRED, "expiry", {"enforced": True}, terms={"expiry": "1d"}, before=pass_time),
    Case(
        Status.IP_BLOCKED,
        "blacklist",
        {"level": "organization", "network": "198.51.100.0/24"},
        call={"address": ELSEWHERE},
        before=block,
    ),
    Case(
        Status.IP_NOT_REGISTERED,
        "address",
        {"auto_register": "off", "registered": False, "taken": 0},
        settings={"auto_register": AutoRegister.OFF},
    ),
    Case(
        Status.IP_LIMIT_REACHED,
        "address",
        {"taken": 1, "limit": 1, "address": ELSEWHERE, "registered": False},
        terms={"max_ips": 1},
        call={"address": ELSEWHERE},
        before=validate_once,
    ),
    Case(
        Status.DEVICE_LIMIT_REACHED,
        "device",
        {"taken": 1, "limit": 1, "device": "second", "registered": False},
        settings={"max_devices": 1},
        call={"device_id": "second"},
        before=validate_once,
    ),
    Case(
        Status.VERSION_NOT_ALLOWED,
        "version",
        {"version": "1.4.9", "state": "blocked", "rule": "<1.5", "listed": False, "pin": None, "valid": False},
        settings=ENFORCED,
        call={"version": "1.4.9"},
        before=list_versions,
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=[str(case.status) for case in CASES])


async def brought_about(shop, case, **settings):
    """Bring a case about, and return what asks for it over HTTP."""
    product = await shop.product(**case.settings, **settings)
    issued = await shop.issue(**case.terms)
    if case.before is not None:
        await case.before(shop, product, issued)
    return partial(shop.validate, product.api_key, case.key or issued.key, **case.call)


def decided(refusal):
    """Return the one step that failed, once it is sure that those before passed and those behind were skipped."""
    steps = json.loads(refusal.trace)
    at = [step["outcome"] for step in steps].index("failed")
    assert [step["check"] for step in steps] == [check.name for check in CHECKS]
    assert {step["outcome"] for step in steps[:at]} <= {"passed"}
    assert {step["outcome"] for step in steps[at + 1 :]} <= {"skipped"}
    assert all(step["fact"] == {} for step in steps[at + 1 :])
    return steps[at]


def test_every_status_that_a_validation_can_refuse_with_has_its_case():
    answered_otherwise = {
        Status.ACTIVE,
        Status.INVALID_API_KEY,
        Status.INVALID_REQUEST,
        Status.UNAVAILABLE,
        Status.RATE_LIMIT_EXCEEDED,
        Status.PRODUCT_NOT_FOUND,  # a product that vanishes while it is asked about; none can yet
    }
    assert {case.status for case in CASES} == set(Status) - answered_otherwise


@every_case
async def test_a_refusal_carries_a_code_whose_trace_names_the_check_and_the_fact_that_decided(shop, case):
    ask = await brought_about(shop, case)
    reply = await ask()
    assert reply.seen == (200, case.status)
    code = reply.headers["X-Support-Code"]
    assert CODE.fullmatch(code)
    refusal = await shop.refusal(code)
    assert (refusal.status, refusal.count) == (case.status, 1)
    assert (refusal.address, refusal.version, refusal.device) == (
        case.call.get("address", "203.0.113.7"),
        case.call.get("version"),
        case.call.get("device_id"),
    )
    assert (refusal.license_id is None) is (case.status is Status.LICENSE_NOT_FOUND)
    step = decided(refusal)
    assert (step["check"], step["status"]) == (case.check, case.status)
    assert step["fact"] == step["fact"] | case.facts


@every_case
async def test_a_product_that_explains_adds_the_reason_and_the_code_behind_everything_else(shop, case):
    ask = await brought_about(shop, case)
    assert list((await ask()).body) == FIELDS
    await shop.catalog.change_settings(shop.staff, 1, explain=True)
    reply = await ask(nonce="5f0c")
    assert list(reply.body) == [*FIELDS, "nonce", "message", "support_code"]
    assert reply.body["support_code"] == reply.headers["X-Support-Code"]
    assert reply.body["message"] == explanation(case.status)


@every_case
async def test_a_strict_product_answers_keyports_statuses_and_keeps_its_own_for_people(shop, case):
    ask = await brought_about(shop, case, strict_statuses=True, explain=True)
    reply = await ask()
    assert reply.seen == (200, STRICT.get(case.status, case.status))
    assert reply.body["message"] == explanation(reply.body["status"])
    assert (await shop.refusal(reply.headers["X-Support-Code"])).status == case.status


async def test_a_valid_answer_explains_nothing_and_has_no_code(shop):
    product, issued = await shop.product(explain=True), await shop.issue()
    reply = await shop.validate(product.api_key, issued.key)
    assert list(reply.body) == FIELDS
    assert "X-Support-Code" not in reply.headers


async def test_of_a_race_for_the_last_seat_each_loser_is_told_what_stood_when_it_lost(shop):
    product, issued = await shop.product(explain=True), await shop.issue(max_ips=1)
    replies = await asyncio.gather(
        *(shop.validate(product.api_key, issued.key, address=f"203.0.113.{number}") for number in range(1, 21))
    )
    assert sorted(reply.body["status"] for reply in replies) == ["active"] + ["ip_limit_reached"] * 19
    losers = [reply for reply in replies if not reply.body["valid"]]
    codes = {reply.headers["X-Support-Code"] for reply in losers}
    assert len(codes) == 19
    told = [refusal for refusal in [await shop.refusal(code) for code in sorted(codes)] if refusal is not None]
    assert len(told) == 10, "the latest ten of a license and reason are kept"
    for refusal in told:
        step = decided(refusal)
        assert (step["fact"]["taken"], step["fact"]["limit"], step["fact"]["registered"]) == (1, 1, False)
        assert step["fact"]["address"] == refusal.address
