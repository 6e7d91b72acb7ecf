"""Whether the holder of a license may free its seats now, and from when on again.

The cooldown is the license's: it goes on whoever holds it. The yearly cap is the holder's: it counts what they freed
themselves, so that nobody pays for the resets of whoever had the license before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from licensing.choices import AutoRegister
from licensing.errors import (
    NoAddresses,
    ResetLocksOut,
    ResetNotUsable,
    ResetsOff,
    ResetsUsedUp,
    ResetTooSoon,
)
from licensing.lifecycle import is_usable
from licensing.models import LicenseView, ProductSettings

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS


class Hindrance(StrEnum):
    """Why a license cannot be reset by its holder now; of several, the one that lasts longest."""

    OFF = "off"
    NOT_USABLE = "not_usable"
    USED_UP = "used_up"
    TOO_SOON = "too_soon"
    LOCKS_OUT = "locks_out"
    NOTHING_TO_FREE = "nothing_to_free"


@dataclass(frozen=True, slots=True)
class Past:
    """The resets that holders made within the last year: the latest of anybody's, and the asker's own."""

    last_at_ms: int | None = None
    own_at_ms: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a license stands to a reset by its holder.

    `again_at_ms` is when time alone lets them reset it; `then_at_ms` the same after a reset now; `left` how many
    they have before such a reset, None for any number.
    """

    view: LicenseView
    hindrance: Hindrance | None
    again_at_ms: int
    then_at_ms: int
    left: int | None

    @property
    def after(self) -> LicenseView:
        """The license as a reset leaves it."""
        kept = self.view.addresses if keeps_addresses(self.view.product.settings) else ()
        return self.view.model_copy(update={"addresses": kept, "devices": ()})


def stand(view: LicenseView, past: Past, *, now_ms: int) -> Standing:
    """Return how a license stands to a reset by its holder."""
    settings, own = view.product.settings, _within_a_year(past.own_at_ms, now_ms)
    cap = settings.resets_per_year
    return Standing(
        view,
        _hindrance(view, past.last_at_ms, own, now_ms=now_ms),
        again_at_ms=_again(settings, past.last_at_ms, own),
        then_at_ms=_again(settings, now_ms, [now_ms, *own]),
        left=None if cap is None else max(0, cap - len(own)),
    )


def keeps_addresses(settings: ProductSettings) -> bool:
    """Tell whether a holder's reset leaves addresses alone: where none registers by itself, they could not return."""
    return settings.auto_register is AutoRegister.OFF


def refuse(standing: Standing) -> None:
    """Refuse a reset that something hinders.

    Raises: ResetsOff, ResetNotUsable, ResetsUsedUp, ResetTooSoon, ResetLocksOut, NoAddresses.
    """
    if standing.hindrance is not None:
        _refuse(standing, standing.hindrance)


def _refuse(standing: Standing, hindrance: Hindrance) -> NoReturn:
    product, at_s = standing.view.product, standing.again_at_ms // 1000
    match hindrance:
        case Hindrance.OFF:
            raise ResetsOff(product=product.name)
        case Hindrance.NOT_USABLE:
            raise ResetNotUsable
        case Hindrance.USED_UP:
            raise ResetsUsedUp(limit=product.settings.resets_per_year, at_s=at_s)
        case Hindrance.TOO_SOON:
            raise ResetTooSoon(at_s=at_s)
        case Hindrance.LOCKS_OUT:
            raise ResetLocksOut(product=product.name)
        case Hindrance.NOTHING_TO_FREE:
            raise NoAddresses


def _hindrance(view: LicenseView, last_at_ms: int | None, own: Sequence[int], *, now_ms: int) -> Hindrance | None:
    settings = view.product.settings
    if settings.reset_cooldown_days is None:
        return Hindrance.OFF
    if not is_usable(view.license, view.product, now_ms=now_ms):
        return Hindrance.NOT_USABLE
    if settings.resets_per_year is not None and len(own) >= settings.resets_per_year:
        return Hindrance.USED_UP
    if _again(settings, last_at_ms, own) > now_ms:
        return Hindrance.TOO_SOON
    if view.devices or (view.addresses and not keeps_addresses(settings)):
        return None
    return Hindrance.LOCKS_OUT if view.addresses else Hindrance.NOTHING_TO_FREE


def _again(settings: ProductSettings, last_at_ms: int | None, own: Sequence[int]) -> int:
    """Return from when on time hinders nothing, given the newest resets first."""
    cap, waits = settings.resets_per_year, [0]
    if last_at_ms is not None:
        waits.append(last_at_ms + (settings.reset_cooldown_days or 0) * DAY_MS)
    if cap is not None and len(own) >= cap:
        waits.append(own[cap - 1] + YEAR_MS)
    return max(waits)


def _within_a_year(own_at_ms: Sequence[int], now_ms: int) -> Sequence[int]:
    return sorted((at_ms for at_ms in own_at_ms if at_ms > now_ms - YEAR_MS), reverse=True)
