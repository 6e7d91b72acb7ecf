"""The panel of a product's switches: each button and menu sets one, and asks for permission again."""

from collections.abc import Mapping
from typing import Any

import discord

from cogs.actors import acknowledge_in_place, actor_of
from cogs.context import Interaction, context_of
from cogs.options import check_assignable
from cogs.ui import switches
from cogs.ui.forms import Field, Form, in_time
from cogs.ui.persistent import Persistent, button, picked
from i18n import N_
from i18n import gettext as _
from licensing.choices import AutoRegister, DurationFrom, TransferRule
from licensing.errors import RoleGone
from licensing.models import Product
from licensing.services.catalog import ProductChanged

_TYPED = "default_max_ips|address_idle_days|default_duration"
_PRODUCT = r"product:v1:(?P<product_id>\d{1,18})"
_OPENERS = {
    "default_max_ips": N_("Set limit…"),
    "address_idle_days": N_("Set days…"),
    "default_duration": N_("Set duration…"),
}


class Toggle(
    Persistent,
    template=_PRODUCT + r":set:(?P<switch>enforce_expiry|track_ip_on_validate|duration_from):(?P<value>\w{1,10})",
):
    """Sets a switch to the value in its id: pressed twice, or by two, it is set once."""

    def __init__(self, product_id: str, switch: str, value: str, label: str = "") -> None:
        super().__init__(button(label or value, f"product:v1:{product_id}:set:{switch}:{value}"))
        self._product_id, self._switch, self._value = int(product_id), switch, value

    async def pressed(self, interaction: Interaction) -> None:
        value = DurationFrom(self._value) if self._switch == "duration_from" else self._value == "on"
        await _change(interaction, self._product_id, {self._switch: value})


class Choose(Persistent, template=_PRODUCT + r":choose:(?P<switch>auto_register|transfers)"):
    """Sets a switch to what was picked from its menu."""

    def __init__(self, product_id: str, switch: str, current: str = "") -> None:
        texts = switches.AUTO_REGISTER if switch == "auto_register" else switches.TRANSFERS
        super().__init__(
            discord.ui.Select(
                custom_id=f"product:v1:{product_id}:choose:{switch}",
                options=list(switches.options(texts, current)),
            )
        )
        self._product_id, self._switch = int(product_id), switch

    async def pressed(self, interaction: Interaction) -> None:
        kinds: Mapping[str, Any] = {"auto_register": AutoRegister, "transfers": TransferRule}
        value = kinds[self._switch](picked(interaction)[0])
        await _change(interaction, self._product_id, {self._switch: value})


class ChooseRole(Persistent, template=_PRODUCT + r":role"):
    """Sets the role for holders; picking none takes it away from future holders."""

    def __init__(self, product_id: str, role_id: int | None = None) -> None:
        kind = discord.SelectDefaultValueType.role
        super().__init__(
            discord.ui.RoleSelect(
                custom_id=f"product:v1:{product_id}:role",
                placeholder=_("Choose the role for holders, or none"),
                min_values=0,
                max_values=1,
                default_values=[discord.SelectDefaultValue(id=role_id, type=kind)] if role_id else [],
            )
        )
        self._product_id = int(product_id)

    async def pressed(self, interaction: Interaction) -> None:
        await acknowledge_in_place(interaction)
        role_id = next((int(value) for value in picked(interaction)), None)
        if role_id is not None:
            check_assignable(_role(interaction, role_id), interaction.user)
        await _change(interaction, self._product_id, {"role_id": role_id})


class Type(Persistent, template=_PRODUCT + rf":type:(?P<switch>{_TYPED})"):
    """Opens the form for a switch that is typed, filled in with how it is now."""

    def __init__(self, product_id: str, switch: str) -> None:
        super().__init__(button(_(_OPENERS[switch]), f"product:v1:{product_id}:type:{switch}"))
        self._product_id, self._switch = product_id, switch

    async def pressed(self, interaction: Interaction) -> None:
        by, catalog = actor_of(interaction), context_of(interaction).services.catalog
        found = await in_time(catalog.changeable(by, int(self._product_id)))
        value = getattr(found.product.settings, self._switch)
        none = "never" if self._switch == "default_duration" else "0"
        await TypeForm(self._product_id, self._switch).open(
            interaction, {"value": none if value is None else str(value)}
        )


class TypeForm(Form, template=_PRODUCT + rf":type:(?P<switch>{_TYPED}):form"):
    """Takes a number or a duration."""

    def __init__(self, product_id: str, switch: str) -> None:
        texts = {
            "default_max_ips": (_("Addresses per license"), _("For licenses issued from now on; 0 is any number")),
            "address_idle_days": (_("Days without use"), _("Then an address frees its place; 0 keeps it for ever")),
            "default_duration": (_("Default duration"), _("How long new licenses last: 30d, 1y6mo, never")),
        }
        label, description = texts[switch]
        custom_id = f"product:v1:{product_id}:type:{switch}:form"
        super().__init__(custom_id=custom_id, title=label, fields=[Field("value", label, description)])
        self._product_id, self._switch = int(product_id), switch

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        await _change(interaction, self._product_id, {self._switch: typed["value"]})


class RefreshSettings(Persistent, template=_PRODUCT + r":settings"):
    """Shows the switches as they are now."""

    def __init__(self, product_id: str) -> None:
        super().__init__(button(_("Refresh"), f"product:v1:{product_id}:settings"))
        self._product_id = int(product_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        found = await context_of(interaction).services.catalog.changeable(by, self._product_id)
        await interaction.edit_original_response(view=panel(interaction, found.product))


async def _change(interaction: Interaction, product_id: int, values: Mapping[str, Any]) -> None:
    by = actor_of(interaction) if interaction.response.is_done() else await acknowledge_in_place(interaction)
    changed = await context_of(interaction).services.catalog.change_settings(by, product_id, **values)
    await interaction.edit_original_response(view=_changed(interaction, changed))


def _changed(interaction: Interaction, changed: ProductChanged) -> discord.ui.LayoutView:
    lead = switches.changes(changed.before.settings, changed.after.settings)
    return panel(interaction, changed.after, lead=lead)


def panel(interaction: Interaction, product: Product, *, lead: str = "") -> discord.ui.LayoutView:
    """Return the panel of a product's switches."""
    product_id, settings = str(product.id), product.settings
    expiry, ips = settings.enforce_expiry, settings.track_ip_on_validate
    from_issue = settings.duration_from is DurationFrom.ISSUE
    counting = _("Count from the claim") if from_issue else _("Count from the issue")
    expiring = _("Stop enforcing") if expiry else _("Enforce")
    tracking = _("Turn off") if ips else _("Turn on")
    buttons: dict[str, Persistent] = {
        "enforce_expiry": Toggle(product_id, "enforce_expiry", "off" if expiry else "on", expiring),
        "track_ip_on_validate": Toggle(product_id, "track_ip_on_validate", "off" if ips else "on", tracking),
        "duration_from": Toggle(product_id, "duration_from", "claim" if from_issue else "issue", counting),
        **{switch: Type(product_id, switch) for switch in _OPENERS},
    }
    guild = interaction.guild
    known = settings.role_id if guild and settings.role_id and guild.get_role(settings.role_id) else None
    menus = {
        "auto_register": Choose(product_id, "auto_register", settings.auto_register),
        "transfers": Choose(product_id, "transfers", settings.transfers),
        "role_id": ChooseRole(product_id, known),
    }
    return switches.settings_panel(
        product, buttons=buttons, menus=menus, items=[RefreshSettings(product_id)], lead=lead
    )


def _role(interaction: Interaction, role_id: int) -> discord.Role:
    role = interaction.guild.get_role(role_id) if interaction.guild else None
    if role is None:
        raise RoleGone
    return role


ITEMS = (Toggle, Choose, ChooseRole, Type, RefreshSettings)
FORMS = (TypeForm,)
