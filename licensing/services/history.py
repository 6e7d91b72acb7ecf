"""Shows people what validations left behind: how a license's last ones ended, and why a refused one was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from licensing.choices import AutoRegister, Permission
from licensing.errors import SupportCodeUnknown, TooManyWrongCodes
from licensing.keys import tidy
from licensing.models import Actor, Attempt, LicenseView, Product, ProductSettings, RefusalRecord
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.resets import Standing
from licensing.services.access import permissions_of, require
from licensing.services.lookup import find_license
from licensing.services.resets import standing_of
from licensing.throttle import Throttle
from licensing.verdict import Outcome, Status, Step

DAY_MS = 86_400_000
WRONG_CODES_AT_ONCE = 5
WRONG_CODE_PERIOD_MS = 60_000
OF_SEATS = frozenset({Status.IP_NOT_REGISTERED, Status.IP_LIMIT_REACHED, Status.DEVICE_LIMIT_REACHED})


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept, and for how long."""

    attempts_per_license: int = 50
    attempts_days: int = 30
    refusal_days: int = 30


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a validation was refused, and of which license; None where the key was nobody's.

    `for_staff` tells who asked: staff see all of it, the license's holder what concerns them. `standing` is there
    where the asker holds the license and freeing its seats could mend it.
    """

    refusal: RefusalRecord
    steps: Sequence[Step]
    product: Product
    view: LicenseView | None
    for_staff: bool
    standing: Standing | None = None

    @property
    def has_room(self) -> bool:
        """Whether a caller that has no seat of the kind that was missing would be given one now."""
        if self.view is None:
            return False
        if self.refusal.status == Status.DEVICE_LIMIT_REACHED:
            limit = self.product.settings.max_devices
            return limit is None or len(self.view.devices) < limit
        return _registers_another(self.view, self.product.settings)


class HistoryService:
    """Answers whoever may know; to everybody else there is nothing to know."""

    def __init__(self, store: Store, vault: Vault, *, keeping: Keeping, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._keeping = keeping
        self._clock = clock
        self._misses = Throttle(burst=WRONG_CODES_AT_ONCE, period_ms=WRONG_CODE_PERIOD_MS)

    async def attempts(self, by: Actor, text: str, *, limit: int = 10) -> Sequence[Attempt]:
        """Return how a license's last validations ended, the latest first.

        Raises: NotAllowed, LicenseNotFound.
        """
        since_ms = self._clock() - self._keeping.attempts_days * DAY_MS
        limit = min(limit, self._keeping.attempts_per_license)

        def work(tx: Transaction) -> Steps[Sequence[Attempt]]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            return (yield from tx.history.attempts(view.license.id, since_ms=since_ms, limit=limit))

        return await self._store.read(work)

    async def explain(self, by: Actor, code: str) -> Explanation:
        """Return why a validation was refused, to the license's holder and to staff who may see licenses.

        Raises: SupportCodeUnknown, for a code of somebody else's too; TooManyWrongCodes.
        """
        now_ms, member = self._clock(), (by.organization_id, by.id)
        wait_ms = self._misses.spend(member, now_ms=now_ms)
        if wait_ms:
            raise TooManyWrongCodes(seconds=-(-wait_ms // 1000))
        since_ms = now_ms - self._keeping.refusal_days * DAY_MS
        try:
            found = await self._store.read(lambda tx: _explain(tx, by, tidy_code(code), since_ms, now_ms))
        except SupportCodeUnknown:
            raise
        except BaseException:
            self._misses.refund(member)
            raise
        self._misses.refund(member)
        return found


def tidy_code(text: str) -> str:
    """Return a support code as it is kept, however it was typed."""
    plain = tidy(text)
    return f"{plain[:4]}-{plain[4:]}"


def _explain(tx: Transaction, by: Actor, code: str, since_ms: int, now_ms: int) -> Steps[Explanation]:
    refusal = yield from tx.history.refusal(by.organization_id, code)
    if refusal is None or refusal.last_at_ms < since_ms:
        raise SupportCodeUnknown
    view = None
    if refusal.license_id is not None:
        view = yield from tx.licenses.view(by.organization_id, refusal.license_id)
    for_staff = Permission.LICENSES_VIEW in (yield from permissions_of(tx, by))
    product = yield from tx.products.get(by.organization_id, refusal.product_id)
    if product is None or not (for_staff or _holds(by, view)):
        raise SupportCodeUnknown
    standing = None
    if view is not None and _holds(by, view) and refusal.status in OF_SEATS:
        standing = yield from standing_of(tx, by, view, now_ms=now_ms)
    return Explanation(refusal, _steps(refusal.trace), product, view, for_staff, standing)


def _registers_another(view: LicenseView, settings: ProductSettings) -> bool:
    taken, limit = len(view.addresses), view.license.max_ips
    if not settings.track_ip_on_validate:
        return True
    if settings.auto_register is not AutoRegister.UP_TO_MAX:
        return settings.auto_register is AutoRegister.FIRST and not taken
    return not limit or taken < limit  # 0 means no limit too


def _holds(by: Actor, view: LicenseView | None) -> bool:
    customer = view.customer if view else None
    return customer is not None and by.id is not None and customer.discord_id == by.id


def _steps(trace: str) -> Sequence[Step]:
    return [
        Step(
            line["check"], Outcome(line["outcome"]), Status(line["status"]) if line["status"] else None, line["fact"]
        )
        for line in json.loads(trace)
    ]
