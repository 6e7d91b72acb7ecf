"""How a license changes: pure functions that return the changed record, or refuse."""

from licensing.errors import (
    KeyClaimedAlready,
    KeyClaimedByOther,
    KeyExpired,
    KeyRevoked,
    KeySuspended,
    LicenseAlreadyRevoked,
)
from licensing.models import Customer, License, LicenseState, Product

_STATE_REFUSALS = {LicenseState.REVOKED: KeyRevoked, LicenseState.SUSPENDED: KeySuspended}


def revoke(license_: License, *, now_ms: int) -> License:
    """End a license for good.

    Raises: LicenseAlreadyRevoked.
    """
    if license_.state is LicenseState.REVOKED:
        raise LicenseAlreadyRevoked
    return license_.model_copy(
        update={"state": LicenseState.REVOKED, "revoked_at_ms": now_ms, "updated_at_ms": now_ms}
    )


def check_claimable(
    license_: License, holder: Customer | None, product: Product, *, discord_id: int, now_ms: int
) -> None:
    """Refuse a claim that would take somebody's license or one that has ended.

    Raises: KeyClaimedAlready, KeyClaimedByOther, KeyRevoked, KeySuspended, KeyExpired.
    """
    if holder is not None and holder.discord_id not in (None, discord_id):
        raise KeyClaimedByOther
    if license_.state in _STATE_REFUSALS:
        raise _STATE_REFUSALS[license_.state]
    end = license_.expires_at_ms
    if product.settings.enforce_expiry and end is not None and end <= now_ms:
        raise KeyExpired
    if license_.claimed_at_ms is not None:
        raise KeyClaimedAlready(product=product.name)


def claim(license_: License, *, customer_id: int, now_ms: int) -> License:
    """Bind a license to the customer who claims it."""
    return license_.model_copy(update={"customer_id": customer_id, "claimed_at_ms": now_ms, "updated_at_ms": now_ms})
