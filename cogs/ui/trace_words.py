"""A validation's trace in words: every check in its order, how it ended, and by which fact."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cogs.ui import words
from i18n import N_
from i18n import gettext as _
from licensing.addresses import is_pseudonym
from licensing.choices import AutoRegister, BlockLevel, LicenseState, OrganizationState, ProductState, VersionMode
from licensing.verdict import Outcome, Step

Fact = Mapping[str, Any]

MARKS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.SKIPPED: "⏭️"}

_HASH_SHOWN = 9  # the mark and eight characters: enough to tell a license's few addresses apart
_NAME_LENGTH = 64
_PIN_LENGTH = 140
_CHECKS = {
    "product": N_("Product"),
    "organization": N_("Server"),
    "license": N_("Key"),
    "state": N_("License"),
    "claim": N_("Holder"),
    "expiry": N_("End"),
    "blacklist": N_("Blacklist"),
    "address": N_("Addresses"),
    "device": N_("Devices"),
    "version": N_("Version"),
    "limits": N_("Limits"),
}
_PRODUCT = {
    ProductState.ACTIVE: N_("active"),
    ProductState.ARCHIVED: N_("archived"),
    ProductState.DISABLED: N_("switched off"),
}
_ORGANIZATION = {
    OrganizationState.ACTIVE: N_("not suspended"),
    OrganizationState.SUSPENDED: N_("suspended by the operator"),
    OrganizationState.BILLING_SUSPENDED: N_("suspended by the operator over billing"),
}
_LICENSE = {
    LicenseState.ACTIVE: N_("neither suspended nor revoked"),
    LicenseState.SUSPENDED: N_("suspended"),
    LicenseState.REVOKED: N_("revoked"),
}
_BLOCKED = {
    BlockLevel.PLATFORM: N_("blocked by the operator for everybody"),
    BlockLevel.ORGANIZATION: N_("blocked in this server"),
    BlockLevel.CUSTOMER: N_("blocked for this customer"),
    BlockLevel.LICENSE: N_("blocked for this license"),
}
_NO_ROOM = {
    AutoRegister.OFF: N_("{seats}; {name} is not one of them, and none registers by itself"),
    AutoRegister.FIRST: N_("{seats}; {name} is not one of them, and only the first registers by itself"),
}
_LISTED = {
    "latest": N_("{version} is the latest"),
    "allowed": N_("{version} is allowed"),
    "deprecated": N_("{version} is deprecated, and allowed"),
    "blocked": N_("{version} is blocked"),
}
_TURNED_AWAY = {
    "address": N_("too many calls a minute from this address"),
    "license": N_("too many calls a minute with this license"),
    "failures": N_("too many unknown keys were tried from this address"),
    "quota": N_("the product's calls for that day were used up"),
}


def lines(steps: Sequence[Step], *, typed: Mapping[str, str] | None = None) -> list[str]:
    """Return a line for each check; `typed` says what somebody typed where a hash of it was judged."""
    return [_line(step, typed or {}) for step in steps]


def address(text: str | None, *, unknown: str | None = None) -> str:
    """Return an address as a panel shows it: in clear, or the start of the hash that stands for it."""
    if not text:
        return unknown if unknown is not None else _("an unknown address")
    return f"`{_short(text)}`"


def device(text: str | None) -> str:
    """Return a device as a panel shows it; it is whatever the caller sent."""
    if not text:
        return _("no named device")
    return f"`{_short(text)}`" if is_pseudonym(text) else words.code(text, _NAME_LENGTH)


def seats(taken: int, limit: int | None) -> str:
    """Return how many seats are taken, of how many."""
    if limit is None:
        return _("{taken} taken, no limit").format(taken=taken)
    return _("{taken} of {limit} taken").format(taken=taken, limit=limit)


def hashes_explained(texts: Iterable[str | None]) -> list[str]:
    """Return why something like `~abcd1234…` stands where one expects an address, if there is such a thing."""
    if not any(is_pseudonym(text) for text in texts if text):
        return []
    return [
        _(
            "-# Addresses and devices are kept only as hashes here: the same one is always shown alike, and nobody "
            "can tell which it is."
        )
    ]


def turned_away(reason: str) -> str:
    """Return why a call was not looked at."""
    return _(_TURNED_AWAY.get(reason) or reason)


def _short(text: str) -> str:
    return f"{text[:_HASH_SHOWN]}…" if is_pseudonym(text) else text


def _line(step: Step, typed: Mapping[str, str]) -> str:
    label, mark = _(_CHECKS.get(step.check) or step.check), MARKS[step.outcome]
    if step.outcome is Outcome.SKIPPED:
        return f"{mark} **{label}:** " + _("not looked at any more")
    names = [name for name in ("address", "device") if is_pseudonym(step.fact.get(name) or "")]
    fact = {**step.fact, **{name: typed.get(step.fact[name], step.fact[name]) for name in names}}
    tell = _FACTS.get(step.check)  # a trace that is kept may be another version's
    found = tell(fact, step.outcome is Outcome.FAILED) if tell else ""
    return f"{mark} **{label}:** {found}"


def _license(_fact: Fact, failed: bool) -> str:  # noqa: FBT001 - as every row of the table below
    return _("this product has no license with this key") if failed else _("belongs to this product")


def _expiry(fact: Fact, failed: bool) -> str:  # noqa: FBT001
    end = fact["expires_at_ms"]
    if end is None:
        return _("never")
    if failed:
        return _("it ended {when}").format(when=words.when(end))
    if fact["enforced"]:
        return words.when(end)
    return _("{when}; it is shown, not enforced").format(when=words.when(end))


def _blacklist(fact: Fact, failed: bool) -> str:  # noqa: FBT001
    if not failed:
        return _("not on it") if fact.get("known", True) else _("no address to look for")
    found = _of(_BLOCKED, fact["level"])
    if fact["level"] == BlockLevel.PLATFORM or "network" not in fact:  # traces of before named the operator's too
        return found
    return f"`{_short(fact['network'])}` · {found}"


def _address(fact: Fact, failed: bool) -> str:  # noqa: FBT001
    if not fact["tracked"]:
        return _("not looked at; the IP system is off")
    taken = seats(fact["taken"], fact["limit"])
    if fact["address"] is None:
        return _("{seats}; the caller's address is not known").format(seats=taken)
    name = address(fact["address"])
    if failed and fact["taken"] and fact["auto_register"] == AutoRegister.FIRST:
        return _(_NO_ROOM[AutoRegister.FIRST]).format(seats=taken, name=name)
    if failed and fact["auto_register"] == AutoRegister.OFF:
        return _(_NO_ROOM[AutoRegister.OFF]).format(seats=taken, name=name)
    return _seat(taken, name, registered=fact["registered"], failed=failed)


def _device(fact: Fact, failed: bool) -> str:  # noqa: FBT001
    if fact["limit"] is None:
        return _("not limited")
    name = device(fact["device"])
    return _seat(seats(fact["taken"], fact["limit"]), name, registered=fact["registered"], failed=failed)


def _seat(taken: str, name: str, *, registered: bool, failed: bool) -> str:
    text = _("{seats}; {name} would take the next one")
    if registered:
        text = _("{seats}; {name} is one of them")
    if failed:
        text = _("{seats}; {name} is not one of them")
    return text.format(seats=taken, name=name)


def _version(fact: Fact, _failed: bool) -> str:  # noqa: FBT001
    if fact["mode"] == VersionMode.OFF:
        return _("not looked at")
    found = _listed(fact)
    if fact["pin"]:
        pinned = _("the license runs {pin} alone").format(pin=words.code(fact["pin"], _PIN_LENGTH))
        found = f"{found}; {pinned}"
    return f"{found} " + _("(only reported)") if fact["mode"] == VersionMode.REPORT else found


def _listed(fact: Fact) -> str:
    if fact["version"] is None:
        return _("none was named, and the product has no latest one")
    version = words.code(fact["version"])
    if fact["state"] is None:
        allowed = (
            _("{version} is not on the list, and allowed") if fact["listed"] else _("{version} is not on the list")
        )
        return allowed.format(version=version)
    found = _of(_LISTED, fact["state"]).format(version=version)
    is_range = fact["rule"] != fact["version"]
    return f"{found} ({words.code(fact['rule'])})" if is_range else found


def _of(texts: Mapping[Any, str], fact: str) -> str:
    """Return a table's text; looked up out here, as text in a call of `_` would be taken for text to translate."""
    return _(texts[fact])


def _limits(fact: Fact, _failed: bool) -> str:  # noqa: FBT001
    return turned_away(fact["reason"])


_FACTS: Mapping[str, Callable[[Fact, bool], str]] = {
    "product": lambda fact, _failed: _of(_PRODUCT, fact["state"]) if fact["state"] else _("it is gone"),
    "organization": lambda fact, _failed: _of(_ORGANIZATION, fact["state"]),
    "license": _license,
    "state": lambda fact, _failed: _of(_LICENSE, fact["state"]),
    "claim": lambda fact, _failed: _("there is one") if fact["claimed"] else _("none yet; it waits to be claimed"),
    "expiry": _expiry,
    "blacklist": _blacklist,
    "address": _address,
    "device": _device,
    "version": _version,
    "limits": _limits,
}
