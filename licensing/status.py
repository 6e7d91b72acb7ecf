"""The words a validation answers with.

The names are KeyPort's (docs.keyport.sbs, validation); those in `STRICT` and the last two of the requests' are ours.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """What a validation answers in its field `status`."""

    ACTIVE = "active"
    INVALID_API_KEY = "invalid_api_key"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    INVALID_REQUEST = "invalid_request"
    UNAVAILABLE = "unavailable"
    PRODUCT_NOT_FOUND = "product_not_found"
    PRODUCT_ARCHIVED = "product_archived"
    PRODUCT_DISABLED = "product_disabled"
    ORG_SUSPENDED = "org_suspended"
    BILLING_SUSPENDED = "billing_suspended"
    LICENSE_NOT_FOUND = "license_not_found"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    NOT_CLAIMED = "not_claimed"
    EXPIRED = "expired"
    IP_BLOCKED = "ip_blocked"
    IP_NOT_REGISTERED = "ip_not_registered"
    IP_LIMIT_REACHED = "ip_limit_reached"
    DEVICE_LIMIT_REACHED = "device_limit_reached"
    VERSION_NOT_ALLOWED = "version_not_allowed"


# For clients that know KeyPort's fourteen alone: the nearest of them, refused alike.
STRICT: Mapping[Status, Status] = MappingProxyType(
    {
        Status.SUSPENDED: Status.REVOKED,
        Status.NOT_CLAIMED: Status.LICENSE_NOT_FOUND,
        Status.DEVICE_LIMIT_REACHED: Status.IP_LIMIT_REACHED,
        Status.VERSION_NOT_ALLOWED: Status.PRODUCT_DISABLED,
    }
)
