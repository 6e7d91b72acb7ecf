"""The buttons that confirm what is done to a product, and what is shown of a new API key."""

import json

import discord

from cogs.actors import acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import layouts, words
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import gettext as _
from licensing.choices import ProductState
from licensing.keys import API_KEY_START
from licensing.services.catalog import NewApiKey, ProductChanged, ProductView


class RotateNow(
    Persistent, template=r"product:v1:(?P<product_id>\d{1,18}):rotate:(?P<minutes>\d{1,6}):(?P<visible>\w{1,20})"
):
    """Gives the product a new API key, if the one that the question showed is still the current one."""

    def __init__(self, product_id: str, minutes: str, visible: str) -> None:
        custom_id = f"product:v1:{product_id}:rotate:{minutes}:{visible}"
        super().__init__(button(_("Rotate the key"), custom_id, discord.ButtonStyle.danger))
        self._product_id = int(product_id)
        self._grace, self._grace_ms = f"{minutes}min", int(minutes) * 60_000
        self._replacing = API_KEY_START + visible

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        catalog = context_of(interaction).services.catalog
        grace = "" if self._grace == "0min" else self._grace
        new = await catalog.rotate_key(by, name=self._product_id, grace=grace, replacing=self._replacing)
        lead = _("**{product}** has a new API key.").format(product=words.plain(new.product.name))
        if grace:
            ends_at_ms = context_of(interaction).clock() + self._grace_ms
            lead += "\n" + _("The previous key goes on working until {when}.").format(when=words.when(ends_at_ms))
        await interaction.edit_original_response(view=note(lead))
        await show_api_key(interaction, new)


class StateNow(Persistent, template=r"product:v1:(?P<product_id>\d{1,18}):state:(?P<state>archived|disabled)"):
    """Archives or disables the product."""

    def __init__(self, product_id: str, state: str) -> None:
        label = _("Archive") if state == ProductState.ARCHIVED else _("Disable")
        super().__init__(button(label, f"product:v1:{product_id}:state:{state}", discord.ButtonStyle.danger))
        self._product_id, self._state = int(product_id), ProductState(state)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        changed = await context_of(interaction).services.catalog.change_state(by, self._product_id, self._state)
        await interaction.edit_original_response(view=state_changed(changed))


def state_question(found: ProductView, state: ProductState) -> discord.ui.LayoutView:
    """Return the question whether to archive or disable a product, with what that would stop."""
    items = [StateNow(str(found.product.id), state.value), Cancel()]
    return layouts.confirm_state(found, state, items=items)


def state_changed(changed: ProductChanged) -> discord.ui.LayoutView:
    """Return what is said after a product's state changed."""
    states = words.change(words.product_state(changed.before), words.product_state(changed.after))
    return note(_("**{product}:** {state}").format(product=words.plain(changed.after.name), state=states))


def confirmation(found: ProductView, *, minutes: int, now_ms: int) -> discord.ui.LayoutView:
    """Return the question whether to rotate a product's key."""
    current = next(key for key in found.api_keys if key.valid_until_ms is None)
    visible = current.prefix.removeprefix(API_KEY_START)
    items = [RotateNow(str(found.product.id), str(minutes), visible), Cancel()]
    until_ms = now_ms + minutes * 60_000 if minutes else None
    return layouts.confirm_rotation(found, until_ms=until_ms, items=items)


async def show_api_key(interaction: Interaction, new: NewApiKey) -> None:
    """Show a new API key, the only time it is seen: in a ready command, then alone to be copied."""
    api_url = context_of(interaction).public_api_url.rstrip("/")
    body = json.dumps({"license_key": "ABCD-EFGH-JKMN-PQRS"})
    command = (
        f"curl -sS {api_url}/api/v1/validate"
        f" -H 'Authorization: Bearer {new.api_key}' -H 'Content-Type: application/json' -d '{body}'"
    )
    text = _(
        "Try it with one of its license keys in place of the example:\n```sh\n{command}\n```\n"
        "The API key itself is in the next message. It is shown only this once; keep it where your product does."
    ).format(command=command)
    await interaction.followup.send(text, ephemeral=True)
    await interaction.followup.send(new.api_key, ephemeral=True)


ITEMS = (RotateNow, StateNow)
