"""`/product version`: what staff say of a product's versions."""

import discord
from discord import app_commands

from cogs import completions
from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import version_layouts
from cogs.ui.persistent import Cancel, Persistent, button
from i18n import N_
from i18n import gettext as _
from licensing.choices import Permission, VersionMode, VersionState
from licensing.models import Actor
from licensing.services.versions import VersionsChanged
from licensing.versions import VERSION_LENGTH

_NAME = app_commands.Range[str, 1, 300]
_SPEC = app_commands.Range[str, 1, 2 * VERSION_LENGTH]
# As the id of a button holds what a version becomes, beside up to 64 characters of the version itself.
_STATES = {
    "l": VersionState.LATEST,
    "a": VersionState.ALLOWED,
    "d": VersionState.DEPRECATED,
    "b": VersionState.BLOCKED,
    "r": None,
}


class ProductVersions(app_commands.Group):
    """Acknowledges, asks the version service, shows; part of `cogs.products.Products`."""

    def __init__(self) -> None:
        super().__init__(name="version", description=N_("Say which versions of a product may run"))

    @app_commands.command(name="set", description=N_("Allow, deprecate or block a version or a range of versions"))
    @app_commands.describe(
        product=N_("Which product"),
        version=N_("A version, like 1.4.0, or a range, like >=2.1 <2.4 or 1.x"),
        state=N_("What becomes of it"),
    )
    @app_commands.choices(
        state=[
            app_commands.Choice(name=N_("latest: the current version"), value=VersionState.LATEST.value),
            app_commands.Choice(name=N_("allowed"), value=VersionState.ALLOWED.value),
            app_commands.Choice(name=N_("deprecated: still allowed"), value=VersionState.DEPRECATED.value),
            app_commands.Choice(name=N_("blocked"), value=VersionState.BLOCKED.value),
        ]
    )
    @app_commands.autocomplete(
        product=completions.product(Permission.PRODUCTS_EDIT), version=completions.settable_version
    )
    async def set_(self, interaction: Interaction, product: _NAME, version: _SPEC, state: str) -> None:
        await _ask_or_change(interaction, product, version, VersionState(state))

    @app_commands.command(name="list", description=N_("List a product's versions and how many licenses run each"))
    @app_commands.describe(product=N_("Which product"))
    @app_commands.autocomplete(product=completions.product(Permission.PRODUCTS_VIEW))
    async def list_(self, interaction: Interaction, product: _NAME) -> None:
        by = await acknowledge(interaction)
        view = await context_of(interaction).services.versions.list(by, product)
        await interaction.followup.send(view=version_layouts.version_list(view), ephemeral=True)

    @app_commands.command(description=N_("Take a version or a range off a product's list"))
    @app_commands.describe(product=N_("Which product"), version=N_("The version or range, as the list shows it"))
    @app_commands.autocomplete(
        product=completions.product(Permission.PRODUCTS_EDIT), version=completions.listed_version
    )
    async def remove(self, interaction: Interaction, product: _NAME, version: _SPEC) -> None:
        await _ask_or_change(interaction, product, version, None)


class ChangeVersionNow(Persistent, template=r"version:v1:(?P<product_id>\d{1,18}):(?P<to>[ladbr]):(?P<spec>.{1,64})"):
    """Sets or removes a version or a range, after its question."""

    def __init__(self, product_id: str, to: str, spec: str) -> None:
        custom_id = f"version:v1:{product_id}:{to}:{spec}"
        super().__init__(button(_("Change it"), custom_id, discord.ButtonStyle.danger))
        self._product_id, self._state, self._spec = int(product_id), _STATES[to], spec

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        changed = await _change(interaction, by, self._product_id, self._spec, self._state)
        await interaction.edit_original_response(view=version_layouts.versions_changed(changed))


async def _ask_or_change(interaction: Interaction, product: str, spec: str, state: VersionState | None) -> None:
    """Set or remove a version, or ask first where that refuses licenses which run."""
    by = await acknowledge(interaction)
    found = await context_of(interaction).services.versions.preview(by, product, spec=spec, state=state)
    if found.newly_refused and found.product.settings.versions is VersionMode.ENFORCE:
        to = next(letter for letter, each in _STATES.items() if each is state)
        items = [ChangeVersionNow(str(found.product.id), to, found.spec), Cancel()]
        shown = version_layouts.confirm_versions(found, items=items)
    else:
        shown = version_layouts.versions_changed(await _change(interaction, by, found.product.id, spec, state))
    await interaction.followup.send(view=shown, ephemeral=True)


async def _change(
    interaction: Interaction, by: Actor, product_id: int, spec: str, state: VersionState | None
) -> VersionsChanged:
    versions = context_of(interaction).services.versions
    if state is None:
        return await versions.remove(by, product_id, spec=spec)
    return await versions.set(by, product_id, spec=spec, state=state)


ITEMS = (ChangeVersionNow,)
