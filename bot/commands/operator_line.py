"""The operator's hand as typer sees it: names, arguments and help of `license`, `product` and `export`."""
# ruff: noqa: PLC0415 - the help must not wait for what a command needs

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.options import ConfigPath, Format, Refused, group, settings
from i18n import gettext as _

License = Annotated[
    str, typer.Argument(metavar="LICENSE", help=_("Its number, such as 12 or '#12', or its whole key."))
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="NAME", help=_("The Discord server, by name or id; needed if there are several.")
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", help=_("Why; it is kept with the license's history."))]
Product = Annotated[str, typer.Argument(metavar="PRODUCT", help=_("The product's name."))]
OfProduct = Annotated[str | None, typer.Option("--product", metavar="PRODUCT", help=_("Licenses of this one alone."))]
Member = Annotated[
    str | None, typer.Option("--member", metavar="ID", help=_("The holder's Discord id; nobody makes stock."))
]
Email = Annotated[str | None, typer.Option("--email", help=_("The holder's email address."))]
Expiry = Annotated[
    str | None, typer.Option("--expiry", help=_("Such as 30d, 1y6mo, 2027-01-01 or never; else the product's own."))
]
MaxIps = Annotated[
    int | None, typer.Option("--max-ips", help=_("How many addresses; 0 for any number; else the product's own."))
]
Notes = Annotated[str | None, typer.Option("--notes", help=_("What staff shall know about it."))]
Count = Annotated[
    int, typer.Option("--count", min=1, max=1_000, help=_("So many at once, without a holder; a key a line."))
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]
File = Annotated[
    Path | None, typer.Argument(metavar="TARGET", help=_("The new file to write; standard output if left out."))
]
Form = Annotated[Format | None, typer.Option("--format", help=_("csv or json; else as the file's name ends."))]

_FIRST_SNOWFLAKE = 10**14  # Discord counts from 2015, and its first ids have fifteen digits already


def add_to(line: typer.Typer) -> None:
    """Add the commands that do by hand what staff do in Discord."""
    licenses = group(_("Issue, suspend, reinstate, revoke and restore licenses, without Discord."))
    licenses.command("issue", help=_("Issue a license and print its key."))(_issue)
    licenses.command("suspend", help=_("Pause a license."))(_suspend)
    licenses.command("reinstate", help=_("End a license's pause."))(_reinstate)
    licenses.command("revoke", help=_("End a license for good."))(_revoke)
    licenses.command("restore", help=_("Take a revocation back, which nobody in Discord can; asks twice."))(_restore)
    products = group(_("See the products there are."))
    products.command("list", help=_("List every product, with its state and its licenses."))(_list_products)
    products.callback()(_remember_nothing)
    line.add_typer(licenses, name="license")
    line.add_typer(products, name="product")
    line.command("export", help=_("Write every license with its whole key as CSV or JSON."))(_export)


def _remember_nothing() -> None:
    """Make a group of what would be one command."""


def _issue(
    context: typer.Context,
    product: Product,
    *,
    member: Member = None,
    email: Email = None,
    expiry: Expiry = None,
    max_ips: MaxIps = None,
    notes: Notes = None,
    count: Count = 1,
    server: Server = None,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses
    from licensing.services.terms import Terms

    terms = Terms(product, _discord_id(member), email=email, expiry=expiry, max_ips=max_ips, notes=notes)
    licenses.issue(loaded, terms, server=server, count=count)


def _suspend(
    context: typer.Context,
    license_: License,
    *,
    reason: Reason = None,
    server: Server = None,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses

    licenses.suspend(loaded, license_, server=server, reason=reason)


def _reinstate(
    context: typer.Context, license_: License, *, server: Server = None, config: ConfigPath = None
) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses

    licenses.reinstate(loaded, license_, server=server)


def _revoke(
    context: typer.Context,
    license_: License,
    *,
    reason: Reason = None,
    yes: Yes = False,
    server: Server = None,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses

    licenses.revoke(loaded, license_, server=server, reason=reason, ask=not yes)


def _restore(context: typer.Context, license_: License, *, server: Server = None, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses

    licenses.restore(loaded, license_, server=server)


def _list_products(context: typer.Context, *, server: Server = None, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import licenses

    licenses.list_products(loaded, server=server)


def _export(
    context: typer.Context,
    target: File = None,
    *,
    form: Form = None,
    product: OfProduct = None,
    server: Server = None,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import exporting

    exporting.export(loaded, target, server=server, product=product, form=form)


def _discord_id(text: str | None) -> int | None:
    """Return the number that Discord gave a person.

    Raises: Refused.
    """
    if text is None:
        return None
    digits = text.strip().removeprefix("<@").removesuffix(">")
    if not (digits.isascii() and digits.isdecimal()) or not _FIRST_SNOWFLAKE < int(digits) < 1 << 63:
        raise Refused(
            _("A member is named by their Discord id, a number such as 80351110224678912; copy it in Discord with "
              "Developer Mode on.")
        )  # fmt: skip
    return int(digits)
