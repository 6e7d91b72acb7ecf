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
from licensing.choices import AutoRegister, DurationFrom, TransferRule, UnlistedVersions, VersionMode
from licensing.errors import RoleGone
from licensing.models import Actor, Product, ProductSettings
from licensing.services.catalog import ProductChanged

_PRODUCT = r"product:v1:(?P<product_id>\d{1,18})"
_PAGE = r"(?P<page>general|seats|versions|answers)"

# What a button says while its switch is off, and while it is on.
_TOGGLES = {
    "enforce_expiry": (N_("Enforce"), N_("Stop enforcing")),
    "track_ip_on_validate": (N_("Turn on"), N_("Turn off")),
    "custom_response": (N_("Send it"), N_("Leave it out")),
    "explain": (N_("Explain"), N_("Stop explaining")),
    "strict_statuses": (N_("Use KeyPort's alone"), N_("Use all")),
}
_CHOICES: Mapping[str, tuple[type[Any], Mapping[Any, str]]] = {
    "auto_register": (AutoRegister, switches.AUTO_REGISTER),
    "transfers": (TransferRule, switches.TRANSFERS),
    "versions": (VersionMode, switches.VERSIONS),
    "unlisted_versions": (UnlistedVersions, switches.UNLISTED),
}
# What opens the form of a switch, what the form asks for, and how to type it.
_TYPED = {
    "default_max_ips": (
        N_("Set limit…"),
        N_("Addresses per license"),
        N_("For licenses issued from now on; 0 is any number"),
    ),
    "address_idle_days": (
        N_("Set days…"),
        N_("Days without use"),
        N_("Then an address frees its place; 0 keeps it for ever"),
    ),
    "default_duration": (
        N_("Set duration…"),
        N_("Default duration"),
        N_("How long new licenses last: 30d, 1y6mo, never"),
    ),
    "max_devices": (
        N_("Set device limit…"),
        N_("Devices per license"),
        N_("For every license, from now on; 0 is any number"),
    ),
    "reset_cooldown_days": (
        N_("Set cooldown…"),
        N_("Days between a holder's resets"),
        N_("After one reset a holder waits so long for the next; 0 lets only staff reset"),
    ),
    "resets_per_year": (
        N_("Set yearly cap…"),
        N_("A holder's resets per license in 365 days"),
        N_("After so many only staff reset; 0 is any number"),
    ),
    "license_file_days": (
        N_("Set lifetime…"),
        N_("Days that a license file is good for"),
        N_("So long a customer may be offline; 0 issues none"),
    ),
}


class Toggle(
    Persistent,
    template=_PRODUCT + rf":set:(?P<switch>{'|'.join([*_TOGGLES, 'duration_from'])}):(?P<value>\w{{1,10}})",
):
    """Sets a switch to the value in its id: pressed twice, or by two, it is set once."""

    def __init__(self, product_id: str, switch: str, value: str, label: str = "") -> None:
        super().__init__(button(label or value, f"product:v1:{product_id}:set:{switch}:{value}"))
        self._product_id, self._switch, self._value = int(product_id), switch, value

    async def pressed(self, interaction: Interaction) -> None:
        value = DurationFrom(self._value) if self._switch == "duration_from" else self._value == "on"
        await _change(interaction, self._product_id, self._switch, value)


class Choose(Persistent, template=_PRODUCT + rf":choose:(?P<switch>{'|'.join(_CHOICES)})"):
    """Sets a switch to what was picked from its menu."""

    def __init__(self, product_id: str, switch: str, current: str = "") -> None:
        self._kind, texts = _CHOICES[switch]
        super().__init__(
            discord.ui.Select(
                custom_id=f"product:v1:{product_id}:choose:{switch}",
                options=list(switches.options(texts, current)),
            )
        )
        self._product_id, self._switch = int(product_id), switch

    async def pressed(self, interaction: Interaction) -> None:
        await _change(interaction, self._product_id, self._switch, self._kind(picked(interaction)[0]))


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
        await _change(interaction, self._product_id, "role_id", role_id)


class Type(Persistent, template=_PRODUCT + rf":type:(?P<switch>{'|'.join(_TYPED)})"):
    """Opens the form for a switch that is typed, filled in with how it is now."""

    def __init__(self, product_id: str, switch: str) -> None:
        super().__init__(button(_(_TYPED[switch][0]), f"product:v1:{product_id}:type:{switch}"))
        self._product_id, self._switch = product_id, switch

    async def pressed(self, interaction: Interaction) -> None:
        by, catalog = actor_of(interaction), context_of(interaction).services.catalog
        found = await in_time(catalog.changeable(by, int(self._product_id)))
        value = getattr(found.product.settings, self._switch)
        none = "never" if self._switch == "default_duration" else "0"
        await TypeForm(self._product_id, self._switch).open(
            interaction, {"value": none if value is None else str(value)}
        )


class TypeForm(Form, template=_PRODUCT + rf":type:(?P<switch>{'|'.join(_TYPED)}):form"):
    """Takes a number or a duration."""

    def __init__(self, product_id: str, switch: str) -> None:
        _opener, label, description = (_(text) for text in _TYPED[switch])
        custom_id = f"product:v1:{product_id}:type:{switch}:form"
        super().__init__(custom_id=custom_id, title=label, fields=[Field("value", label, description)])
        self._product_id, self._switch = int(product_id), switch

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        await _change(interaction, self._product_id, self._switch, typed["value"])


class SetNow(
    Persistent,
    template=_PRODUCT
    + r":sure:(?P<switch>versions|unlisted_versions|auto_register|track_ip_on_validate|max_devices)"
    + r":(?P<value>\w{1,20})",
):
    """Sets a switch that could refuse customers, after its question."""

    def __init__(self, product_id: str, switch: str, value: str) -> None:
        custom_id = f"product:v1:{product_id}:sure:{switch}:{value}"
        super().__init__(button(_("Change it"), custom_id, discord.ButtonStyle.danger))
        self._product_id, self._switch, self._value = int(product_id), switch, value

    async def pressed(self, interaction: Interaction) -> None:
        value: object = self._value
        if self._switch in _CHOICES:
            value = _CHOICES[self._switch][0](self._value)
        elif self._switch in _TOGGLES:
            value = self._value == "on"
        await _set(interaction, await acknowledge_in_place(interaction), self._product_id, self._switch, value)


class RefreshSettings(Persistent, template=_PRODUCT + rf":settings(?::{_PAGE})?"):
    """Shows a page of the switches as they are now; the ids of panels from before there were pages name none."""

    def __init__(self, product_id: str, page: str | None = None) -> None:
        super().__init__(button(_("Refresh"), f"product:v1:{product_id}:settings" + (f":{page}" if page else "")))
        self._product_id, self._page = int(product_id), page or "general"

    async def pressed(self, interaction: Interaction) -> None:
        await _turn(interaction, self._product_id, self._page)


class TurnTo(Persistent, template=_PRODUCT + rf":page:{_PAGE}"):
    """Turns to a page of the switches."""

    def __init__(self, product_id: str, page: str, current: str = "", *, label: str = "") -> None:
        here = page == current
        style = discord.ButtonStyle.primary if here else discord.ButtonStyle.secondary
        label, custom_id = label or _(switches.PAGES[page][0]), f"product:v1:{product_id}:page:{page}"
        super().__init__(discord.ui.Button(label=label, custom_id=custom_id, style=style, disabled=here))
        self._product_id, self._page = int(product_id), page

    async def pressed(self, interaction: Interaction) -> None:
        await _turn(interaction, self._product_id, self._page)


async def _turn(interaction: Interaction, product_id: int, page: str) -> None:
    by = await acknowledge_in_place(interaction)
    found = await context_of(interaction).services.catalog.changeable(by, product_id)
    await interaction.edit_original_response(view=panel(interaction, found.product, page))


async def _change(interaction: Interaction, product_id: int, switch: str, value: object) -> None:
    """Set a switch, or ask first where customers could be refused by it."""
    by = actor_of(interaction) if interaction.response.is_done() else await acknowledge_in_place(interaction)
    found = await context_of(interaction).services.catalog.preview_settings(by, product_id, **{switch: value})
    if found.tightened is None:
        await _set(interaction, by, product_id, switch, value)
        return
    # In the panel's place, so that no menu goes on showing what was picked and is not set.
    back = TurnTo(str(product_id), switches.page_of(switch), label=_("Cancel"))
    items = [SetNow(str(product_id), switch, _written(getattr(found.after, switch))), back]
    await interaction.edit_original_response(view=switches.confirm_settings(found, items=items))


def _written(value: object) -> str:
    """Return a switch's value as the id of a button holds it."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


async def _set(interaction: Interaction, by: Actor, product_id: int, switch: str, value: object) -> None:
    changed = await context_of(interaction).services.catalog.change_settings(by, product_id, **{switch: value})
    await interaction.edit_original_response(view=_changed(interaction, changed, switch))


def _changed(interaction: Interaction, changed: ProductChanged, switch: str) -> discord.ui.LayoutView:
    lead = switches.changes(changed.before.settings, changed.after.settings)
    return panel(interaction, changed.after, switches.page_of(switch), lead=lead)


def panel(
    interaction: Interaction, product: Product, page: str = "general", *, lead: str = ""
) -> discord.ui.LayoutView:
    """Return a page of the panel of a product's switches."""
    product_id, settings = str(product.id), product.settings
    guild = interaction.guild
    known = settings.role_id if guild and settings.role_id and guild.get_role(settings.role_id) else None
    menus: dict[str, Persistent] = {
        name: Choose(product_id, name, getattr(settings, name).value) for name in _CHOICES
    }
    menus["role_id"] = ChooseRole(product_id, known)
    turns = [TurnTo(product_id, each, page) for each in switches.PAGES]
    return switches.settings_panel(
        product,
        page,
        buttons=_buttons(product_id, settings),
        menus=menus,
        items=[*turns, RefreshSettings(product_id, page)],
        lead=lead,
    )


def _buttons(product_id: str, settings: ProductSettings) -> dict[str, Persistent]:
    from_issue = settings.duration_from is DurationFrom.ISSUE
    counting = _("Count from the claim") if from_issue else _("Count from the issue")
    buttons: dict[str, Persistent] = {name: Type(product_id, name) for name in _TYPED}
    buttons["duration_from"] = Toggle(product_id, "duration_from", "claim" if from_issue else "issue", counting)
    for name, (turn_on, turn_off) in _TOGGLES.items():
        is_on = getattr(settings, name)
        buttons[name] = Toggle(product_id, name, "off" if is_on else "on", _(turn_off if is_on else turn_on))
    if not settings.track_ip_on_validate and settings.auto_register is AutoRegister.OFF:
        buttons["track_ip_on_validate"] = Toggle(product_id, "track_ip_on_validate", "on", _("Turn on…"))
    return buttons


def _role(interaction: Interaction, role_id: int) -> discord.Role:
    role = interaction.guild.get_role(role_id) if interaction.guild else None
    if role is None:
        raise RoleGone
    return role


ITEMS = (Toggle, Choose, ChooseRole, Type, SetNow, RefreshSettings, TurnTo)
FORMS = (TypeForm,)
