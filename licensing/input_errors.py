"""Refusals of what somebody typed: it cannot be used as it is, whatever is stored."""

from licensing.errors import NothingToChange, Refusal


class NameInvalid(Refusal):
    """A product name is empty, too long (`limit`) or holds control characters."""


class HolderAmbiguous(Refusal):
    """Both a member and an email address were named."""


class EmailInvalid(Refusal):
    """`text` is no email address."""


class ExpiryInvalid(Refusal):
    """`text` is no date or duration."""


class ExpiryAmbiguous(Refusal):
    """`text` could mean minutes or months."""


class DateAmbiguous(ExpiryInvalid):
    """`text` is a date whose day and month could be swapped."""


class ExpiryInPast(Refusal):
    """The date has passed."""


class ExpiryTooFar(Refusal):
    """The date lies beyond the year `limit`."""


class GraceInvalid(Refusal):
    """`text` is no duration for a grace period of at most `limit_days` days."""


class MaxIpsInvalid(Refusal):
    """The address limit is not between 0 and `limit`."""


class NotesTooLong(Refusal):
    """Notes hold at most `limit` characters."""


class AddressInvalid(Refusal):
    """`text` is no IP address."""


class PermissionUnknown(Refusal):
    """`text` is no permission code."""


class DurationInvalid(Refusal):
    """`text` is no duration for licenses."""


class IdleDaysInvalid(Refusal):
    """The idle days are not between 0 and `limit`."""


class NothingNamed(NothingToChange):
    """An edit names nothing to change."""


class NothingSelected(Refusal):
    """A change of many licenses says nothing about which."""


class VersionInvalid(Refusal):
    """`text` is no version."""


class VersionRangeInvalid(Refusal):
    """`text` is no range of versions, or one that holds nothing."""


class LatestNeedsVersion(Refusal):
    """Only one version can be the latest, never a range (`text`)."""


class PinAmbiguous(Refusal):
    """Both an exact version and a range were named."""


class MaxDevicesInvalid(Refusal):
    """A device limit is outside 0 to `limit`."""


class FileDaysInvalid(Refusal):
    """The lifetime of license files is outside 0 to `limit` days."""


class ResetDaysInvalid(Refusal):
    """The days between a holder's resets are outside 0 to `limit`."""


class ResetsInvalid(Refusal):
    """A holder's resets of one license in a year are outside 0 to `limit`."""


class CustomNotJson(Refusal):
    """The custom response is no JSON: wrong at `line`, `column`."""


class CustomNotObject(Refusal):
    """The custom response is JSON, but no object."""


class CustomTooLarge(Refusal):
    """The custom response has more than `limit` bytes."""


class CustomNotPortable(Refusal):
    """The custom response holds at `where` what JSON libraries read differently."""


class MemberTwice(CustomNotPortable):
    """An object names the member `where` more than once."""


class NameLikeInteger(CustomNotPortable):
    """The member `where` is named like a whole number, by which JavaScript reorders an object."""


class NumberUnknown(CustomNotPortable):
    """The number `where` is infinite, larger than any, or none at all."""


class IntegerTooLarge(CustomNotPortable):
    """The whole number `where` lies beyond 2^53."""


class LoneSurrogate(CustomNotPortable):
    """The text, or the name, `where` holds half of a character."""


class NestedTooDeep(CustomNotPortable):
    """More than `limit` objects and arrays are open at once in `line`."""


class CustomAmbiguous(Refusal):
    """A file was uploaded, and the response was to be cleared at once."""


class FileBlank(Refusal):
    """The uploaded file `name` holds nothing."""


class FileUnreadable(Refusal):
    """The uploaded file `name` is no text in UTF-8, or Discord does not hand it over."""


class NetworkInvalid(Refusal):
    """`text` is no address and no range."""


class NetworkTooWide(Refusal):
    """`text` would block everybody."""


class BlockAmbiguous(Refusal):
    """A block is for one member, one email address or one license, and several were named."""


class KeyNameInvalid(Refusal):
    """The name of an API key is empty, too long (`limit`) or holds control characters."""


class PlanUnknown(Refusal):
    """No plan is named `text`; there are `plans`."""
