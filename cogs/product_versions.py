"""`/product version`: what staff say of a product's versions."""

from discord import app_commands

from cogs import completions
from cogs.actors import acknowledge
from cogs.context import Interaction, context_of
from cogs.ui import version_layouts
from i18n import N_
from licensing.choices import Permission, VersionState
from licensing.versions import VERSION_LENGTH

_NAME = app_commands.Range[str, 1, 300]
_SPEC = app_commands.Range[str, 1, 2 * VERSION_LENGTH]


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
        by = await acknowledge(interaction)
        versions = context_of(interaction).services.versions
        changed = await versions.set(by, product, spec=version, state=VersionState(state))
        await interaction.followup.send(view=version_layouts.versions_changed(changed), ephemeral=True)

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
        by = await acknowledge(interaction)
        changed = await context_of(interaction).services.versions.remove(by, product, spec=version)
        await interaction.followup.send(view=version_layouts.versions_changed(changed), ephemeral=True)
