"""How a license changes: pure functions that return the changed record, or refuse."""

from licensing.choices import LicenseState, TransferRule
from licensing.errors import (
    ExtensionTooShort,
    KeyClaimedAlready,
    KeyClaimedByOther,
    KeyExpired,
    KeyRevoked,
    KeySuspended,
    LicenseAlreadyRevoked,
    LicenseNotActive,
    LicenseNotRevoked,
    LicenseNotSuspended,
    LicenseNotUsable,
    LicenseSuspendedAlready,
    LicenseUnlimited,
    LicenseWaitsForClaim,
    TransfersOff,
)
from licensing.expiry import parse_expiry, parse_extension
from licensing.models import Customer, License, Product

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


def check_restorable(license_: License) -> None:
    """Refuse to take back a revocation that did not happen.

    Raises: LicenseNotRevoked.
    """
    if license_.state is not LicenseState.REVOKED:
        raise LicenseNotRevoked


def restore(license_: License, *, state: LicenseState, now_ms: int) -> License:
    """Take a revocation back, to the state that the license was revoked from; only the operator may.

    Raises: LicenseNotRevoked.
    """
    check_restorable(license_)
    return license_.model_copy(update={"state": state, "revoked_at_ms": None, "updated_at_ms": now_ms})


def suspend(license_: License, *, now_ms: int) -> License:
    """Pause a license until it is reinstated.

    Raises: LicenseNotActive, LicenseSuspendedAlready.
    """
    _require_not_revoked(license_)
    if license_.state is LicenseState.SUSPENDED:
        raise LicenseSuspendedAlready
    return license_.model_copy(update={"state": LicenseState.SUSPENDED, "updated_at_ms": now_ms})


def reinstate(license_: License, *, now_ms: int) -> License:
    """End a pause.

    Raises: LicenseNotActive, LicenseNotSuspended.
    """
    _require_not_revoked(license_)
    if license_.state is not LicenseState.SUSPENDED:
        raise LicenseNotSuspended
    return license_.model_copy(update={"state": LicenseState.ACTIVE, "updated_at_ms": now_ms})


def extend(license_: License, text: str, *, now_ms: int) -> License:
    """Give a license more time; one whose end has passed counts on from now.

    Raises: LicenseNotActive, LicenseWaitsForClaim, LicenseUnlimited, ExtensionTooShort, ExpiryInvalid and its kin.
    """
    _require_not_revoked(license_)
    if license_.duration is not None:
        raise LicenseWaitsForClaim
    if license_.expires_at_ms is None:
        raise LicenseUnlimited
    end = parse_extension(text, end_ms=license_.expires_at_ms, now_ms=now_ms)
    if end is not None and end <= license_.expires_at_ms:
        raise ExtensionTooShort(text=text)
    return _with_end(license_, end, now_ms=now_ms)


def set_end(license_: License, text: str, *, now_ms: int) -> License:
    """Set a license's end, sooner or later than it was.

    Raises: LicenseNotActive, ExpiryInvalid and its kin.
    """
    _require_not_revoked(license_)
    return _with_end(license_, parse_expiry(text, now_ms=now_ms), now_ms=now_ms)


def edit(license_: License, *, max_ips: int | None, notes: str | None, now_ms: int) -> License:
    """Set a license's address limit (None for no limit) and notes.

    Raises: LicenseNotActive.
    """
    _require_not_revoked(license_)
    return license_.model_copy(update={"max_ips": max_ips, "notes": notes, "updated_at_ms": now_ms})


def expire(license_: License, *, now_ms: int) -> License:
    """Note that a license's end was noticed."""
    return license_.model_copy(update={"expired_at_ms": now_ms, "updated_at_ms": now_ms})


def check_transferable(license_: License, product: Product, *, now_ms: int) -> None:
    """Refuse to let a license change hands that does not work, or whose product forbids it.

    Raises: TransfersOff, LicenseNotUsable.
    """
    if product.settings.transfers is TransferRule.OFF:
        raise TransfersOff(product=product.name)
    if not is_transferable(license_, product, now_ms=now_ms):
        raise LicenseNotUsable


def is_transferable(license_: License, product: Product, *, now_ms: int) -> bool:
    """Tell whether a license may change hands now."""
    return product.settings.transfers is not TransferRule.OFF and is_usable(license_, product, now_ms=now_ms)


def is_usable(license_: License, product: Product, *, now_ms: int) -> bool:
    """Tell whether a license is neither revoked nor suspended nor refused for its end."""
    return license_.state is LicenseState.ACTIVE and not has_ended(license_, product, now_ms=now_ms)


def pin(license_: License, *, version: str | None, minimum: str | None, maximum: str | None, now_ms: int) -> License:
    """Let a license run one version alone, or those from a minimum on up to without a maximum; None for any.

    Raises: LicenseNotActive.
    """
    _require_not_revoked(license_)
    pinned = {"version_pinned": version, "version_min": minimum, "version_max": maximum}
    return license_.model_copy(update=pinned | {"updated_at_ms": now_ms})


def override(license_: License, custom: str | None, *, now_ms: int) -> License:
    """Set what a license's answers say in place of its product's custom response; None for nothing of its own.

    Raises: LicenseNotActive.
    """
    _require_not_revoked(license_)
    return license_.model_copy(update={"custom": custom, "updated_at_ms": now_ms})


def transfer(license_: License, *, customer_id: int, now_ms: int) -> License:
    """Give a license to another customer; its addresses stay with it."""
    return license_.model_copy(update={"customer_id": customer_id, "claimed_at_ms": now_ms, "updated_at_ms": now_ms})


def has_ended(license_: License, product: Product, *, now_ms: int) -> bool:
    """Tell whether a license is past its end and its product cares."""
    end = license_.expires_at_ms
    return product.settings.enforce_expiry and end is not None and end <= now_ms


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
    if has_ended(license_, product, now_ms=now_ms):
        raise KeyExpired
    if license_.claimed_at_ms is not None:
        raise KeyClaimedAlready(product=product.name)


def claim(license_: License, *, customer_id: int, now_ms: int) -> License:
    """Bind a license to the customer who claims it; a duration that waited for the claim begins."""
    end = license_.expires_at_ms if license_.duration is None else parse_expiry(license_.duration, now_ms=now_ms)
    return license_.model_copy(
        update={
            "customer_id": customer_id,
            "claimed_at_ms": now_ms,
            "updated_at_ms": now_ms,
            "expires_at_ms": end,
            "duration": None,
        }
    )


def _with_end(license_: License, end_ms: int | None, *, now_ms: int) -> License:
    update = {"expires_at_ms": end_ms, "expired_at_ms": None, "duration": None, "updated_at_ms": now_ms}
    return license_.model_copy(update=update)


def _require_not_revoked(license_: License) -> None:
    if license_.state is LicenseState.REVOKED:
        raise LicenseNotActive
