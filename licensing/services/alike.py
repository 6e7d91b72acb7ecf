"""One change of many licenses that are alike: the rule is asked once, of one license that stands for all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from licensing.bulk import Alike
from licensing.choices import LicenseState
from licensing.errors import Refusal
from licensing.events import Action, difference, happened, one_of_many
from licensing.models import Actor, License
from licensing.ports import Steps, Transaction
from licensing.services.handover import end_pending


@dataclass(frozen=True, slots=True)
class AlikeChange:
    """A rule of `lifecycle` that asks nothing of a license but its state, and what is told of it."""

    action: Action
    rule: Callable[[License, int], License]  # the license, and what time it is
    ends: bool  # whether the license has ended by it, and with it its pending transfer

    def allows(self, state: LicenseState) -> bool:
        """Tell whether licenses in a state can be changed so."""
        try:
            self.rule(_standing_for(state), 0)
        except Refusal:
            return False
        return True


def change_alike(
    tx: Transaction,
    by: Actor,
    alike: Alike,
    change: AlikeChange,
    *,
    now_ms: int,
    reason: str | None = None,
    told: bool | None = None,
) -> Steps[int]:
    """Change licenses that are alike, one event each, and return how many: none where the rule refuses.

    `told` is whether the holders of so many are told; None where these are but a few.
    """
    if not alike.count or not change.allows(alike.state):
        return 0
    before = _standing_for(alike.state)
    facts = difference(before, change.rule(before, now_ms))
    yield from tx.bulk.save(alike.ids, facts["after"], now_ms=now_ms)
    if change.ends:
        for organization_id, license_id in (yield from tx.bulk.changing_hands(alike.ids)):
            its_own = by.model_copy(update={"organization_id": organization_id})
            yield from end_pending(tx, its_own, license_id, now_ms=now_ms, told=told)
    event = happened(change.action, by=by, at_ms=now_ms, reason=reason, **facts)
    yield from tx.bulk.append(event if told is None else one_of_many(event, tell=told), alike.ids)
    return alike.count


def _standing_for(state: LicenseState) -> License:
    return License(id=0, organization_id=0, product_id=0, state=state, created_at_ms=0, updated_at_ms=0)
