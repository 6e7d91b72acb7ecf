"""What issuing one license and issuing many have in common: who may, on what terms, and what is told of it."""

from licensing.choices import Permission, ProductState
from licensing.errors import ProductNotSold
from licensing.events import Action, Event, about, happened
from licensing.expiry import parse_expiry
from licensing.keys import PREFIX_LENGTH, tidy
from licensing.models import Actor, License, Product, SealedKey
from licensing.ports import Steps, Transaction, Vault
from licensing.services.access import require
from licensing.services.catalog import find_product
from licensing.services.organizations import Plans, require_room
from licensing.services.terms import Terms, check_terms, draft_of, find_or_add_holder


def refuse_bad_terms(terms: Terms, *, now_ms: int) -> None:
    """Refuse terms that no product could be issued on, before anything is asked of the store.

    Raises: HolderAmbiguous, EmailInvalid, ExpiryInvalid and its kin, MaxIpsInvalid, NotesTooLong.
    """
    check_terms(terms)
    if terms.expiry is not None:
        parse_expiry(terms.expiry, now_ms=now_ms)


def sold_product(tx: Transaction, plans: Plans, by: Actor, terms: Terms, *, count: int) -> Steps[Product]:
    """Return the product of which so many licenses may be issued now.

    Raises: NotAllowed, ProductNotFound, ProductNotSold, LimitReached.
    """
    yield from require(tx, by, Permission.LICENSES_CREATE)
    product = yield from find_product(tx, by.organization_id, terms.product)
    if product.state is not ProductState.ACTIVE:
        raise ProductNotSold(name=product.name, state=product.state)
    plan = yield from plans.of(tx, by.organization_id)
    if plan.licenses is not None:
        taken = yield from tx.licenses.count(by.organization_id)
        require_room(plan.licenses, taken, what="licenses", asked=count)
    return product


def drafted(tx: Transaction, product: Product, terms: Terms, *, now_ms: int) -> Steps[License]:
    """Return the license that these terms make, its holder added at need.

    Raises: ExpiryInvalid and its kin.
    """
    customer = yield from find_or_add_holder(tx, product.organization_id, terms, now_ms)
    return draft_of(product, customer, terms, now_ms=now_ms)


def issued(license_: License, by: Actor, *, now_ms: int) -> Event:
    """Return the event that tells of a new license."""
    after = license_.model_dump(mode="json", include={"expires_at_ms", "max_ips", "notes"})
    return happened(Action.LICENSE_CREATED, by=by, at_ms=now_ms, after=after, **about(license_))


def sealed(vault: Vault, key: str) -> SealedKey:
    """Return a key as it is kept."""
    tidied = tidy(key)
    return vault.seal(key, digest=vault.digest(tidied), prefix=tidied[:PREFIX_LENGTH])
