"""What validations leave behind for people: how a license's last ones ended, and why each refused one was.

Both are gathered in memory and written behind. A refusal has a code that its caller can pass on; the same refusal
again has the same code, so a program that asks in a loop fills neither memory nor disk.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from licensing.choices import Permission
from licensing.errors import SupportCodeUnknown
from licensing.keys import RandomBytes, make_support_code
from licensing.models import Actor, Attempt, LicenseView, Product, RefusalRecord
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import permissions_of, require
from licensing.services.lookup import find_license
from licensing.services.usage import written
from licensing.verdict import Call, Status, Step

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PER_LICENSE_AND_REASON = 10
UNKNOWN_KEYS = 1_000  # refusals of keys that no license has, per product and reason

_MAX_PENDING = 50_000
_VERSION_LENGTH, _DEVICE_LENGTH = 64, 128


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept, and for how long."""

    attempts_per_license: int = 50
    attempts_days: int = 30
    refusal_days: int = 30


class AttemptLog:
    """Gathers validations of licenses; those that are alike are one row with a count."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._pending: dict[tuple[int, str, str | None, str | None, str | None], list[int]] = {}

    def note(self, license_id: int, status: Status, call: Call, *, now_ms: int) -> None:
        """Remember how a validation ended; what comes too thick to be written is left out."""
        device, version = call.device_id, call.version
        if device is not None and len(device) > _DEVICE_LENGTH:
            device = device[:_DEVICE_LENGTH]
        if version is not None and len(version) > _VERSION_LENGTH:
            version = version[:_VERSION_LENGTH]
        key = (license_id, status, call.address, device, version)
        seen = self._pending.get(key)
        if seen is not None:
            seen[0] += 1
            seen[2] = now_ms
        elif len(self._pending) < _MAX_PENDING and self._keep:
            self._pending[key] = [1, now_ms, now_ms]

    async def flush(self, store: Store) -> None:
        """Write what came since the last flush; if the store is away it is lost, for it is a convenience.

        Raises: Unavailable.
        """
        pending, self._pending = self._pending, {}
        if not pending:
            return
        attempts = [
            Attempt.model_construct(
                license_id=license_id,
                status=status,
                address=address,
                device=device,
                version=version,
                count=count,
                first_at_ms=first,
                last_at_ms=last,
            )
            for (license_id, status, address, device, version), (count, first, last) in pending.items()
        ]
        await store.write(lambda tx: tx.history.add_attempts(attempts, keep=self._keep))


class RefusalLog:
    """Gives refusals their codes and gathers them with their traces."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._codes: dict[tuple[int, int | None, Status, str | None], tuple[str, int]] = {}
        self._pending: dict[str, RefusalRecord] = {}
        self._again: dict[str, list[int]] = {}

    def known(
        self, product_id: int, license_id: int | None, status: Status, call: Call, *, now_ms: int
    ) -> str | None:
        """Return the code of a refusal like this one within the hour, and count it; None if it is the first."""
        code, since_ms = self._codes.get((product_id, license_id, status, call.address), ("", 0))
        if not code or now_ms - since_ms >= HOUR_MS:
            return None
        again = self._again.setdefault(code, [0, now_ms])
        again[0] += 1
        again[1] = now_ms
        return code

    def add(
        self,
        product: Product,
        license_id: int | None,
        status: Status,
        call: Call,
        steps: Sequence[Step],
        *,
        now_ms: int,
    ) -> str:
        """Give a refusal a code, and remember why it was."""
        code = make_support_code(self._random_bytes)
        if len(self._codes) >= _MAX_PENDING:
            self._codes.clear()  # a flood of addresses: codes are made anew, and the store keeps few of them
        self._codes[product.id, license_id, status, call.address] = (code, now_ms)
        if len(self._pending) < _MAX_PENDING:
            self._pending[code] = RefusalRecord(
                code=code,
                organization_id=product.organization_id,
                product_id=product.id,
                license_id=license_id,
                status=status,
                address=call.address,
                device=(call.device_id or "")[:_DEVICE_LENGTH] or None,
                version=(call.version or "")[:_VERSION_LENGTH] or None,
                trace=json.dumps([_line(step) for step in steps], ensure_ascii=True),
                first_at_ms=now_ms,
                last_at_ms=now_ms,
            )
        return code

    async def flush(self, store: Store) -> None:
        """Write what came since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        again, self._again = self._again, {}
        pending, self._pending = self._pending, {}
        fresh = [_counted(refusal, again.pop(refusal.code, None)) for refusal in pending.values()]
        if not fresh and not again:
            return

        def keep() -> None:
            self._pending = {refusal.code: refusal for refusal in fresh} | self._pending
            for code, (count, last_ms) in again.items():
                more = self._again.setdefault(code, [0, last_ms])
                more[0] += count

        def work(tx: Transaction) -> Steps[None]:
            if fresh:
                yield from tx.history.add_refusals(fresh, keep=PER_LICENSE_AND_REASON, keep_unknown=UNKNOWN_KEYS)
            if again:
                yield from tx.history.count_refusals(
                    [(code, count, last_ms) for code, (count, last_ms) in again.items()]
                )

        await written(store.write(work), keep)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a validation was refused, and of which license; None where the key was nobody's."""

    refusal: RefusalRecord
    steps: Sequence[Step]
    product: Product
    view: LicenseView | None


class HistoryService:
    """Shows staff and holders what validations left behind."""

    def __init__(self, store: Store, vault: Vault, *, keeping: Keeping, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._keeping = keeping
        self._clock = clock

    async def attempts(self, by: Actor, text: str, *, limit: int = 10) -> Sequence[Attempt]:
        """Return how a license's last validations ended, the latest first.

        Raises: NotAllowed, LicenseNotFound.
        """
        since_ms = self._clock() - self._keeping.attempts_days * DAY_MS

        def work(tx: Transaction) -> Steps[Sequence[Attempt]]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            return (yield from tx.history.attempts(view.license.id, since_ms=since_ms, limit=limit))

        return await self._store.read(work)

    async def explain(self, by: Actor, code: str) -> Explanation:
        """Return why a validation was refused, to the license's holder and to staff who may see licenses.

        Raises: SupportCodeUnknown, for a code of somebody else's too.
        """
        tidied = tidy_code(code)

        def work(tx: Transaction) -> Steps[Explanation]:
            refusal = yield from tx.history.refusal(by.organization_id, tidied)
            if refusal is None:
                raise SupportCodeUnknown
            view = None
            if refusal.license_id is not None:
                view = yield from tx.licenses.view(by.organization_id, refusal.license_id)
            if not _holds(by, view) and Permission.LICENSES_VIEW not in (yield from permissions_of(tx, by)):
                raise SupportCodeUnknown
            product = yield from tx.products.get(by.organization_id, refusal.product_id)
            if product is None:
                raise SupportCodeUnknown
            return Explanation(refusal, _steps(refusal.trace), product, view)

        return await self._store.read(work)


def tidy_code(text: str) -> str:
    """Return a support code as it is kept, however it was typed."""
    plain = "".join(text.split()).replace("-", "").upper()
    return f"{plain[:4]}-{plain[4:]}"


def _holds(by: Actor, view: LicenseView | None) -> bool:
    customer = view.customer if view else None
    return customer is not None and by.id is not None and customer.discord_id == by.id


def _line(step: Step) -> dict[str, object]:
    return {"check": step.check, "outcome": step.outcome, "status": step.status, "fact": dict(step.fact)}


def _steps(trace: str) -> Sequence[Step]:
    return [
        Step(line["check"], line["outcome"], line["status"] and Status(line["status"]), line["fact"])
        for line in json.loads(trace)
    ]


def _counted(refusal: RefusalRecord, again: list[int] | None) -> RefusalRecord:
    if again is None:
        return refusal
    return refusal.model_copy(update={"count": refusal.count + again[0], "last_at_ms": again[1]})
