"""Which key signs an answer, and what a license file says."""

import hashlib
from collections.abc import Iterable
from typing import Any

from licensing.choices import SigningKind
from licensing.keys import tidy
from licensing.models import License, Product, SigningKey
from licensing.verdict import Call, Verdict

DAY_S = 86_400


def current_key(keys: Iterable[SigningKey], kind: SigningKind, *, now_ms: int) -> SigningKey | None:
    """Return the key of a kind that signs now: of those that have begun and not ended, the one that began last."""
    living = [key for key in keys if key.kind is kind and key.signs_from_ms <= now_ms and not has_ended(key, now_ms)]
    return max(living, key=lambda key: (key.signs_from_ms, key.id), default=None)


def has_ended(key: SigningKey, now_ms: int) -> bool:
    """Tell whether a key signs no more and is published no more."""
    return key.signs_until_ms is not None and key.signs_until_ms <= now_ms


def license_file_claims(
    product: Product,
    license_: License,
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
            "expires": license_.expires_at_ms and license_.expires_at_ms // 1000,
            "max_ips": license_.max_ips,
            "version": verdict.version,
            "version_valid": verdict.version_valid,
            "custom": custom,
            "key_sha256": hashlib.sha256(tidy(call.key).encode("utf-8", "surrogatepass")).hexdigest(),
            "device_id": device_id,
        },
    }
