"""`/license edit`, `response`, `extend`, `suspend`, `reinstate`, `reset-ips`: what staff change about a license."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import completions, custom_responses, license_buttons, license_questions
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from i18n import N_
from licensing.choices import Permission
from licensing.models import MAX_IPS_LIMIT, NOTES_LIMIT
from licensing.services.changes import Edit
from licensing.versions import VERSION_LENGTH

TEXT = app_commands.Range[str, 1, 300]
REASON = app_commands.Range[str, 1, NOTES_LIMIT]
WHICH = N_("Part of its key, its holder, an email or a note")
END = app_commands.Range[str, 1, 100]
VERSIONS = app_commands.Range[str, 1, 3 * VERSION_LENGTH]


class LicenseChanges(commands.GroupCog, group_name="license"):
    """Acknowledges, asks the change service, shows before and after; part of `cogs.licenses.Licenses`."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    @app_commands.command(description=N_("Change a license's address limit, notes, end or version"))
    @app_commands.describe(
        license=WHICH,
        max_ips=N_("On how many addresses it may run; 0 is any number"),
        notes=N_("Something only staff see; - removes it"),
        expiry=N_("When it ends: 30d, 1y6mo, 2027-01-01, never"),
        version=N_("Which versions it may run: 1.4.0, >=2.1 <2.4, 1.x; - lets it run any"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_EDIT))
    async def edit(  # noqa: PLR0917 - an argument for each of the command's options
        self,
        interaction: Interaction,
        license: TEXT,  # noqa: A002 - the option's name
        max_ips: app_commands.Range[int, 0, MAX_IPS_LIMIT] | None = None,
        notes: REASON | None = None,
        expiry: END | None = None,
        version: VERSIONS | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        wanted = Edit(max_ips=max_ips, notes=_removable(notes), expiry=expiry, version=_removable(version))
        changed = await self._context.services.changes.edit(by, license, wanted)
        shown = await license_buttons.pinned_panel(interaction, changed)
        await interaction.followup.send(view=shown, ephemeral=True)

    @app_commands.command(description=N_("Set what a license's answers say besides: in a form, or by a JSON file"))
    @app_commands.describe(
        license=WHICH,
        file=N_("A JSON file in place of the form, which holds 4,000 characters"),
        clear=N_("Whether to leave it to the product's custom response alone"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_EDIT))
    async def response(
        self,
        interaction: Interaction,
        license: TEXT,  # noqa: A002 - the option's name
        file: discord.Attachment | None = None,
        clear: bool = False,  # noqa: FBT001, FBT002 - an option of the command
    ) -> None:
        if file is None and not clear:
            await license_buttons.ask_response(interaction, license)
            return
        await acknowledge(interaction)
        text = await custom_responses.text_of(file, clear=clear) if file else None
        await license_buttons.change_response(interaction, license, text)

    @app_commands.command(description=N_("Give a license more time"))
    @app_commands.describe(
        license=WHICH,
        duration=N_("Added to the end: 30d, 1y6mo; or a new end: 2027-01-01, never"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_EDIT))
    async def extend(self, interaction: Interaction, license: TEXT, duration: END) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        changed = await self._context.services.changes.extend(by, license, duration)
        await interaction.followup.send(view=license_buttons.changed_panel(interaction, changed), ephemeral=True)

    @app_commands.command(description=N_("Pause a license until somebody reinstates it; you are asked first"))
    @app_commands.describe(license=WHICH, reason=N_("Why; the holder is told"))
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_EDIT))
    async def suspend(self, interaction: Interaction, license: TEXT, reason: REASON | None = None) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        found = await self._context.services.changes.suspendable(by, license)
        question = license_questions.confirmation(interaction, found, "suspend", reason=reason)
        await interaction.followup.send(view=question, ephemeral=True)

    @app_commands.command(description=N_("End the suspension of a license"))
    @app_commands.describe(license=WHICH)
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_EDIT))
    async def reinstate(self, interaction: Interaction, license: TEXT) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        changed = await self._context.services.changes.reinstate(by, license)
        await interaction.followup.send(view=license_buttons.changed_panel(interaction, changed), ephemeral=True)

    @app_commands.command(
        name="reset-ips", description=N_("Forget a license's addresses and devices; you are asked first")
    )
    @app_commands.describe(license=WHICH)
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_RESET_IPS))
    async def reset_ips(self, interaction: Interaction, license: TEXT) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        found = await self._context.services.changes.resettable(by, license)
        question = license_questions.confirmation(interaction, found, "reset")
        await interaction.followup.send(view=question, ephemeral=True)


def _removable(typed: str | None) -> str | None:
    """Return what becomes of a text: only `-` removes it, blanks leave it as it is."""
    tidied = (typed or "").strip()
    return "" if tidied == "-" else tidied or None
