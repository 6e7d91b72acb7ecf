"""`keyport license …` and `keyport product list`: what they do and what they tell."""

from collections.abc import Awaitable, Callable

import typer

from bot.commands.operator import Desk, run_at_desk, tell
from bot.commands.options import Refused
from bot.commands.questions import agreed, answer, require
from bot.commands.words import license_line, minute, plain
from bot.config import Config
from i18n import gettext as _
from i18n import ngettext
from licensing import lifecycle
from licensing.models import LicenseView
from licensing.services.changes import Changed
from licensing.services.licenses import Issued
from licensing.services.terms import Terms
from licensing.verdict import license_status

_EVERY = 1_000_000


def issue(config: Config, terms: Terms, *, server: str | None, count: int) -> None:
    """Issue licenses; only their keys go to standard output, a line each."""
    if count > 1 and (terms.discord_id is not None or terms.email is not None):
        raise Refused(_("Several licenses at once have no holder; leave --member and --email out, or --count."))

    async def work(desk: Desk) -> None:
        issued: list[Issued] = []
        try:
            while len(issued) < count:
                issued.append(await desk.licenses.issue(desk.by, terms))
                typer.echo(issued[-1].key)
        except BaseException:
            _tell_cut_short(len(issued), count)
            raise
        tell(_issued(issued[-1], count, now_ms=desk.clock()))

    run_at_desk(config, server, work)


def suspend(config: Config, text: str, *, server: str | None, reason: str | None) -> None:
    """Pause a license."""
    _change(config, text, server, lambda desk, named: desk.changes.suspend(desk.by, named, reason=reason))


def reinstate(config: Config, text: str, *, server: str | None) -> None:
    """End a pause."""
    _change(config, text, server, lambda desk, named: desk.changes.reinstate(desk.by, named))


def revoke(config: Config, text: str, *, server: str | None, reason: str | None, ask: bool) -> None:
    """Ask, then end a license for good."""

    async def look(desk: Desk) -> tuple[LicenseView, int]:
        return await desk.licenses.revocable(desk.by, await _named(desk, text)), desk.clock()

    async def change(desk: Desk, named: str) -> Changed:
        return await desk.licenses.revoke(desk.by, named, reason=reason)

    if ask:
        # Asked between two short visits to the store, so that Ctrl-C ends the question at once.
        view, now_ms = run_at_desk(config, server, look)
        tell(_capitalized(license_line(view, now_ms=now_ms)))
        require(agreed(_("Revoke it for good?")))
    _change(config, text, server, change)


def restore(config: Config, text: str, *, server: str | None) -> None:
    """Ask twice, then take a revocation back."""

    async def look(desk: Desk) -> tuple[LicenseView, int]:
        view = await desk.licenses.view(desk.by, await _named(desk, text))
        lifecycle.check_restorable(view.license)  # refused before anything is asked
        return view, desk.clock()

    view, now_ms = run_at_desk(config, server, look)
    tell(_capitalized(license_line(view, now_ms=now_ms)))
    tell(_("It was revoked on {time}.").format(time=minute(view.license.revoked_at_ms or 0)))
    require(agreed(_("A revocation is meant to be final. Take this one back?")))
    require(answer(_("Type the license's number to confirm:")).lstrip("#") == str(view.license.id))
    _change(config, text, server, lambda desk, named: desk.changes.restore(desk.by, named))


def list_products(config: Config, *, server: str | None) -> None:
    """Show every product: its state, its licenses, its name."""

    async def work(desk: Desk) -> None:
        products = await desk.catalog.list(desk.by, limit=_EVERY)
        for product in products:
            held = (await desk.catalog.view(desk.by, name=product.name)).holders
            counted = ngettext("{count} license", "{count} licenses", held).format(count=held)
            typer.echo(f"{product.state:<8}  {counted:>14}  {plain(product.name)}")
        if not products:
            tell(_("There is no product yet; /product create in Discord makes one."))

    run_at_desk(config, server, work)


def _change(config: Config, text: str, server: str | None, change: Callable[[Desk, str], Awaitable[Changed]]) -> None:
    async def work(desk: Desk) -> None:
        changed = await change(desk, await _named(desk, text))
        now_ms = desk.clock()
        typer.echo(
            _("License #{id} of {product}: {before} → {after}").format(
                id=changed.after.license.id,
                product=plain(changed.after.product.name),
                before=_status(changed.before, now_ms),
                after=_status(changed.after, now_ms),
            )
        )

    run_at_desk(config, server, work)


async def _named(desk: Desk, text: str) -> str:
    """Return the one form in which every service knows the license that was typed."""
    return f"#{(await desk.find(text)).license.id}"


def _status(view: LicenseView, now_ms: int) -> str:
    return license_status(view.license, view.product, now_ms=now_ms)


def _issued(last: Issued, count: int, *, now_ms: int) -> str:
    if count > 1:
        text = _("{count} licenses of {product} were issued; whoever claims one first holds it.")
        return text.format(count=count, product=plain(last.view.product.name))
    text = _("Issued: {license}.").format(license=license_line(last.view, now_ms=now_ms))
    if last.view.customer is not None and last.view.customer.discord_id is not None:
        text += " " + _("The bot sends them the key as soon as it is connected.")
    return text


def _tell_cut_short(done: int, count: int) -> None:
    if done:
        tell(_("Only {done} of {count} licenses were issued.").format(done=done, count=count))


def _capitalized(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}."
