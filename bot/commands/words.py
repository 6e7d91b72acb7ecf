"""Facts in words for a terminal: names without control characters, licenses in one line, times in UTC."""

from datetime import UTC, datetime

from i18n import gettext as _
from licensing.models import Customer, License, LicenseView
from licensing.verdict import license_status


def plain(text: str) -> str:
    """Return what somebody typed elsewhere so that it cannot steer a terminal."""
    return "".join(symbol if symbol.isprintable() else " " for symbol in text)


def license_line(view: LicenseView, *, now_ms: int) -> str:
    """Return a license in one line."""
    return _("license #{id} of {product}, held by {holder}, {status}, {end}").format(
        id=view.license.id,
        product=plain(view.product.name),
        holder=holder(view.customer),
        status=license_status(view.license, view.product, now_ms=now_ms),
        end=end(view.license),
    )


def holder(customer: Customer | None) -> str:
    """Return who holds a license."""
    if customer is None:
        return _("nobody yet")
    parts = (customer.name, customer.email, f"({customer.discord_id})" if customer.discord_id else None)
    return " ".join(plain(part) for part in parts if part)


def end(license_: License) -> str:
    """Return when a license ends."""
    if license_.duration is not None:
        return _("ends {duration} after its claim").format(duration=plain(license_.duration))
    if license_.expires_at_ms is None:
        return _("never ends")
    return _("ends {time}").format(time=minute(license_.expires_at_ms))


def minute(at_ms: int) -> str:
    """Return a time to the minute."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
