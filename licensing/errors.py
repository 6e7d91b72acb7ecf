"""Why a person's request is refused: a code and data, never prose.

Refusal
├── NotAllowed              the asker's roles lack a permission
├── InvalidInput and kin    what was typed cannot be used
├── ...NotFound             nothing of that name in this organization
├── ...                     a state that forbids the change
└── LimitReached            a plan's limit

`i18n.refusals` holds the sentence of each. A broken system is no refusal: that is `ports.Unavailable`.
"""

from typing import Any, ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A person asked for what cannot be done; `data` fills the sentence."""

    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Name the code after the class: `KeyNotFound` is `key_not_found`."""
        cls.code = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")

    def __init__(self, **data: Any) -> None:
        super().__init__(self.code)
        self.data = data


class NotAllowed(Refusal):
    """The asker lacks `permission`."""


class GrantNotAllowed(Refusal):
    """Nobody grants or takes a permission that they lack (`permission`)."""


class NameTaken(Refusal):
    """The organization has a product of this `name` already."""


class ProductNotFound(Refusal):
    """No product matches `text` in this organization."""


class ProductNotSold(Refusal):
    """The product `name` is archived or disabled (`state`), so nothing is issued for it."""


class LicenseNotFound(Refusal):
    """No license matches `text` in this organization."""


class LicenseAlreadyRevoked(Refusal):
    """A revoked license stays revoked."""


class KeyNotFound(Refusal):
    """No license has the key that the member typed."""


class KeyMistyped(Refusal):
    """The key has a typo: its check symbol does not fit."""


class KeyClaimedByOther(Refusal):
    """The license belongs to another member."""


class KeyClaimedAlready(Refusal):
    """The license belongs to the member who claims it (`product`)."""


class KeyRevoked(Refusal):
    """The license was revoked."""


class KeyExpired(Refusal):
    """The license has ended."""


class KeySuspended(Refusal):
    """Staff paused the license."""


class TooManyWrongKeys(Refusal):
    """The member typed too many wrong keys; again in `seconds`."""


class ApiKeyRotatedAlready(Refusal):
    """The API key that was to be replaced has been replaced in the meantime."""


class GuildOnly(Refusal):
    """It was asked for outside a Discord server."""


class BotNotInServer(Refusal):
    """The bot's commands were added to a Discord server, but not the bot itself."""


class NotAMember(Refusal):
    """The named person is not in this Discord server."""


class RecipientNotAMember(Refusal):
    """The member to whom a license is offered is not in this Discord server."""


class HolderIsBot(Refusal):
    """The named holder is a bot."""


class RoleGone(Refusal):
    """The role was deleted in the meantime."""


class RoleManaged(Refusal):
    """The role belongs to Discord or to an integration, so nobody can give it to members."""


class RoleTooHigh(Refusal):
    """The role stands above the bot's own role `bot_role`."""


class RoleCarriesPermissions(Refusal):
    """The role may do something for staff, so whoever buys a license must not be given it."""


class RoleIsGiven(Refusal):
    """The role comes with licenses of `product`, so it must not be allowed anything of staff's."""


class RoleAboveAsker(Refusal):
    """The asker may not give this role to anybody themselves, so not through a product either."""


class ManageRolesMissing(Refusal):
    """The bot lacks the Manage Roles permission in this Discord server."""


class LimitReached(Refusal):
    """The organization's plan allows `limit` of `what`, of which `free` are not used, fewer than were asked for."""


class NothingToChange(Refusal):
    """What was asked for is so already."""


class LicenseNotActive(Refusal):
    """A revoked license cannot be changed any more."""


class LicenseNotSuspended(Refusal):
    """Only a suspended license can be reinstated."""


class LicenseNotRevoked(Refusal):
    """Only a revoked license can be restored."""


class LicenseUnlimited(Refusal):
    """A license without an end cannot be extended."""


class TransfersOff(Refusal):
    """The product `product` does not let its licenses change hands."""


class TransferPending(Refusal):
    """The license is being transferred already."""


class TransferToSelf(Refusal):
    """The recipient holds the license already."""


class TransferNotFound(Refusal):
    """No transfer of that number concerns the asker."""


class TransferEnded(Refusal):
    """The transfer was decided, cancelled or has expired (`state`)."""


class TransferNotAccepted(Refusal):
    """Staff decide only after the recipient accepted."""


class ServerLeft(Refusal):
    """The asker is no member any more of the Discord server that a button speaks of."""


class ExportTooLarge(Refusal):
    """The export of `count` licenses is larger than a file may be in this Discord server."""


class LicenseNotUsable(Refusal):
    """A license that is revoked, suspended or expired does not change hands."""


class ResetsOff(Refusal):
    """The product `product` lets staff alone reset the addresses and devices of its licenses."""


class ResetNotUsable(LicenseNotUsable):
    """A license that is revoked, suspended or expired keeps its addresses and devices."""


class ResetTooSoon(Refusal):
    """The license was reset lately; its holder may do so again at `at_s`, in whole seconds since 1970."""


class ResetsUsedUp(Refusal):
    """The holder has used all `limit` resets of a year; the next is possible at `at_s`, in seconds since 1970."""


class ResetLocksOut(Refusal):
    """The product `product` registers no address by itself, so whoever lost one could not come back."""


class LicenseWaitsForClaim(Refusal):
    """The license's time begins with its claim, so there is no end yet to extend."""


class ExtensionTooShort(Refusal):
    """`text` would not make the license last longer."""


class NoAddresses(NothingToChange):
    """The license has no registered address to free."""


class LicenseSuspendedAlready(NothingToChange):
    """The license is suspended already."""


class ProductIsAlready(NothingToChange):
    """The product `name` is in the `state` that it should be brought to."""


class VersionNotListed(Refusal):
    """The product has no rule for `text`."""


class TooManyVersions(Refusal):
    """A product has `limit` version rules already."""


class CustomerNotFound(Refusal):
    """No customer is known as `text` in this organization."""


class BlockedAlready(Refusal):
    """`text` is blocked there already."""


class BlockNotFound(Refusal):
    """Nothing like `text` is blocked there."""


class TooManyBlocks(Refusal):
    """There are `limit` blocked addresses and ranges already."""


class KeyNameTaken(Refusal):
    """The product has an API key named `name` already."""


class ApiKeyNotFound(Refusal):
    """The product has no API key named `text`."""


class TooManyApiKeys(Refusal):
    """A product has `limit` named API keys already."""


class SigningOff(Refusal):
    """The product has no key to sign with in this way."""


class SigningKeyRotatedAlready(Refusal):
    """The signing key that was to be replaced has been replaced in the meantime."""


class SupportCodeUnknown(Refusal):
    """There is no refusal under this code that the asker may see."""


class TooManyWrongCodes(Refusal):
    """The member typed too many unknown support codes; there are `seconds` to wait."""
