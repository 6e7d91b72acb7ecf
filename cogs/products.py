"""`/product`: what staff do with products and their API keys."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import completions, custom_responses, product_buttons, product_signing, settings_buttons
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.options import check_assignable, parse_grace_minutes
from cogs.product_keys import ProductKeys
from cogs.product_versions import ProductVersions
from cogs.ui import layouts, switches, words
from i18n import N_
from i18n import gettext as _
from licensing.choices import Permission, ProductState
from licensing.models import MAX_IPS_LIMIT, PRODUCT_NAME_LIMIT, ProductSettings

LISTED = 50

_NAME = app_commands.Range[str, 1, 300]


@app_commands.guild_only()
@app_commands.default_permissions(manage_messages=True)
class Products(
    commands.GroupCog,
    group_name="product",
    group_description=N_("Create, look at and change products, rotate their keys"),
):
    """Acknowledges, asks the catalog service, shows; each group below it is a module of its own."""

    version = ProductVersions()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._catalog = context.services.catalog
        self._clock = context.clock

    @app_commands.command(description=N_("Create a product and show its API key once"))
    @app_commands.describe(
        name=N_("What it is called"),
        role=N_("The role that its license holders are given"),
        max_ips=N_("On how many addresses a license may run unless it says otherwise; 0 is any number"),
        enforce_expiry=N_("Whether expired licenses are refused; yes unless you say no"),
    )
    async def create(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, PRODUCT_NAME_LIMIT],
        role: discord.Role | None = None,
        max_ips: app_commands.Range[int, 0, MAX_IPS_LIMIT] | None = None,
        enforce_expiry: bool = True,  # noqa: FBT001, FBT002 - an option of the command
    ) -> None:
        by = await acknowledge(interaction)
        if role is not None:
            check_assignable(role, interaction.user)
        settings = ProductSettings(
            enforce_expiry=enforce_expiry,
            default_max_ips=max_ips or None,
            role_id=role.id if role else None,
        )
        new = await self._catalog.create(by, name=name, settings=settings)
        lead = _("**{product}** is created.").format(product=words.plain(new.product.name))
        await interaction.followup.send(lead, ephemeral=True)
        await product_buttons.show_api_key(interaction, new)

    @app_commands.command(description=N_("List the products of this server"))
    @app_commands.describe(starting=N_("How the name starts"))
    async def list(self, interaction: Interaction, starting: _NAME | None = None) -> None:
        by = await acknowledge(interaction)
        found = await self._catalog.list(by, starting=starting or "", limit=LISTED + 1)
        panel = layouts.product_list(found[:LISTED], more=len(found) > LISTED)
        await interaction.followup.send(view=panel, ephemeral=True)

    @app_commands.command(description=N_("Show a product: its switches, keys and how many licenses it has"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_VIEW))
    async def view(self, interaction: Interaction, product: _NAME) -> None:
        by = await acknowledge(interaction)
        found = await self._catalog.view(by, name=product)
        panel = layouts.product_panel(found, switches=switches.lines(found.product.settings))
        await interaction.followup.send(view=panel, ephemeral=True)

    @app_commands.command(description=N_("Change a product's switches"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def settings(self, interaction: Interaction, product: _NAME) -> None:
        by = await acknowledge(interaction)
        found = await self._catalog.changeable(by, product)
        await interaction.followup.send(view=settings_buttons.panel(interaction, found.product), ephemeral=True)

    @app_commands.command(description=N_("Set what a product's answers say besides: in a form, or by a JSON file"))
    @app_commands.describe(
        product=N_("Which product"),
        file=N_("A JSON file in place of the form, which holds 4,000 characters"),
        clear=N_("Whether to take the custom response away"),
    )
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def response(
        self,
        interaction: Interaction,
        product: _NAME,
        file: discord.Attachment | None = None,
        clear: bool = False,  # noqa: FBT001, FBT002 - an option of the command
    ) -> None:
        if file is None and not clear:
            await custom_responses.ask_product(interaction, product)
            return
        await acknowledge(interaction)
        text = await custom_responses.text_of(file, clear=clear) if file else None
        await custom_responses.change_product(interaction, product, text)

    @app_commands.command(description=N_("Retire a product: it is kept, and validates no more; you are asked first"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def archive(self, interaction: Interaction, product: _NAME) -> None:
        await self._ask(interaction, product, ProductState.ARCHIVED)

    @app_commands.command(description=N_("Bring an archived product back"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT, ProductState.ARCHIVED))
    async def unarchive(self, interaction: Interaction, product: _NAME) -> None:
        await self._activate(interaction, product, ProductState.ARCHIVED)

    @app_commands.command(description=N_("Switch a product off for a while; you are asked first"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def disable(self, interaction: Interaction, product: _NAME) -> None:
        await self._ask(interaction, product, ProductState.DISABLED)

    @app_commands.command(description=N_("Switch a disabled product on again"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT, ProductState.DISABLED))
    async def enable(self, interaction: Interaction, product: _NAME) -> None:
        await self._activate(interaction, product, ProductState.DISABLED)

    key = ProductKeys()

    @app_commands.command(description=N_("Show what signs a product's answers, turn it on and off, rotate its keys"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_VIEW))
    async def signing(self, interaction: Interaction, product: _NAME) -> None:
        await product_signing.show(interaction, product)

    @app_commands.command(name="rotate-key", description=N_("Replace a product's API key; you are asked first"))
    @app_commands.describe(
        product=N_("Which product"),
        grace=N_("How long the current key goes on working: 24h, 7d; nothing ends it at once"),
    )
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def rotate_key(
        self,
        interaction: Interaction,
        product: _NAME,
        grace: app_commands.Range[str, 1, 100] | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        minutes = parse_grace_minutes(grace, now_ms=self._clock())
        found = await self._catalog.changeable(by, product)
        question = product_buttons.confirmation(found, minutes=minutes, now_ms=self._clock())
        await interaction.followup.send(view=question, ephemeral=True)

    async def _ask(self, interaction: Interaction, product: str, state: ProductState) -> None:
        by = await acknowledge(interaction)
        found = await self._catalog.changeable(by, product, state)
        await interaction.followup.send(view=product_buttons.state_question(found, state), ephemeral=True)

    async def _activate(self, interaction: Interaction, product: str, leaving: ProductState) -> None:
        by = await acknowledge(interaction)
        changed = await self._catalog.change_state(by, product, ProductState.ACTIVE, leaving=leaving)
        await interaction.followup.send(view=product_buttons.state_changed(changed), ephemeral=True)
