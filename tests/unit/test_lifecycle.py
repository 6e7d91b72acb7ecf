"""How a license changes, and what forbids the change."""

import pytest
from factories import (
    CUSTOMER_ID,
    DAY_MS,
    MEMBER_ID,
    NOW_MS,
    make_customer,
    make_license,
    make_product,
    make_settings,
    make_stock,
)

from licensing.choices import LicenseState
from licensing.errors import (
    KeyClaimedAlready,
    KeyClaimedByOther,
    KeyExpired,
    KeyRevoked,
    KeySuspended,
    LicenseAlreadyRevoked,
    Refusal,
)
from licensing.lifecycle import check_claimable, claim, revoke
from licensing.models import Customer, License, Product

STRANGER_ID = MEMBER_ID + 1
EMAIL_ONLY = make_customer(discord_id=None, email="ada@example.com")
PAST = NOW_MS - 1


def check(license_: License, holder: Customer | None, product: Product | None = None) -> None:
    check_claimable(license_, holder, product or make_product(), discord_id=MEMBER_ID, now_ms=NOW_MS)


def test_revoking_ends_a_license_at_that_moment_and_changes_nothing_else():
    before = make_license(max_ips=3, expires_at_ms=NOW_MS + DAY_MS, notes="kept")
    after = revoke(before, now_ms=NOW_MS)
    update = {"state": LicenseState.REVOKED, "revoked_at_ms": NOW_MS, "updated_at_ms": NOW_MS}
    assert after == before.model_copy(update=update)
    assert before.state is LicenseState.ACTIVE


@pytest.mark.parametrize(
    "license_",
    [
        make_license(state=LicenseState.SUSPENDED),
        make_stock(),
        make_license(expires_at_ms=PAST),
    ],
    ids=["suspended", "stock", "expired"],
)
def test_whatever_is_not_revoked_can_be_revoked(license_: License):
    assert revoke(license_, now_ms=NOW_MS).state is LicenseState.REVOKED


def test_a_revoked_license_is_not_revoked_again_so_its_moment_stays():
    with pytest.raises(LicenseAlreadyRevoked):
        revoke(revoke(make_license(), now_ms=NOW_MS), now_ms=NOW_MS + 1)


def test_claiming_binds_a_license_and_changes_nothing_else():
    before = make_stock(max_ips=3)
    after = claim(before, customer_id=CUSTOMER_ID, now_ms=NOW_MS)
    update = {"customer_id": CUSTOMER_ID, "claimed_at_ms": NOW_MS, "updated_at_ms": NOW_MS}
    assert after == before.model_copy(update=update)
    assert before.customer_id is None


CLAIMABLE = {
    "stock": (make_stock(), None),
    "stock with time left": (make_stock(expires_at_ms=NOW_MS + 1), None),
    "issued to an email": (make_license(), EMAIL_ONLY),
    "issued to this member": (make_license(), make_customer()),
}


@pytest.mark.parametrize(("license_", "holder"), CLAIMABLE.values(), ids=CLAIMABLE)
def test_what_is_free_or_meant_for_the_member_can_be_claimed(license_: License, holder: Customer | None):
    check(license_, holder)


REVOKED, SUSPENDED = {"state": LicenseState.REVOKED}, {"state": LicenseState.SUSPENDED}
EXPIRED, CLAIMED = {"expires_at_ms": NOW_MS}, {"claimed_at_ms": PAST}
OTHER = make_customer(discord_id=STRANGER_ID)
UNCLAIMABLE = {
    "another member's": (make_license(), OTHER, KeyClaimedByOther),
    "another member's, claimed": (make_license(**CLAIMED), OTHER, KeyClaimedByOther),
    "another member's, revoked": (make_license(**REVOKED), OTHER, KeyClaimedByOther),
    "one's own, claimed": (make_license(**CLAIMED), make_customer(), KeyClaimedAlready),
    "one's own, claimed and expired": (make_license(**CLAIMED, **EXPIRED), make_customer(), KeyExpired),
    "one's own, claimed and revoked": (make_license(**CLAIMED, **REVOKED), make_customer(), KeyRevoked),
    "stock, revoked": (make_stock(**REVOKED), None, KeyRevoked),
    "stock, revoked and expired": (make_stock(**REVOKED, **EXPIRED), None, KeyRevoked),
    "stock, suspended": (make_stock(**SUSPENDED), None, KeySuspended),
    "stock, expired": (make_stock(**EXPIRED), None, KeyExpired),
    "an email's, revoked": (make_license(**REVOKED), EMAIL_ONLY, KeyRevoked),
    "an email's, expired": (make_license(**EXPIRED), EMAIL_ONLY, KeyExpired),
}


@pytest.mark.parametrize(("license_", "holder", "refusal"), UNCLAIMABLE.values(), ids=UNCLAIMABLE)
def test_a_claim_that_takes_what_is_not_free_or_has_ended_is_refused(
    license_: License, holder: Customer | None, refusal: type[Refusal]
):
    with pytest.raises(refusal) as refused:
        check(license_, holder)
    assert refused.type is refusal


def test_an_end_that_the_product_does_not_enforce_stops_no_claim():
    product = make_product(settings=make_settings(enforce_expiry=False))
    check(make_stock(**EXPIRED), None, product)


def test_what_was_claimed_cannot_be_claimed_a_second_time_by_anybody():
    claimed = claim(make_stock(), customer_id=CUSTOMER_ID, now_ms=NOW_MS)
    with pytest.raises(KeyClaimedAlready) as refused:
        check(claimed, make_customer())
    assert refused.value.data == {"product": "Widget"}
    with pytest.raises(KeyClaimedByOther):
        check(claimed, OTHER)


def test_a_refusal_tells_a_stranger_nothing_of_the_license():
    with pytest.raises(KeyClaimedByOther) as refused:
        check(make_license(notes="private"), OTHER)
    assert refused.value.data == {}
