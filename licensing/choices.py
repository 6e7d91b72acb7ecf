"""The words that records choose from: states, kinds, rules, permissions."""

from enum import StrEnum


class OrganizationState(StrEnum):
    """Whether the operator lets an organization's products validate."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    BILLING_SUSPENDED = "billing_suspended"


class ProductState(StrEnum):
    """Whether a product is sold, kept for its holders' history, or switched off."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DISABLED = "disabled"


class LicenseState(StrEnum):
    """What staff decided about a license; expiry and claim are facts of their own."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class SeatKind(StrEnum):
    """What sits on a license: an address, or a device."""

    ADDRESS = "address"
    DEVICE = "device"


class AutoRegister(StrEnum):
    """Which unknown addresses a validation may register."""

    OFF = "off"
    FIRST = "first"
    UP_TO_MAX = "up_to_max"


class DurationFrom(StrEnum):
    """From when a product's default duration counts."""

    ISSUE = "issue"
    CLAIM = "claim"


class TransferRule(StrEnum):
    """Who must agree before a license changes hands."""

    OFF = "off"
    STAFF = "staff"
    RECIPIENT = "recipient"


class VersionMode(StrEnum):
    """Whether versions are looked at, and whether a bad one refuses."""

    OFF = "off"
    REPORT = "report"
    ENFORCE = "enforce"


class UnlistedVersions(StrEnum):
    """What becomes of a version that no rule of the product names."""

    REFUSE = "refuse"
    ALLOW = "allow"
    ALLOW_NEWER = "allow_newer"


class VersionState(StrEnum):
    """What a product says of a version; `latest` is the current one."""

    LATEST = "latest"
    ALLOWED = "allowed"
    DEPRECATED = "deprecated"
    BLOCKED = "blocked"


class SigningKind(StrEnum):
    """How answers are signed: with a shared secret in the body, or with a key pair in headers."""

    HMAC = "hmac"
    ED25519 = "ed25519"
    RSA = "rsa"


class KeyScope(StrEnum):
    """What an API key may ask: everything, or validations alone."""

    FULL = "full"
    VALIDATE = "validate"


class BlockLevel(StrEnum):
    """For whom an address is blocked, in the order in which they are looked at."""

    PLATFORM = "platform"
    ORGANIZATION = "organization"
    CUSTOMER = "customer"
    LICENSE = "license"


class TransferState(StrEnum):
    """How far a transfer is; all but the first two are final."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DONE = "done"
    DECLINED = "declined"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Permission(StrEnum):
    """What a Discord role can be allowed to do."""

    PRODUCTS_VIEW = "products:view"
    PRODUCTS_EDIT = "products:edit"
    LICENSES_VIEW = "licenses:view"
    LICENSES_CREATE = "licenses:create"
    LICENSES_EDIT = "licenses:edit"
    LICENSES_REVOKE = "licenses:revoke"
    LICENSES_RESET_IPS = "licenses:reset_ips"
    LICENSES_REVEAL = "licenses:reveal"
    LICENSES_EXPORT = "licenses:export"
    TRANSFERS_DECIDE = "transfers:decide"
    BLACKLIST_EDIT = "blacklist:edit"
    ROLES_EDIT = "roles:edit"


class ActorKind(StrEnum):
    """By which door a change came in."""

    MEMBER = "member"
    OPERATOR = "operator"
    SYSTEM = "system"
