"""Every refusal's sentence: what is wrong and what to do, in the reader's language."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from i18n import N_, gettext
from i18n.store_sentences import STORE_SENTENCES
from licensing import errors, input_errors
from licensing.choices import ProductState
from licensing.ports import Unavailable

__all__ = ["BLANK_SENTENCES", "SENTENCES", "STORE_SENTENCES", "explain", "sentence"]

_SHOWN_LENGTH = 80

SENTENCES: Mapping[type[errors.Refusal], str] = {
    errors.NotAllowed: N_(
        "You need the permission `{permission}` for this; ask an administrator for `/staff grant`."
    ),
    errors.GrantNotAllowed: N_(
        "You do not have the permission `{permission}` yourself, so you can neither grant nor revoke it; "
        "ask an administrator."
    ),
    input_errors.PermissionUnknown: N_("`{text}` is no permission; pick one from the list."),
    input_errors.NameInvalid: N_("A product's name needs 1 to {limit} ordinary characters; choose another name."),
    errors.NameTaken: N_("There is already a product named `{name}`; choose another name."),
    errors.ProductNotFound: N_("There is no product `{text}` here; pick one from the list."),
    errors.ProductNotSold: N_(
        "`{name}` is {state}, so no license can be issued for it; bring it back with `/product unarchive` or "
        "`/product enable`."
    ),
    errors.ApiKeyRotatedAlready: N_(
        "This API key was replaced in the meantime, so nothing was changed; "
        "use `/product rotate-key` again if you still need a new one."
    ),
    errors.LicenseNotFound: N_(
        "No such license was found here; pick one from the list, or type its number like `#12` or its whole key."
    ),
    errors.LicenseAlreadyRevoked: N_(
        "This license is already revoked, and that is final; issue a new one to restore access."
    ),
    input_errors.HolderAmbiguous: N_("Name a member or an email address, not both."),
    input_errors.EmailInvalid: N_("`{text}` is no email address; type one like `name@example.com`."),
    input_errors.ExpiryInvalid: N_(
        "`{text}` is no date or duration; type something like `30d`, `1y6mo`, `2027-01-01` or `never`."
    ),
    input_errors.ExpiryAmbiguous: N_(
        "`{text}` could mean minutes or months; type `min` for minutes or `mo` for months."
    ),
    input_errors.DateAmbiguous: N_(
        "`{text}` could be read as two dates; type it as year, month and day, like `2026-12-31`."
    ),
    input_errors.ExpiryInPast: N_("`{text}` has passed already; type a later date."),
    input_errors.ExpiryTooFar: N_("That date is too far away; type one up to the year {limit}, or `never`."),
    input_errors.GraceInvalid: N_(
        "`{text}` is no grace period; type one of at most {limit_days} days, like `24h` or `7d`, or leave it out."
    ),
    input_errors.MaxIpsInvalid: N_(
        "The address limit must be between 0 and {limit}; 0 means any number of addresses."
    ),
    input_errors.NotesTooLong: N_("That text is too long; use at most {limit} characters."),
    input_errors.AddressInvalid: N_("`{text}` is no IP address; type one like `203.0.113.7` or `2001:db8::7`."),
    errors.KeyNotFound: N_("No license with this key was found here; check it and try again."),
    errors.KeyMistyped: N_("That key looks mistyped; compare it with the original and try again."),
    errors.KeyClaimedByOther: N_("This key belongs to another member; if it is yours, ask the staff of this server."),
    errors.KeyClaimedAlready: N_("You have already claimed this key for `{product}`; see `/licenses`."),
    errors.KeyRevoked: N_("The license of this key was revoked; ask the staff of this server."),
    errors.KeyExpired: N_("The license of this key has expired; ask the staff of this server for a new one."),
    errors.KeySuspended: N_("The license of this key is suspended; ask the staff of this server."),
    errors.TooManyWrongKeys: N_("Too many wrong keys; wait {seconds} s and try again."),
    errors.LimitReached: N_(
        "This server's plan allows {limit} products, and all are used; ask whoever runs this bot for a larger plan."
    ),
    errors.GuildOnly: N_("This works only inside a server; use it in the server that the license is from."),
    errors.BotNotInServer: N_(
        "I am not in this server myself; ask an administrator to invite me again, with the scopes `bot` and "
        "`applications.commands`."
    ),
    errors.NotAMember: N_(
        "That person is not in this server; pick a member, or leave the member out and hand the key over yourself."
    ),
    errors.RecipientNotAMember: N_("That person is not in this server; choose one of its members."),
    errors.HolderIsBot: N_("A bot cannot hold a license; pick a person."),
    errors.RoleGone: N_("That role is gone; pick another."),
    errors.RoleManaged: N_(
        "That role belongs to Discord or to an integration, so it cannot be given to members; pick another role."
    ),
    errors.RoleTooHigh: N_(
        "That role stands above mine; under Server Settings → Roles, drag my role `{bot_role}` "
        "above it and try again."
    ),
    errors.RoleAboveAsker: N_(
        "You cannot give that role yourself, so you cannot choose it here; pick a role below your own, or ask an "
        "administrator."
    ),
    errors.NoAddresses: N_("This license has no registered address or device, so there is nothing to reset."),
    input_errors.NothingNamed: N_("Name something to change: an address limit, notes, an end or a version."),
    input_errors.NothingSelected: N_("Say which licenses are meant: name a product, a status or a holder."),
    errors.LicenseSuspendedAlready: N_("This license is suspended already; nothing was changed."),
    errors.ProductIsAlready: N_("`{name}` is {state} already; nothing was changed."),
    errors.RoleCarriesPermissions: N_(
        "That role has permissions of staff, and everybody who holds a license would get them; pick another role, or "
        "take them from it with `/staff revoke`."
    ),
    errors.RoleIsGiven: N_(
        "That role comes with licenses of `{product}`, so everybody who holds one would get these permissions; pick "
        "another role."
    ),
    errors.NothingToChange: N_("It is so already; nothing was changed."),
    errors.LicenseNotActive: N_("This license is revoked, and that is final; issue a new one to restore access."),
    errors.LicenseNotSuspended: N_("This license is not suspended, so there is nothing to reinstate."),
    errors.LicenseNotRevoked: N_("This license is not revoked, so there is nothing to restore."),
    errors.LicenseUnlimited: N_("This license has no end to extend; set one with `/license edit`."),
    errors.LicenseWaitsForClaim: N_(
        "This license's time begins with its claim, so there is no end to extend yet; set one with `/license edit`."
    ),
    errors.ExtensionTooShort: N_(
        "`{text}` is not later than the license's own end; name a later date, or use `/license edit` to shorten it."
    ),
    errors.LicenseNotUsable: N_(
        "This license is revoked, suspended or expired, so it cannot change hands; ask the staff of this server."
    ),
    errors.ResetsOff: N_(
        "Only staff reset the addresses and devices of licenses for `{product}`; ask the staff of this server."
    ),
    errors.ResetNotUsable: N_(
        "This license is revoked, suspended or expired, so you cannot reset it; ask the staff of this server."
    ),
    errors.ResetTooSoon: N_(
        "This license was reset lately; you can reset it again <t:{at_s}:f> (<t:{at_s}:R>), or ask the staff of this "
        "server."
    ),
    errors.ResetsUsedUp: N_(
        "You have reset this license as often as you may in 365 days ({limit}); the next reset is possible "
        "<t:{at_s}:f> (<t:{at_s}:R>), or ask the staff of this server."
    ),
    errors.ResetLocksOut: N_(
        "`{product}` lets no new address register by itself, so the addresses of this license stay; ask the staff of "
        "this server."
    ),
    input_errors.DurationInvalid: N_("`{text}` is no duration; type something like `30d` or `1y`, or `never`."),
    input_errors.IdleDaysInvalid: N_("The idle days must be between 0 and {limit}; 0 keeps addresses for ever."),
    errors.TransfersOff: N_("Licenses of `{product}` cannot be transferred; ask the staff of this server."),
    errors.TransferPending: N_(
        "This license is being transferred already; cancel that first, with `/transfer cancel`."
    ),
    errors.TransferToSelf: N_("You hold this license already; name another member."),
    errors.TransferNotFound: N_("There is no such transfer for you; see `/transfer list`."),
    errors.TransferEnded: N_("This transfer has ended already; see `/transfer list`."),
    errors.TransferNotAccepted: N_("The recipient has not accepted this transfer yet; wait until they have."),
    errors.ServerLeft: N_(
        "You are no longer a member of the server that this is from; join it again and use `/transfer list` there."
    ),
    errors.ExportTooLarge: N_(
        "A file with {count} licenses is too large for this server; narrow the search, for example to one product."
    ),
    input_errors.VersionInvalid: N_("`{text}` is no version; type one like `1.4.0` or `2.0.0-beta.1`."),
    input_errors.VersionRangeInvalid: N_("`{text}` is no range of versions; type one like `>=2.1 <2.4` or `1.x`."),
    errors.VersionNotListed: N_("`{text}` is not on this product's list; see `/product version list`."),
    input_errors.LatestNeedsVersion: N_(
        "Only a single version can be the latest; type one like `1.4.0` in place of `{text}`."
    ),
    errors.TooManyVersions: N_(
        "A product's list holds at most {limit} versions and ranges; remove some, or use a range such as `1.x`."
    ),
    input_errors.PinAmbiguous: N_("Type either one version or a range, not both."),
    input_errors.MaxDevicesInvalid: N_(
        "The device limit must be between 0 and {limit}; 0 means any number of devices."
    ),
    input_errors.FileDaysInvalid: N_("License files can last 1 to {limit} days; 0 issues none."),
    input_errors.ResetDaysInvalid: N_(
        "The days between a holder's resets must be between 0 and {limit}; 0 lets only staff reset."
    ),
    input_errors.ResetsInvalid: N_(
        "A holder's resets of one license in 365 days must be between 0 and {limit}; 0 is any number."
    ),
    input_errors.CustomNotJson: N_("That is no JSON: look at line {line}, column {column}."),
    input_errors.CustomNotObject: N_("That is JSON, but no object: put names and values between curly braces."),
    input_errors.CustomTooLarge: N_("That is too large; a custom response has at most {limit} bytes."),
    input_errors.CustomNotPortable: N_("Not every program reads `{where}` alike; write it in another way."),
    input_errors.MemberTwice: N_("`{where}` is there twice; name each member once."),
    input_errors.NameLikeInteger: N_(
        "`{where}` is named like a whole number, which not every program keeps in its place; begin the name with a "
        "letter."
    ),
    input_errors.NumberUnknown: N_(
        "`{where}` is no number that JSON has, or too large for one; type an ordinary number, or text in quotes."
    ),
    input_errors.IntegerTooLarge: N_(
        "`{where}` is a whole number beyond 2^53, which not every program reads exactly; put it in quotes, as text."
    ),
    input_errors.LoneSurrogate: N_("`{where}` holds half of a character (an unpaired surrogate); type it anew."),
    input_errors.NestedTooDeep: N_(
        "In line {line}, more than {limit} objects and lists lie within each other; make it flatter."
    ),
    input_errors.CustomAmbiguous: N_("Name a file or `clear`, not both."),
    input_errors.FileBlank: N_("`{name}` is blank; to take the response away, set `clear` to yes instead."),
    input_errors.FileUnreadable: N_("`{name}` cannot be read as text; save it in UTF-8 and upload it again."),
    input_errors.NetworkInvalid: N_(
        "`{text}` is no address and no range; type one like `203.0.113.7`, `203.0.113.0/24` or `2001:db8::/48`."
    ),
    input_errors.NetworkTooWide: N_("`{text}` would block nearly everybody; type a narrower range."),
    input_errors.BlockAmbiguous: N_("Name a member, an email address or a license, not several of them."),
    errors.CustomerNotFound: N_("No customer `{text}` is known here; name the member, or the license."),
    errors.BlockedAlready: N_("`{text}` is blocked there already; nothing was changed."),
    errors.BlockNotFound: N_("`{text}` is not blocked there; see `/blacklist list`."),
    errors.TooManyBlocks: N_("A blacklist holds at most {limit} entries; remove some, or block a range instead."),
    input_errors.KeyNameInvalid: N_("An API key's name needs 1 to {limit} ordinary characters; choose another name."),
    errors.KeyNameTaken: N_("There is already an API key named `{name}`; choose another name."),
    errors.ApiKeyNotFound: N_("This product has no API key named `{text}`; see `/product key list`."),
    errors.TooManyApiKeys: N_("A product has at most {limit} named API keys; remove one first."),
    errors.SigningOff: N_("This product does not sign its answers in this way; turn that on first."),
    errors.SigningKeyRotatedAlready: N_(
        "This signing key was replaced in the meantime, so nothing was changed; look at `/product signing` again."
    ),
    errors.SupportCodeUnknown: N_(
        "Nothing is known under this code here; check it, and ask the holder of the license or the staff."
    ),
    errors.TooManyWrongCodes: N_("Too many wrong codes; wait {seconds} s and try again."),
    input_errors.PlanUnknown: N_("There is no plan `{text}`; there is: {plans}."),
    errors.ManageRolesMissing: N_(
        "I may not give roles here; under Server Settings → Roles, allow my role Manage Roles and try again."
    ),
}

# Said where only blanks were typed, so that there is nothing to repeat.
BLANK_SENTENCES: Mapping[type[errors.Refusal], str] = {
    input_errors.PermissionUnknown: N_("Type a permission like `licenses:view`, or pick one from the list."),
    errors.ProductNotFound: N_("Type a product's name, or pick one from the list."),
    input_errors.EmailInvalid: N_("Type an email address like `name@example.com`, or leave it out."),
    input_errors.ExpiryInvalid: N_("Type a date or duration, like `30d`, `1y6mo`, `2027-01-01` or `never`."),
    input_errors.NetworkInvalid: N_("Type an address like `203.0.113.7`, or a range like `203.0.113.0/24`."),
    input_errors.VersionInvalid: N_("Type a version like `1.4.0`, or a range like `>=2.1 <2.4`."),
    input_errors.AddressInvalid: N_("Type an IP address like `203.0.113.7` or `2001:db8::7`, or leave it out."),
}

_STATES = {
    ProductState.ACTIVE: N_("active"),
    ProductState.ARCHIVED: N_("archived"),
    ProductState.DISABLED: N_("disabled"),
}
_UNAVAILABLE = N_("The license database cannot be reached now; nothing was changed, try again in a minute.")
_LICENSES_FULL = N_(
    "This server's plan allows {limit} licenses, and all are used; ask whoever runs this bot for a larger plan."
)
_LICENSES_TOO_MANY = N_(
    "This server's plan allows {limit} licenses and has room for {free} more; ask for {free} at most, or ask whoever "
    "runs this bot for a larger plan."
)


def explain(error: BaseException) -> str:
    """Return the sentence of a refusal, of an unreachable store, or of a store that refused to open.

    Raises: LookupError, for what has no sentence.
    """
    found = sentence(error)
    if found is None:
        raise LookupError(type(error).__name__)
    return found


def sentence(error: BaseException) -> str | None:
    """Return the sentence that `explain` gives, or None where there is none."""
    if isinstance(error, Unavailable):
        return gettext(_UNAVAILABLE)
    data, code = getattr(error, "data", {}), str(getattr(error, "code", ""))
    text = _sentence_of(error) if isinstance(error, errors.Refusal) else STORE_SENTENCES.get(code)
    return gettext(text).format_map(_Shown(data)) if text is not None else None


def _sentence_of(error: errors.Refusal) -> str | None:
    if isinstance(error, errors.LimitReached) and error.data.get("what") == "licenses":
        return _LICENSES_TOO_MANY if error.data.get("free") else _LICENSES_FULL
    if type(error) in BLANK_SENTENCES and not str(error.data.get("text", "")).strip():
        return BLANK_SENTENCES[type(error)]
    return SENTENCES.get(type(error))


class _Shown(dict[str, Any]):
    """Data as it may stand in a sentence: short, on one line, unable to break out of its backticks."""

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        if isinstance(value, ProductState):
            return gettext(_STATES[value])
        text = str(value.value if isinstance(value, Enum) else value)
        flat = " ".join("".join(symbol if symbol.isprintable() else " " for symbol in text).split())
        flat = flat.replace("`", "'")
        return flat if len(flat) <= _SHOWN_LENGTH or name == "path" else flat[: _SHOWN_LENGTH - 1] + "…"

    def __missing__(self, name: str) -> str:
        return "?"
