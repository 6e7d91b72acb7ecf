"""Which Discord role a member should wear for their licenses, and which of them the bot itself gave."""

from dataclasses import dataclass

from licensing.models import HeldRole
from licensing.ports import Clock, Steps, Store, Transaction


@dataclass(frozen=True, slots=True)
class RoleNeed:
    """Whether a member is entitled to a role, and whether the bot gave it to them."""

    held: HeldRole
    entitled: bool
    given_by_bot: bool


class RoleService:
    """Decides about roles; whoever calls it tells Discord, and reports back what Discord did."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def needs(self, organization_id: int, product_id: int, customer_id: int) -> RoleNeed | None:
        """Return what a customer's role for a product should be; None where no role or member is involved."""
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[RoleNeed | None]:
            product = yield from tx.products.get(organization_id, product_id)
            customer = yield from tx.customers.get(organization_id, customer_id)
            role_id = product.settings.role_id if product else None
            if role_id is None or customer is None or customer.discord_id is None:
                return None
            held = HeldRole(organization_id=organization_id, discord_id=customer.discord_id, role_id=role_id)
            entitled = yield from tx.staff.entitled_role(organization_id, customer.discord_id, role_id, now_ms=now_ms)
            return RoleNeed(held, entitled, (yield from tx.staff.held_role(held)))

        return await self._store.read(work)

    async def of_member(self, organization_id: int, discord_id: int) -> list[RoleNeed]:
        """Return what every role that comes with a member's licenses should be."""
        views = await self._store.read(lambda tx: tx.licenses.held_by(organization_id, discord_id))
        pairs = {(view.product.id, view.license.customer_id or 0) for view in views if view.product.settings.role_id}
        needs = [await self.needs(organization_id, *pair) for pair in sorted(pairs)]
        return list({need.held: need for need in needs if need is not None}.values())

    async def gave(self, held: HeldRole) -> None:
        """Write down that the bot gave a role, so that it may take it back."""
        await self._store.write(lambda tx: tx.staff.add_held_role(held, now_ms=self._clock()))

    async def took(self, held: HeldRole) -> None:
        """Write down that the bot took a role back."""
        await self._store.write(lambda tx: tx.staff.remove_held_role(held))
