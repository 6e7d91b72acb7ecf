"""`/product key`: the API keys of a product that may only validate."""

import discord
from discord import app_commands

from cogs import completions, product_buttons
from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import key_layouts, words
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import N_
from i18n import gettext as _
from licensing.choices import Permission
from licensing.keys import API_KEY_START
from licensing.services.api_keys import KEY_NAME_LIMIT

_NAME = app_commands.Range[str, 1, 300]


class ProductKeys(app_commands.Group):
    """Acknowledges, asks the service of API keys, shows."""

    def __init__(self) -> None:
        super().__init__(name="key", description=N_("API keys that may only validate, to put into what you ship"))

    @app_commands.command(description=N_("Add an API key that may only validate, and show it once"))
    @app_commands.describe(
        product=N_("Which product"), name=N_("What tells it from the others; one key per thing that you ship")
    )
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT))
    async def add(
        self, interaction: Interaction, product: _NAME, name: app_commands.Range[str, 1, KEY_NAME_LIMIT]
    ) -> None:
        by = await acknowledge(interaction)
        new = await context_of(interaction).services.api_keys.add(by, product, name)
        lead = _(
            "**{product}** has a new API key, {name}. It may only validate and fetch license files, never look a "
            "license up: put this one into what you ship."
        )
        text = lead.format(product=words.plain(new.product.name), name=words.plain(" ".join(name.split())))
        await interaction.followup.send(text, ephemeral=True)
        await product_buttons.show_api_key(interaction, new)

    @app_commands.command(description=N_("List a product's API keys that may only validate"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_VIEW))
    async def list(self, interaction: Interaction, product: _NAME) -> None:
        by = await acknowledge(interaction)
        found = await context_of(interaction).services.api_keys.list(by, product)
        await interaction.followup.send(view=key_layouts.named_keys(found), ephemeral=True)

    @app_commands.command(description=N_("End an API key that may only validate; you are asked first"))
    @app_commands.describe(product=N_("Which product"), key_name=N_("Which of its keys"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_EDIT), key_name=completions.api_key)
    async def remove(
        self, interaction: Interaction, product: _NAME, key_name: app_commands.Range[str, 1, 100]
    ) -> None:
        by = await acknowledge(interaction)
        found = await context_of(interaction).services.api_keys.removable(by, product, key_name)
        visible = found.key.prefix.removeprefix(API_KEY_START)
        items = [RemoveKeyNow(str(found.product.id), visible, found.key.name or ""), Cancel()]
        await interaction.followup.send(view=key_layouts.confirm_removal(found, items=items), ephemeral=True)


class RemoveKeyNow(
    Persistent,
    template=rf"product:v1:(?P<product_id>\d{{1,18}}):key:(?P<visible>\w{{1,20}}):(?P<name>.{{1,{KEY_NAME_LIMIT}}})",
):
    """Ends a named API key, if it is still the one that the question showed."""

    def __init__(self, product_id: str, visible: str, name: str) -> None:
        custom_id = f"product:v1:{product_id}:key:{visible}:{name}"
        super().__init__(button(_("Remove the key"), custom_id, discord.ButtonStyle.danger))
        self._product_id, self._prefix, self._name = int(product_id), API_KEY_START + visible, name

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        api_keys = context_of(interaction).services.api_keys
        removed = await api_keys.remove(by, self._product_id, self._name, prefix=self._prefix)
        text = _("**{product}** has no API key {name} any more; whatever uses it is refused from now on.")
        names = {"product": words.plain(removed.product.name), "name": words.plain(removed.key.name or "")}
        await interaction.edit_original_response(view=note(text.format(**names)))


ITEMS = (RemoveKeyNow,)
