"""Why validations were refused, gathered in memory and written later.

A refusal has a code that its caller can pass on; the same refusal again has the same code, so a program that asks in
a loop fills neither memory nor disk.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import partial

from licensing.addresses import is_pseudonym
from licensing.keys import RandomBytes, make_support_code
from licensing.models import Product, RefusalRecord
from licensing.ports import Steps, Store, Transaction
from licensing.services.trails import DEVICE_LENGTH, VERSION_LENGTH, legible
from licensing.services.usage import written
from licensing.verdict import Call, Status, Step

HOUR_MS = 3_600_000
PER_LICENSE_AND_REASON = 10
UNKNOWN_KEYS = 1_000  # refusals of keys that no license has, per product and reason
MAX_REFUSALS = 5_000
MAX_CODES = 20_000  # that are remembered, to be given again

_BATCH = 250  # refusals of a transaction, each with its trace: more would keep a seat that is to be taken waiting

_Reason = tuple[int, int | None, Status, str | None, Hashable]


class RefusalLog:
    """Gives refusals their codes and gathers them with their traces."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._codes: dict[_Reason, tuple[str, int]] = {}
        self._reasons: dict[str, _Reason] = {}
        self._pending: dict[str, RefusalRecord] = {}
        self._again: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._codes) + len(self._pending) + len(self._again)

    def known(
        self,
        product_id: int,
        license_id: int | None,
        status: Status,
        call: Call,
        *,
        over: Hashable = None,
        now_ms: int,
    ) -> str | None:
        """Return the code of a refusal like this one within the hour, and count it; None if it is the first.

        `over` is what it was refused over: once that has changed, the trace that is kept is not true any more.
        """
        code, since_ms = self._codes.get((product_id, license_id, status, call.address, over), ("", 0))
        if not code or now_ms - since_ms >= HOUR_MS:
            return None
        again = self._again.get(code)
        if again is not None:
            again[0] += 1
            again[1] = now_ms
        elif len(self._again) < MAX_CODES:
            self._again[code] = [1, now_ms]
        return code

    def add(
        self,
        product: Product,
        license_id: int | None,
        status: Status,
        call: Call,
        steps: Sequence[Step],
        *,
        over: Hashable = None,
        now_ms: int,
    ) -> str:
        """Give a refusal a code, and remember why it was."""
        code = make_support_code(self._random_bytes)
        self._remember((product.id, license_id, status, call.address, over), code, now_ms)
        if len(self._pending) < MAX_REFUSALS:
            self._pending[code] = RefusalRecord.model_construct(
                code=code,
                organization_id=product.organization_id,
                product_id=product.id,
                license_id=license_id,
                status=status,
                address=call.address,
                device=legible(call.device_id or "", DEVICE_LENGTH) or None,
                version=legible(call.version or "", VERSION_LENGTH) or None,
                trace=_trace(steps, hidden=call.address is not None and is_pseudonym(call.address)),
                count=1,
                first_at_ms=now_ms,
                last_at_ms=now_ms,
            )
        return code

    async def flush(self, store: Store) -> None:
        """Write what came since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        again, self._again = self._again, {}
        fresh, self._pending = [_counted(it, again.pop(it.code, None)) for it in self._pending.values()], {}
        fresh, too_many = _within_caps(fresh)
        self._forget(too_many)
        counts = list(again.items())
        for start in range(0, max(len(fresh), len(counts)), _BATCH):
            end = start + _BATCH
            some, rest = slice(start, end), slice(end, None)
            work = partial(_write_refusals, fresh[some], counts[some])
            try:
                lost = await written(store.write(work), partial(self._keep_all, fresh[some], counts[some]))
            except BaseException:
                self._keep_all(fresh[rest], counts[rest])
                raise
            self._forget(lost)

    def _remember(self, reason: _Reason, code: str, now_ms: int) -> None:
        if reason in self._codes:
            self._forget([self._codes[reason][0]])
        elif len(self._codes) >= MAX_CODES:  # a flood: who had the oldest gets a new one when they ask again
            self._forget([next(iter(self._codes.values()))[0]])
        self._codes[reason] = (code, now_ms)
        self._reasons[code] = reason

    def _forget(self, codes: Iterable[str]) -> None:
        for code in codes:
            reason = self._reasons.pop(code, None)
            if reason is not None:
                self._codes.pop(reason, None)

    def _keep_all(self, fresh: Sequence[RefusalRecord], counts: Sequence[tuple[str, list[int]]]) -> None:
        room = max(0, MAX_REFUSALS - len(self._pending))
        self._pending = {refusal.code: refusal for refusal in fresh[:room]} | self._pending
        for code, (count, last_ms) in counts:
            more = self._again.get(code)
            if more is not None:
                more[0] += count
            elif len(self._again) < MAX_CODES:
                self._again[code] = [count, last_ms]


def _write_refusals(
    fresh: Sequence[RefusalRecord], counts: Sequence[tuple[str, list[int]]], tx: Transaction
) -> Steps[set[str]]:
    """Write refusals, and return codes that need not be given again, since the store does not keep them any more."""
    lost: set[str] = set()
    if fresh:
        lost |= yield from tx.history.add_refusals(fresh, keep=PER_LICENSE_AND_REASON, keep_unknown=UNKNOWN_KEYS)
    if counts:
        rows = [(code, count, last_ms) for code, (count, last_ms) in counts]
        lost |= {code for code, _ in counts} - (yield from tx.history.count_refusals(rows))
    return lost


def _within_caps(refusals: Sequence[RefusalRecord]) -> tuple[list[RefusalRecord], list[str]]:
    """Return the latest refusals that the store would keep, and the codes of those that it would drop at once."""
    counts: Counter[tuple[int, int, str]] = Counter()
    kept, dropped = [], []
    for refusal in reversed(refusals):
        known = refusal.license_id is not None
        group = (refusal.product_id, refusal.license_id or 0, refusal.status)
        counts[group] += 1
        if counts[group] <= (PER_LICENSE_AND_REASON if known else UNKNOWN_KEYS):
            kept.append(refusal)
        else:
            dropped.append(refusal.code)
    return kept[::-1], dropped


def _trace(steps: Sequence[Step], *, hidden: bool) -> str:
    """Return a trace as JSON; hidden, without the blacklist's entry, which can be the caller's own address."""
    lines = [
        {
            "check": step.check,
            "outcome": step.outcome,
            "status": step.status,
            "fact": {name: fact for name, fact in step.fact.items() if not (hidden and name == "network")},
        }
        for step in steps
    ]
    return json.dumps(lines)


def _counted(refusal: RefusalRecord, again: list[int] | None) -> RefusalRecord:
    if again is None:
        return refusal
    return refusal.model_copy(update={"count": refusal.count + again[0], "last_at_ms": again[1]})
