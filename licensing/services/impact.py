"""How many licenses a change of a product's rules would refuse: what staff are shown before they make it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from licensing.choices import AutoRegister, UnlistedVersions, VersionMode
from licensing.models import Product, ProductSettings
from licensing.ports import Steps, Transaction
from licensing.versions import VersionList

RUNNING_DAYS = 30

_CONSIDERED = 2_000  # versions that ran, the most used first: callers send what they like
_DAY_MS = 86_400_000
_LENIENCE = {UnlistedVersions.REFUSE: 0, UnlistedVersions.ALLOW_NEWER: 1, UnlistedVersions.ALLOW: 2}


@dataclass(frozen=True, slots=True)
class SettingsImpact:
    """What a change of switches would come to, before it is made.

    `tightened` is the switch by which customers could be refused, None where nobody could; `licenses` counts those
    that it concerns.
    """

    product: Product
    after: ProductSettings
    tightened: str | None = None
    licenses: int = 0


def settings_impact(
    tx: Transaction, product: Product, after: ProductSettings, *, now_ms: int
) -> Steps[SettingsImpact]:
    """Return whom a change of a product's switches would refuse."""
    before, switch = product.settings, tightened(product.settings, after)
    if switch in {"versions", "unlisted_versions"}:
        licenses = yield from _on_refused_versions(tx, product, after, since(now_ms))
    elif switch == "max_devices":
        since_ms = since(now_ms) if before.max_devices is None else None
        licenses = yield from tx.addresses.on_more_devices(product.id, after.max_devices or 0, since_ms=since_ms)
    elif switch is not None:
        licenses = yield from tx.addresses.unseated(product.id)
    else:
        licenses = 0
    return SettingsImpact(product, after, switch, licenses)


def tightened(before: ProductSettings, after: ProductSettings) -> str | None:
    """Return the switch by which a change could refuse customers who were not refused before."""
    if after.versions is VersionMode.ENFORCE:
        if before.versions is not VersionMode.ENFORCE:
            return "versions"
        if _LENIENCE[after.unlisted_versions] < _LENIENCE[before.unlisted_versions]:
            return "unlisted_versions"
    if after.max_devices is not None and (before.max_devices is None or after.max_devices < before.max_devices):
        return "max_devices"
    if _registers_none(after) and not _registers_none(before):
        return "auto_register"
    return None


def running(tx: Transaction, product: Product, since_ms: int) -> Steps[Mapping[str, int]]:
    """Return each version that ran lately with how many licenses ran it, the most used first."""
    return dict((yield from tx.versions.running(product.id, since_ms=since_ms))[:_CONSIDERED])


def called(tx: Transaction, product: Product, since_ms: int) -> Steps[Mapping[str, int]]:
    """Return what ran lately, and under an empty version the calls that named none."""
    ran = yield from running(tx, product, since_ms)
    return {**ran, "": (yield from tx.versions.licenses_on(product.id, [""], since_ms=since_ms))}


def licenses_on(tx: Transaction, product: Product, ran: Mapping[str, int], since_ms: int) -> Steps[int]:
    """Return how many licenses ran any of these versions; who ran several counts once."""
    if len(ran) <= 1:
        return sum(ran.values())
    return (yield from tx.versions.licenses_on(product.id, [*ran], since_ms=since_ms))


def licenses_each(
    tx: Transaction, product: Product, ran: Sequence[Mapping[str, int]], since_ms: int
) -> Steps[Sequence[int]]:
    """Return the same for each of these: in one go, since they can be hundreds."""
    pairs = [(version, number) for number, each in enumerate(ran) if len(each) > 1 for version in each]
    found = (yield from tx.versions.licenses_by_rule(product.id, pairs, since_ms=since_ms)) if pairs else {}
    return [found.get(number, 0) if len(each) > 1 else sum(each.values()) for number, each in enumerate(ran)]


def since(now_ms: int) -> int:
    """Return from when on what ran is counted."""
    return now_ms - RUNNING_DAYS * _DAY_MS


def _on_refused_versions(tx: Transaction, product: Product, after: ProductSettings, since_ms: int) -> Steps[int]:
    rules = [(rule.spec, rule.state) for rule in (yield from tx.versions.of(product.id))]
    old, new = (VersionList(rules, settings.unlisted_versions) for settings in (product.settings, after))
    was_enforced = product.settings.versions is VersionMode.ENFORCE
    ran = yield from called(tx, product, since_ms)
    refused = {
        version: count
        for version, count in ran.items()
        if not new.judge(version or None).allowed and (not was_enforced or old.judge(version or None).allowed)
    }
    return (yield from licenses_on(tx, product, refused, since_ms))


def _registers_none(settings: ProductSettings) -> bool:
    return settings.track_ip_on_validate and settings.auto_register is AutoRegister.OFF
