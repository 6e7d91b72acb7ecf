"""When the holder of a license may free its seats: the cooldown, the rolling year, and what hinders."""

import pytest
from factories import DAY_MS, NOW_MS, make_customer, make_license, make_product, make_settings
from hypothesis import given
from hypothesis import strategies as st

from licensing.choices import AutoRegister, LicenseState
from licensing.models import Address, Device, LicenseView, SealedKey
from licensing.resets import YEAR_MS, Hindrance, Past, Standing, stand

SEAT = Address(address="203.0.113.7", first_seen_at_ms=1, last_seen_at_ms=1)
DEVICE = Device(device="pc", first_seen_at_ms=1, last_seen_at_ms=1)
WEEK_MS = 7 * DAY_MS


def view_of(*, addresses=(SEAT,), devices=(), license_=None, **settings) -> LicenseView:
    return LicenseView(
        license=license_ or make_license(),
        product=make_product(settings=make_settings(**{"reset_cooldown_days": 7} | settings)),
        customer=make_customer(),
        key=SealedKey(digest=b"", prefix="", key_id="", ciphertext=b""),
        addresses=addresses,
        devices=devices,
    )


def standing(*own_at_ms: int, now_ms: int = NOW_MS, view: LicenseView | None = None, **settings) -> Standing:
    past = Past(max(own_at_ms, default=None), own_at_ms)
    return stand(view or view_of(**settings), past, now_ms=now_ms)


@pytest.mark.parametrize(("later_ms", "hindrance"), [(WEEK_MS - 1, Hindrance.TOO_SOON), (WEEK_MS, None)])
def test_the_cooldown_is_over_exactly_when_its_last_day_is(later_ms, hindrance):
    found = standing(NOW_MS, now_ms=NOW_MS + later_ms)
    assert found.hindrance is hindrance
    assert found.again_at_ms == NOW_MS + WEEK_MS
    assert found.then_at_ms == NOW_MS + later_ms + WEEK_MS


def test_the_cooldown_counts_from_whoever_reset_last_and_the_cap_only_ones_own():
    last_holder = Past(NOW_MS - 1, [])
    found = stand(view_of(resets_per_year=1), last_holder, now_ms=NOW_MS)
    assert (found.hindrance, found.left) == (Hindrance.TOO_SOON, 1)
    assert found.again_at_ms == NOW_MS - 1 + WEEK_MS


@pytest.mark.parametrize(
    ("now_ms", "left", "hindrance"),
    [(NOW_MS + YEAR_MS - 1, 0, Hindrance.USED_UP), (NOW_MS + YEAR_MS, 1, None)],
)
def test_a_reset_counts_against_the_cap_for_exactly_a_rolling_year(now_ms, left, hindrance):
    found = standing(NOW_MS, NOW_MS + 10 * WEEK_MS, now_ms=now_ms, resets_per_year=2)
    assert (found.left, found.hindrance) == (left, hindrance)
    if hindrance:
        assert found.again_at_ms == NOW_MS + YEAR_MS


def test_after_the_last_reset_of_a_year_the_next_waits_for_the_oldest_to_be_a_year_old():
    found = standing(NOW_MS - 20 * WEEK_MS, resets_per_year=2)
    assert (found.left, found.hindrance) == (1, None)
    assert found.then_at_ms == NOW_MS - 20 * WEEK_MS + YEAR_MS


def test_a_cap_that_was_lowered_counts_what_was_before_and_a_cooldown_that_was_shortened_is_over_sooner():
    own = [NOW_MS - number * WEEK_MS for number in (10, 8, 6)]
    assert standing(*own, resets_per_year=4).left == 1
    lowered = standing(*own, resets_per_year=1)
    assert (lowered.left, lowered.hindrance) == (0, Hindrance.USED_UP)
    assert lowered.again_at_ms == NOW_MS - 6 * WEEK_MS + YEAR_MS
    assert standing(*own, reset_cooldown_days=43).hindrance is Hindrance.TOO_SOON
    assert standing(*own, reset_cooldown_days=42).hindrance is None


@pytest.mark.parametrize(
    ("view", "hindrance"),
    [
        (view_of(reset_cooldown_days=None, resets_per_year=5), Hindrance.OFF),
        (view_of(license_=make_license(state=LicenseState.SUSPENDED)), Hindrance.NOT_USABLE),
        (view_of(license_=make_license(state=LicenseState.REVOKED, revoked_at_ms=1)), Hindrance.NOT_USABLE),
        (view_of(license_=make_license(expires_at_ms=NOW_MS)), Hindrance.NOT_USABLE),
        (view_of(license_=make_license(expires_at_ms=NOW_MS), enforce_expiry=False), None),
        (view_of(license_=make_license(expires_at_ms=NOW_MS + 1)), None),
        (view_of(addresses=()), Hindrance.NOTHING_TO_FREE),
        (view_of(addresses=(), devices=(DEVICE,)), None),
        (view_of(auto_register=AutoRegister.OFF), Hindrance.LOCKS_OUT),
        (view_of(auto_register=AutoRegister.OFF, addresses=()), Hindrance.NOTHING_TO_FREE),
        (view_of(auto_register=AutoRegister.OFF, devices=(DEVICE,)), None),
        (view_of(auto_register=AutoRegister.FIRST), None),
    ],
)
def test_what_hinders_a_reset_is_told_and_nothing_else_hinders(view, hindrance):
    assert standing(view=view).hindrance is hindrance


def test_where_no_address_registers_by_itself_a_reset_frees_devices_and_leaves_addresses():
    found = standing(view=view_of(auto_register=AutoRegister.OFF, devices=(DEVICE,)))
    assert (found.after.addresses, found.after.devices) == ((SEAT,), ())
    assert standing(view=view_of(devices=(DEVICE,))).after.addresses == ()


@given(
    st.integers(1, 365),
    st.none() | st.integers(1, 5),
    st.lists(st.integers(1, 400 * DAY_MS), min_size=1, max_size=60),
)
def test_whoever_waits_as_long_as_they_are_told_may_and_a_moment_sooner_may_not(days, cap, gaps):
    view = view_of(reset_cooldown_days=days, resets_per_year=cap)
    own, now_ms = [], NOW_MS
    for gap in gaps:
        now_ms += gap
        found = standing(*own, now_ms=now_ms, view=view)
        assert (found.hindrance is None) is (found.again_at_ms <= now_ms)
        if found.hindrance is not None:
            assert standing(*own, now_ms=found.again_at_ms - 1, view=view).hindrance is not None
            now_ms = found.again_at_ms
            assert standing(*own, now_ms=now_ms, view=view).hindrance is None
        then_at_ms = standing(*own, now_ms=now_ms, view=view).then_at_ms
        own.append(now_ms)
        assert standing(*own, now_ms=now_ms, view=view).again_at_ms == then_at_ms
        within = [at_ms for at_ms in own if at_ms > now_ms - YEAR_MS]
        assert cap is None or len(within) <= cap
