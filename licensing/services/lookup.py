"""How staff name a license: by its reference (`#12`) or by its whole key."""

import re

from licensing.errors import LicenseNotFound
from licensing.keys import tidy
from licensing.models import LicenseView
from licensing.ports import Search, Steps, Transaction, Vault

_REFERENCE = re.compile(r"#(\d{1,18})")


def find_license(tx: Transaction, vault: Vault, organization_id: int, text: str) -> Steps[LicenseView]:
    """Return the license that a text names.

    Raises: LicenseNotFound.
    """
    view = yield from seek_license(tx, vault, organization_id, text)
    if view is None:
        raise LicenseNotFound(text=text)
    return view


def seek_license(tx: Transaction, vault: Vault, organization_id: int, text: str) -> Steps[LicenseView | None]:
    """Return the license that a text names, or None where it names none."""
    named = _REFERENCE.fullmatch(text.strip())
    if named:
        return (yield from tx.licenses.view(organization_id, int(named[1])))
    return (yield from tx.licenses.find_by_key(organization_id, vault.digest(tidy(text))))


def meant_by(tx: Transaction, vault: Vault, organization_id: int, text: str) -> Steps[Search]:
    """Return a search for the one license that a text names, or for all that it fits where it names none."""
    named = (yield from seek_license(tx, vault, organization_id, text)) if text else None
    return Search(text=text) if named is None else Search(license_id=named.license.id)
