"""On what terms a license is issued, and to whom."""

import re
from dataclasses import dataclass

from licensing.choices import DurationFrom
from licensing.expiry import parse_expiry
from licensing.input_errors import EmailInvalid, HolderAmbiguous, MaxIpsInvalid, NotesTooLong
from licensing.models import MAX_IPS_LIMIT, NOTES_LIMIT, Customer, License, Product
from licensing.ports import Steps, Transaction

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_EMAIL_LIMIT = 254


@dataclass(frozen=True, slots=True)
class Terms:
    """What staff type when they issue a license; nobody named makes stock."""

    product: str
    discord_id: int | None = None
    holder_name: str | None = None
    email: str | None = None
    expiry: str | None = None
    max_ips: int | None = None
    notes: str | None = None


def check_terms(terms: Terms) -> None:
    """Refuse terms that no product could be issued on.

    Raises: HolderAmbiguous, EmailInvalid, MaxIpsInvalid, NotesTooLong.
    """
    if terms.discord_id is not None and terms.email is not None:
        raise HolderAmbiguous
    if terms.email is not None and (len(terms.email) > _EMAIL_LIMIT or not _EMAIL.fullmatch(terms.email)):
        raise EmailInvalid(text=terms.email)
    if terms.max_ips is not None and not 0 <= terms.max_ips <= MAX_IPS_LIMIT:
        raise MaxIpsInvalid(limit=MAX_IPS_LIMIT)
    if terms.notes is not None and len(terms.notes) > NOTES_LIMIT:
        raise NotesTooLong(limit=NOTES_LIMIT)


def checked_reason(reason: str | None) -> str | None:
    """Return a reason as it is kept, a blank one being none.

    Raises: NotesTooLong.
    """
    if reason is not None and len(reason) > NOTES_LIMIT:
        raise NotesTooLong(limit=NOTES_LIMIT)
    return (reason or "").strip() or None


def draft_of(product: Product, customer: Customer | None, terms: Terms, *, now_ms: int) -> License:
    """Return the license that these terms make, without an id yet.

    Raises: ExpiryInvalid and its kin.
    """
    max_ips = product.settings.default_max_ips if terms.max_ips is None else terms.max_ips
    waits = _counts_from_claim(product, customer, terms)
    lasting = terms.expiry if terms.expiry is not None else product.settings.default_duration
    return License(
        id=0,
        organization_id=product.organization_id,
        product_id=product.id,
        customer_id=customer.id if customer else None,
        expires_at_ms=None if waits or lasting is None else parse_expiry(lasting, now_ms=now_ms),
        duration=lasting if waits else None,
        max_ips=max_ips or None,
        notes=(terms.notes or "").strip() or None,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _counts_from_claim(product: Product, customer: Customer | None, terms: Terms) -> bool:
    """Tell whether the product's default duration waits for the claim: only of stock, which works from then on."""
    by_default = terms.expiry is None and product.settings.default_duration is not None
    return customer is None and by_default and product.settings.duration_from is DurationFrom.CLAIM


def find_or_add_holder(tx: Transaction, organization_id: int, terms: Terms, now_ms: int) -> Steps[Customer | None]:
    """Return the customer whom these terms name; None for stock."""
    if terms.discord_id is not None:
        return (
            yield from member_as_customer(
                tx, organization_id, terms.discord_id, name=terms.holder_name, now_ms=now_ms
            )
        )
    if terms.email is None:
        return None
    email = terms.email.lower()
    found = yield from tx.customers.by_email(organization_id, email)
    new = Customer(id=0, organization_id=organization_id, email=email)
    return found or (yield from tx.customers.insert(new, now_ms=now_ms))


def member_as_customer(
    tx: Transaction, organization_id: int, discord_id: int, *, name: str | None, now_ms: int
) -> Steps[Customer]:
    """Return the customer that a member is, added at need, under the name they go by now."""
    found = yield from tx.customers.by_discord(organization_id, discord_id)
    if found is None:
        new = Customer(id=0, organization_id=organization_id, discord_id=discord_id, name=name)
        return (yield from tx.customers.insert(new, now_ms=now_ms))
    if name is None or found.name == name:
        return found
    renamed = found.model_copy(update={"name": name})
    yield from tx.customers.save(renamed, now_ms=now_ms)
    return renamed
