"""`/license`: what staff do with licenses."""

import discord
from discord import app_commands

from cogs import bulk_issue, completions, find_buttons, license_buttons, license_questions
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.issue_answers import IssueAnswers, Waits
from cogs.license_changes import TEXT, WHICH, LicenseChanges
from cogs.options import check_holder, parse_address
from cogs.ui import layouts
from i18n import N_
from i18n import gettext as _
from licensing.choices import Permission, ProductState
from licensing.models import MAX_IPS_LIMIT, NOTES_LIMIT
from licensing.services.licenses import Issued
from licensing.services.terms import Terms
from licensing.verdict import Call, Status


@app_commands.guild_only()
@app_commands.default_permissions(manage_messages=True)
class Licenses(
    LicenseChanges,
    group_name="license",
    group_description=N_("Issue, find, check, change and revoke licenses"),
):
    """Acknowledges, asks the license service, shows."""

    def __init__(self, context: Context, waits: Waits | None = None) -> None:
        super().__init__(context)
        self._licenses = context.services.licenses
        self._answers = IssueAnswers(context.outbox, waits or Waits())

    async def cog_unload(self) -> None:
        await self._answers.close()

    @app_commands.command(description=N_("Issue a license to a member, an email address, or nobody yet"))
    @app_commands.describe(
        product=N_("What the license is for"),
        member=N_("Who gets it; they are sent the key"),
        email=N_("Whom it is for, if they are not in this server"),
        expiry=N_("When it ends: 30d, 1y6mo, 2027-01-01, never; left out: as the product says"),
        max_ips=N_("On how many addresses it may run; 0 is any number"),
        notes=N_("Something only staff see"),
        count=N_("How many, 1 if left out; a member is told nothing of several, and above 10 the keys are a file"),
    )
    @app_commands.autocomplete(product=completions.product(Permission.LICENSES_CREATE, ProductState.ACTIVE))
    async def issue(  # noqa: PLR0917 - an argument for each of the command's options
        self,
        interaction: Interaction,
        product: TEXT,
        member: discord.User | None = None,
        email: app_commands.Range[str, 1, 300] | None = None,
        expiry: app_commands.Range[str, 1, 100] | None = None,
        max_ips: app_commands.Range[int, 0, MAX_IPS_LIMIT] | None = None,
        notes: app_commands.Range[str, 1, NOTES_LIMIT] | None = None,
        count: app_commands.Range[int, 1, bulk_issue.MOST] = 1,
    ) -> None:
        by = await acknowledge(interaction)
        check_holder(member)
        terms = Terms(
            product=product,
            discord_id=member.id if member else None,
            holder_name=member.display_name if member else None,
            email=email,
            expiry=expiry,
            max_ips=max_ips,
            notes=notes,
        )
        if count > 1:
            await bulk_issue.issue_many(interaction, by, terms, count)
            return
        issued = await self._licenses.issue(by, terms)
        told, note = member is not None, _default_end(issued, terms)
        await self._answers.show(interaction, issued, told=told, note=note)

    @app_commands.command(description=N_("Show a license: its state, holder, expiry and addresses"))
    @app_commands.describe(license=WHICH)
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_VIEW))
    async def view(self, interaction: Interaction, license: TEXT) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        found = await self._licenses.view(by, license)
        await interaction.followup.send(view=license_buttons.panel(interaction, found), ephemeral=True)

    @app_commands.command(description=N_("Revoke a license for good; you are asked first"))
    @app_commands.describe(
        license=WHICH,
        reason=N_("Why; the holder is told"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_REVOKE))
    async def revoke(
        self,
        interaction: Interaction,
        license: TEXT,  # noqa: A002 - the option's name
        reason: app_commands.Range[str, 1, NOTES_LIMIT] | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        found = await self._licenses.revocable(by, license)
        question = license_questions.confirmation(interaction, found, "revoke", reason=reason)
        await interaction.followup.send(view=question, ephemeral=True)

    @app_commands.command(description=N_("Find licenses, page by page, and take them away as a file"))
    @app_commands.describe(
        text=N_("Start of a key, or of words in a name, an email or a note; or a Discord ID"),
        product=N_("Only licenses of this product"),
        status=N_("Only licenses in this state"),
    )
    @app_commands.autocomplete(product=completions.product(Permission.LICENSES_VIEW))
    @app_commands.choices(status=completions.STATUSES)
    async def find(
        self,
        interaction: Interaction,
        text: TEXT | None = None,
        product: TEXT | None = None,
        status: str | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        product_id = await self._context.services.finder.product_id(by, product) if product else 0
        sought = find_buttons.Sought((text or "").strip(), Status(status) if status else None, product_id)
        await interaction.followup.send(view=await find_buttons.results(interaction, by, sought), ephemeral=True)

    @app_commands.command(description=N_("Show what a validation would answer, check by check; changes nothing"))
    @app_commands.describe(
        license=WHICH,
        address=N_("The IP address the call would come from"),
        version=N_("The version it would name"),
        device=N_("The device it would name"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_VIEW))
    async def check(
        self,
        interaction: Interaction,
        license: TEXT,  # noqa: A002 - the option's name
        address: app_commands.Range[str, 1, 100] | None = None,
        version: app_commands.Range[str, 1, 100] | None = None,
        device: app_commands.Range[str, 1, 256] | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        counting, ip = self._context.counting, parse_address(address)
        place, named = counting.address(ip) if ip else None, counting.device(device)
        call = Call("", place, version, named, ip)
        checked = await self._licenses.check(by, license, call)
        typed = {place or "": str(ip), named or "": device or ""}
        panel = layouts.check_panel(checked, self._licenses.key_tail(checked.view), typed=typed)
        await interaction.followup.send(view=panel, ephemeral=True)


def _default_end(issued: Issued, terms: Terms) -> str:
    """Say where the end comes from when nobody typed one."""
    if terms.expiry is not None or issued.view.product.settings.default_duration is None:
        return ""
    return "\n" + _("The end comes from the product's default duration.")
