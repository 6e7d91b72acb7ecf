"""Every trace can be told: no combination of switches, states and callers is without words."""

import re
from ipaddress import ip_address

import pytest
from factories import NOW_MS, make_customer, make_license, make_product, make_settings
from hypothesis import given
from hypothesis import strategies as st

from cogs.ui import history_layouts, trace_words
from licensing.blacklist import Blacklist
from licensing.choices import (
    AutoRegister,
    BlockLevel,
    LicenseState,
    OrganizationState,
    ProductState,
    UnlistedVersions,
    VersionMode,
    VersionState,
)
from licensing.models import LicenseView, RefusalRecord, SealedKey
from licensing.services.history import Explanation
from licensing.services.limits import Reason
from licensing.verdict import CHECKS, Call, LicenseSnapshot, Outcome, ProductSnapshot, Status, Step, trace
from licensing.versions import VersionList

ADDRESS = "203.0.113.7"
HASH = "~" + "a2" * 13
NOT_EXPLAINED = {Status.ACTIVE, Status.INVALID_API_KEY, Status.INVALID_REQUEST, Status.UNAVAILABLE}

SETTINGS = st.builds(
    make_settings,
    enforce_expiry=st.booleans(),
    track_ip_on_validate=st.booleans(),
    auto_register=st.sampled_from(AutoRegister),
    max_devices=st.none() | st.just(1),
    versions=st.sampled_from(VersionMode),
)
PRODUCTS = st.builds(
    lambda settings, state, organization, unlisted, blocked: ProductSnapshot(
        make_product(settings=settings, state=state),
        organization,
        "default",
        versions=VersionList(
            [("2.0", VersionState.LATEST), ("<1.5", VersionState.BLOCKED), ("1.6", VersionState.DEPRECATED)], unlisted
        ),
        blacklist=Blacklist([(blocked, 20, "203.0.113.0/24")] if blocked else []),
    ),
    SETTINGS,
    st.sampled_from(ProductState),
    st.sampled_from(OrganizationState),
    st.sampled_from(UnlistedVersions),
    st.none() | st.sampled_from(BlockLevel),
)
LICENSES = st.none() | st.builds(
    lambda addresses, devices, **fields: LicenseSnapshot.of(make_license(**fields), addresses, devices),
    st.frozensets(st.sampled_from([ADDRESS, HASH, "2001:db8::/64"])),
    st.frozensets(st.sampled_from(["pc", "", HASH])),
    state=st.sampled_from(LicenseState),
    customer_id=st.sampled_from([None, 20]),
    expires_at_ms=st.sampled_from([None, NOW_MS - 1, NOW_MS + 1]),
    max_ips=st.sampled_from([None, 1]),
    version_min=st.sampled_from([None, "1.0"]),
)
CALLS = st.builds(
    Call,
    st.just(""),
    st.sampled_from([None, ADDRESS, HASH]),
    st.sampled_from([None, "1.4", "1.6", "9", "`x`"]),
    st.sampled_from([None, "pc", "<@1>", HASH]),
    st.sampled_from([None, ip_address(ADDRESS)]),
)


@given(PRODUCTS, LICENSES, CALLS)
def test_every_step_of_every_trace_has_its_mark_its_name_and_a_fact_in_words(product, license_, call):
    steps = trace(product, license_, call, now_ms=NOW_MS)
    lines = trace_words.lines(steps, typed={HASH: "198.51.100.1"})
    assert len(lines) == len(CHECKS)
    for step, line in zip(steps, lines, strict=True):
        assert line.startswith(trace_words.MARKS[step.outcome])
        assert re.fullmatch(r".+ \*\*\w+:\*\* .+", line)
        assert not re.search(r"[{}]|None|<@1>", line)
        assert HASH not in line


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_to_turn_a_call_away_has_its_words(reason):
    step = Step("limits", Outcome.FAILED, Status.RATE_LIMIT_EXCEEDED, {"reason": reason, "retry_after_s": 9})
    [line] = trace_words.lines([step])
    assert line == f"❌ **Limits:** {trace_words.turned_away(reason)}"
    assert trace_words.turned_away(reason) != reason.value


def test_what_the_operator_blocks_is_not_named_by_traces_of_before_either():
    fact = {"level": BlockLevel.PLATFORM, "network": "203.0.113.0/24"}
    [line] = trace_words.lines([Step("blacklist", Outcome.FAILED, Status.IP_BLOCKED, fact)])
    assert line == "❌ **Blacklist:** blocked by the operator for everybody"
    told = trace_words.lines([Step("blacklist", Outcome.FAILED, Status.IP_BLOCKED, fact | {"level": "license"})])
    assert told == ["❌ **Blacklist:** `203.0.113.0/24` · blocked for this license"]


def test_a_check_that_this_version_does_not_know_is_told_by_its_name():
    assert trace_words.lines([Step("moon", Outcome.PASSED)]) == ["✅ **moon:** "]


@pytest.mark.parametrize("for_staff", [False, True])
@pytest.mark.parametrize("status", [each for each in Status if each not in NOT_EXPLAINED])
def test_every_status_is_explained_to_members_and_to_staff(status, for_staff):
    fact = {"taken": 3, "limit": 3, "version": "1.4", "reason": "license"}
    refusal = RefusalRecord(
        code="ABCD-EFGH", organization_id=1, product_id=1, license_id=30, status=status, address=ADDRESS,
        trace="[]", count=2, first_at_ms=NOW_MS, last_at_ms=NOW_MS,
    )  # fmt: skip
    key = SealedKey(digest=b"", prefix="", key_id="", ciphertext=b"")
    view = LicenseView(license=make_license(), product=make_product(), customer=make_customer(), key=key)
    told = Explanation(refusal, [Step("?", Outcome.FAILED, status, fact)], make_product(name="Pro"), view, for_staff)
    panel = history_layouts.why_panel(told, "WXYZ", now_ms=NOW_MS)
    text = "\n".join(part.content for part in panel.walk_children() if hasattr(part, "content"))
    assert "Refused 2 times" in text
    assert not re.search(r"[{}]|None", text)
    assert (ADDRESS in text) is for_staff
    assert panel.content_length() < 4_000
