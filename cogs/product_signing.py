"""The panel of what signs a product's answers: its buttons ask before they break a running program."""

from collections.abc import Mapping

import discord

from cogs.actors import acknowledge, acknowledge_in_place, actor_of
from cogs.context import Interaction, context_of
from cogs.options import parse_grace_minutes
from cogs.ui import key_layouts
from cogs.ui.forms import Field, Form
from cogs.ui.key_layouts import KINDS
from cogs.ui.persistent import Cancel, Persistent, button
from i18n import gettext as _
from licensing.choices import SigningKind
from licensing.services.signing import SigningChanged, SigningView

_PRODUCT = r"product:v1:(?P<product_id>\d{1,18}):signing"
_KIND = _PRODUCT + r":(?P<kind>hmac|ed25519|rsa)"


async def show(interaction: Interaction, product: str) -> None:
    """Answer a command with what signs a product's answers."""
    by = await acknowledge(interaction)
    view = await context_of(interaction).services.signing.view(by, product)
    await interaction.followup.send(view=panel(interaction, view), ephemeral=True)


def panel(interaction: Interaction, view: SigningView, *, lead: str = "") -> discord.ui.LayoutView:
    """Return what signs a product's answers, with the buttons that change it."""
    product_id = str(view.product.id)
    return key_layouts.signing_panel(
        view,
        buttons={
            kind: TurnSigning(
                product_id, kind, "off" if view.is_on(kind) else "on", asks=view.replaced_by(kind) is not None
            )
            for kind in KINDS
        },
        items=[
            *(RotateSigning(product_id, kind) for kind in KINDS if view.has_key(kind)),
            RefreshSigning(product_id),
        ],
        now_ms=context_of(interaction).clock(),
        lead=lead,
    )


class TurnSigning(Persistent, template=_KIND + r":(?P<to>on|off)"):
    """Turns a kind of signature on, or asks first where programs may expect the one that would stop."""

    def __init__(self, product_id: str, kind: str, to: str, *, asks: bool = False) -> None:
        turn_on = _("Turn on {kind}…") if asks else _("Turn on {kind}")
        label = turn_on if to == "on" else _("Turn off {kind}…")
        name = KINDS[SigningKind(kind)]
        super().__init__(button(label.format(kind=name), f"product:v1:{product_id}:signing:{kind}:{to}"))
        self._product_id, self._kind, self._to = product_id, SigningKind(kind), to

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        view = await context_of(interaction).services.signing.changeable(by, int(self._product_id))
        stops = self._kind if self._to == "off" else view.replaced_by(self._kind)
        if stops is None:
            await _turn(interaction, int(self._product_id), self._kind, on=True)
            return
        sure = TurnSigningNow(self._product_id, self._kind, self._to)
        question = key_layouts.confirm_switch(view, self._kind, off=stops, items=[sure, Cancel()])
        await interaction.followup.send(view=question, ephemeral=True)


class TurnSigningNow(Persistent, template=_KIND + r":(?P<to>on|off):sure"):
    """Turns a kind of signature on or off."""

    def __init__(self, product_id: str, kind: str, to: str) -> None:
        label = _("Turn on {kind}") if to == "on" else _("Turn off {kind}")
        custom_id = f"product:v1:{product_id}:signing:{kind}:{to}:sure"
        super().__init__(button(label.format(kind=KINDS[SigningKind(kind)]), custom_id, discord.ButtonStyle.danger))
        self._product_id, self._kind, self._on = int(product_id), SigningKind(kind), to == "on"

    async def pressed(self, interaction: Interaction) -> None:
        await acknowledge_in_place(interaction)
        await _turn(interaction, self._product_id, self._kind, on=self._on)


class RotateSigning(Persistent, template=_KIND + r":rotate"):
    """Opens the form that asks for how long the old key goes on signing."""

    def __init__(self, product_id: str, kind: str) -> None:
        label = _("Rotate {kind}…").format(kind=KINDS[SigningKind(kind)])
        super().__init__(button(label, f"product:v1:{product_id}:signing:{kind}:rotate"))
        self._product_id, self._kind = product_id, kind

    async def pressed(self, interaction: Interaction) -> None:
        await RotateForm(self._product_id, self._kind).open(interaction)


class RotateForm(Form, template=_KIND + r":rotate:form"):
    """Takes the grace period, and asks whether to rotate."""

    def __init__(self, product_id: str, kind: str) -> None:
        field = Field(
            "grace",
            _("Grace period"),
            _("How long the current key goes on signing: 24h, 7d; nothing ends it at once"),
        )
        super().__init__(
            custom_id=f"product:v1:{product_id}:signing:{kind}:rotate:form",
            title=_("Rotate {kind}").format(kind=KINDS[SigningKind(kind)]),
            fields=[field],
        )
        self._product_id, self._kind = product_id, SigningKind(kind)

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge(interaction)
        now_ms = context_of(interaction).clock()
        minutes = parse_grace_minutes(typed["grace"], now_ms=now_ms)
        services = context_of(interaction).services
        view = await services.signing.changeable(by, int(self._product_id))
        found = await services.catalog.changeable(by, int(self._product_id))
        sure = RotateSigningNow(self._product_id, self._kind, str(minutes), view.newest(self._kind).id)
        until_ms = now_ms + minutes * 60_000 if minutes else None
        question = key_layouts.confirm_signing_rotation(
            view, self._kind, holders=found.holders, until_ms=until_ms, items=[sure, Cancel()]
        )
        await interaction.followup.send(view=question, ephemeral=True)


class RotateSigningNow(Persistent, template=_KIND + r":rotate:(?P<minutes>\d{1,6}):(?P<key_id>[0-9a-f]{16})"):
    """Replaces a signing key, if the one that the question showed is still the newest."""

    def __init__(self, product_id: str, kind: str, minutes: str, key_id: str) -> None:
        custom_id = f"product:v1:{product_id}:signing:{kind}:rotate:{minutes}:{key_id}"
        super().__init__(button(_("Rotate the key"), custom_id, discord.ButtonStyle.danger))
        self._product_id, self._kind, self._key_id = int(product_id), SigningKind(kind), key_id
        self._grace = "" if int(minutes) == 0 else f"{minutes}min"

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        changed = await context_of(interaction).services.signing.rotate(
            by, self._product_id, self._kind, grace=self._grace, replacing=self._key_id
        )
        lead = _("There is a new {kind} key: `{id}`.")
        await _show_changed(
            interaction, changed, lead.format(kind=KINDS[self._kind], id=changed.view.newest(self._kind).id)
        )


class RefreshSigning(Persistent, template=_PRODUCT):
    """Shows what signs now."""

    def __init__(self, product_id: str) -> None:
        super().__init__(button(_("Refresh"), f"product:v1:{product_id}:signing"))
        self._product_id = int(product_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        view = await context_of(interaction).services.signing.view(by, self._product_id)
        await interaction.edit_original_response(view=panel(interaction, view))


async def _turn(interaction: Interaction, product_id: int, kind: SigningKind, *, on: bool) -> None:
    by, signing = actor_of(interaction), context_of(interaction).services.signing
    changed = await (signing.turn_on if on else signing.turn_off)(by, product_id, kind)
    lead = _("{kind} is on: the very next answer is signed.") if on else _("{kind} is off.")
    await _show_changed(interaction, changed, lead.format(kind=KINDS[kind]))


async def _show_changed(interaction: Interaction, changed: SigningChanged, lead: str) -> None:
    if changed.secret is not None:
        lead += "\n" + _(
            "The shared secret is in the next message. It is shown only this once; keep it on your own machines, "
            "never inside a program that you ship."
        )
    await interaction.edit_original_response(view=panel(interaction, changed.view, lead=lead))
    if changed.secret is not None:
        await interaction.followup.send(changed.secret, ephemeral=True)


ITEMS = (TurnSigning, TurnSigningNow, RotateSigning, RotateSigningNow, RefreshSigning)
FORMS = (RotateForm,)
