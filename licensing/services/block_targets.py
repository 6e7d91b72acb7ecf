"""For whom an address is blocked: how staff name them, and what that is on the blacklist."""

from dataclasses import dataclass

from licensing.choices import BlockLevel
from licensing.errors import CustomerNotFound
from licensing.input_errors import BlockAmbiguous
from licensing.models import PLATFORM, Actor, Customer
from licensing.ports import Steps, Transaction, Vault
from licensing.services.lookup import find_license


@dataclass(frozen=True, slots=True)
class Target:
    """For whom an address is blocked, named in one way; nobody named is everybody."""

    discord_id: int | None = None
    name: str | None = None  # which the member goes by, should they not be a customer yet
    email: str | None = None
    customer_id: int | None = None
    license: str | None = None  # its reference (`#12`) or its key


EVERYBODY = Target()


@dataclass(frozen=True, slots=True)
class Place:
    """A level and its target; a member who is no customer yet has the id 0."""

    level: BlockLevel
    target_id: int = 0
    customer: Customer | None = None
    product_id: int | None = None

    @property
    def target(self) -> Target:
        """The same named by ids alone."""
        if self.level is BlockLevel.LICENSE:
            return Target(license=f"#{self.target_id}")
        if self.level is BlockLevel.CUSTOMER and self.customer is not None:
            customer = self.customer
            return Target(customer_id=customer.id) if customer.id else Target(discord_id=customer.discord_id)
        return EVERYBODY


def place_of(tx: Transaction, vault: Vault, by: Actor, target: Target) -> Steps[Place]:
    """Return what a target is on the blacklist of the actor's organization.

    Raises: BlockAmbiguous, LicenseNotFound, CustomerNotFound.
    """
    ways = (target.discord_id, target.email, target.customer_id, target.license)
    if sum(way is not None for way in ways) > 1:
        raise BlockAmbiguous
    if target.license is not None:
        view = yield from find_license(tx, vault, by.organization_id, target.license)
        return Place(BlockLevel.LICENSE, view.license.id, view.customer, view.product.id)
    if by.organization_id == PLATFORM:
        return Place(BlockLevel.PLATFORM)
    if target == EVERYBODY:
        return Place(BlockLevel.ORGANIZATION)
    customer = yield from _customer(tx, by.organization_id, target)
    return Place(BlockLevel.CUSTOMER, customer.id, customer)


def settled(tx: Transaction, place: Place, now_ms: int) -> Steps[Place]:
    """Return a place whose member is a customer from now on: whoever is blocked need not hold anything yet."""
    if place.level is not BlockLevel.CUSTOMER or place.customer is None or place.target_id:
        return place
    customer = yield from tx.customers.insert(place.customer, now_ms=now_ms)
    return Place(place.level, customer.id, customer)


def _customer(tx: Transaction, organization_id: int, target: Target) -> Steps[Customer]:
    if target.discord_id is not None:
        found = yield from tx.customers.by_discord(organization_id, target.discord_id)
        new = Customer(id=0, organization_id=organization_id, discord_id=target.discord_id, name=target.name)
        return found or new
    if target.customer_id is not None:
        found = yield from tx.customers.get(organization_id, target.customer_id)
    else:
        found = yield from tx.customers.by_email(organization_id, (target.email or "").strip().lower())
    if found is None:
        raise CustomerNotFound(text=target.email or f"{target.customer_id}")
    return found
