"""Which key signs an answer, which follows it, and what a license file says."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from licensing.choices import SigningKind
from licensing.keys import tidy
from licensing.models import Product, ProductSettings, SigningKey
from licensing.spreadsheet import iso_moment
from licensing.verdict import Call, LicenseSnapshot, Verdict

DAY_S = 86_400


def signs(settings: ProductSettings, kind: SigningKind) -> bool:
    """Tell whether a product's answers are signed in this way."""
    return settings.sign_hmac if kind is SigningKind.HMAC else settings.sign_headers is kind


def current_key(keys: Iterable[SigningKey], kind: SigningKind, *, now_ms: int) -> SigningKey | None:
    """Return the key of a kind that signs now: of those that have begun and not ended, the one that began last."""
    living = [key for key in keys if key.kind is kind and not has_ended(key, now_ms)]
    begun = [key for key in living if key.signs_from_ms <= now_ms]
    if not begun:  # the clock was set back: who checks signatures believes no answer without one
        return min(living, key=lambda key: (key.signs_from_ms, key.id), default=None)
    return max(begun, key=lambda key: (key.signs_from_ms, key.id))


def newest_key(keys: Iterable[SigningKey], kind: SigningKind) -> SigningKey | None:
    """Return the key of a kind that no other follows yet."""
    return next((key for key in keys if key.kind is kind and key.signs_until_ms is None), None)


def ends_before(
    keys: Iterable[SigningKey], kind: SigningKind, *, begins_ms: int, now_ms: int
) -> Iterator[tuple[str, int]]:
    """Yield which keys of a kind end, and when, so that another can begin.

    One of them signs at every moment until then. A key that would have begun later never signs, and ends now.
    """
    for key in keys:
        if key.kind is not kind or has_ended(key, now_ms):
            continue
        if key.signs_from_ms >= begins_ms:
            yield key.id, now_ms
        elif key.signs_until_ms is None or key.signs_until_ms > begins_ms:
            yield key.id, begins_ms


def has_ended(key: SigningKey, now_ms: int) -> bool:
    """Tell whether a key signs no more and is published no more."""
    return key.signs_until_ms is not None and key.signs_until_ms <= now_ms


def license_file_claims(
    product: Product,
    license_: LicenseSnapshot,
    verdict: Verdict,
    call: Call,
    *,
    device_id: str | None,
    custom: Any,
    days: int,
    now_ms: int,
) -> dict[str, Any]:
    """Return what a license file says, in JWT's registered claims (RFC 7519, seconds since 1970) and ours.

    The key itself is only there as a hash: a file is passed around more lightly than a key.
    """
    now_s = now_ms // 1000
    end_s = now_s + days * DAY_S
    if license_.expires_at_ms is not None and product.settings.enforce_expiry:
        end_s = min(end_s, license_.expires_at_ms // 1000)
    return {
        "iss": "keyport",
        "sub": str(license_.id),
        "aud": str(product.id),
        "iat": now_s,
        "exp": end_s,
        "license": {
            "status": verdict.status.value,
            "expires": iso_moment(license_.expires_at_ms),
            "max_ips": None if verdict.ip_count is None else license_.max_ips,
            "version": verdict.version,
            "version_valid": verdict.version_valid,
            "custom": custom,
            "key_sha256": hashlib.sha256(tidy(call.key).encode("utf-8", "surrogatepass")).hexdigest(),
            "device_id": device_id,
        },
    }
