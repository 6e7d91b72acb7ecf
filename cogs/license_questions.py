"""Questions before a license is revoked, suspended or loses its seats: what it does, to whom, and why."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, Services, context_of
from cogs.ui import license_layouts, words
from cogs.ui.forms import Field, Form
from cogs.ui.layouts import shown_text
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import N_
from i18n import gettext as _
from licensing.models import NOTES_LIMIT, Actor, LicenseView
from licensing.services.changes import Changed

WHAT = "revoke|suspend|reset"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before a change, and what the answer does; `with_reason` where the holder is told why."""

    label: str
    confirm: str
    asked: str
    consequence: str
    done: str
    allowed: Callable[[Services, Actor, str], Awaitable[LicenseView]]
    act: Callable[[Services, Actor, str, str | None], Awaitable[Changed]]
    with_reason: bool = True


QUESTIONS: Mapping[str, Question] = {
    "revoke": Question(
        label=N_("Revoke…"),
        confirm=N_("Revoke for good"),
        asked=N_("### Revoke this license for good?"),
        consequence=N_(
            "The very next validation is refused, and nobody in Discord can take this back: "
            "to restore access, a new license must be issued."
        ),
        done=N_("License #{id} for {product} is revoked; its next validation is refused."),
        allowed=lambda services, by, text: services.licenses.revocable(by, text),
        act=lambda services, by, text, reason: services.licenses.revoke(by, text, reason=reason),
    ),
    "suspend": Question(
        label=N_("Suspend…"),
        confirm=N_("Suspend"),
        asked=N_("### Suspend this license?"),
        consequence=N_("The very next validation is refused, until somebody reinstates the license."),
        done=N_("License #{id} for {product} is suspended; its next validation is refused until it is reinstated."),
        allowed=lambda services, by, text: services.changes.suspendable(by, text),
        act=lambda services, by, text, reason: services.changes.suspend(by, text, reason=reason),
    ),
    "reset": Question(
        label=N_("Reset addresses and devices…"),
        confirm=N_("Reset addresses and devices"),
        asked=N_("### Forget every address and device of this license?"),
        consequence=N_("Every address and device loses its place; those that validate next are registered anew."),
        done=N_("License #{id} for {product} has no registered addresses or devices any more."),
        allowed=lambda services, by, text: services.changes.resettable(by, text),
        act=lambda services, by, text, _: services.changes.reset_ips(by, text),
        with_reason=False,
    ),
}


class Ask(Persistent, template=rf"license:v1:(?P<license_id>\d{{1,18}}):(?P<what>{WHAT})"):
    """Asks whether to do it, and says what that would do."""

    def __init__(self, license_id: str, what: str) -> None:
        style = discord.ButtonStyle.danger if what == "revoke" else discord.ButtonStyle.secondary
        super().__init__(button(_(QUESTIONS[what].label), f"license:v1:{license_id}:{what}", style))
        self._license_id, self._what = license_id, what

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        view = await QUESTIONS[self._what].allowed(context_of(interaction).services, by, f"#{self._license_id}")
        await interaction.followup.send(view=confirmation(interaction, view, self._what), ephemeral=True)


class Now(Persistent, template=rf"license:v1:(?P<license_id>\d{{1,18}}):(?P<what>{WHAT}):now"):
    """Does it, with the reason that its message shows, if any."""

    def __init__(self, license_id: str, what: str) -> None:
        custom_id = f"license:v1:{license_id}:{what}:now"
        super().__init__(button(_(QUESTIONS[what].confirm), custom_id, discord.ButtonStyle.danger))
        self._license_id, self._what = license_id, what

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        reason = shown_text(interaction.message, license_layouts.REASON_ID)
        await _act(interaction, by, self._license_id, self._what, reason)


class Because(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):(?P<what>revoke|suspend):because"):
    """Asks for the reason first."""

    def __init__(self, license_id: str, what: str) -> None:
        super().__init__(button(_("Give a reason…"), f"license:v1:{license_id}:{what}:because"))
        self._license_id, self._what = license_id, what

    async def pressed(self, interaction: Interaction) -> None:
        await Reason(self._license_id, self._what).open(interaction)


class Reason(Form, template=r"license:v1:(?P<license_id>\d{1,18}):(?P<what>revoke|suspend):form"):
    """Takes the reason; the holder is told it."""

    def __init__(self, license_id: str, what: str) -> None:
        revoke, suspend = _("Revoke license #{id}"), _("Suspend license #{id}")
        super().__init__(
            custom_id=f"license:v1:{license_id}:{what}:form",
            title=(revoke if what == "revoke" else suspend).format(id=license_id),
            fields=[
                Field(
                    name="reason",
                    label=_("Reason"),
                    description=_("The holder is told this."),
                    max_length=NOTES_LIMIT,
                    long=True,
                    required=True,
                )
            ],
        )
        self._license_id, self._what = license_id, what

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge_in_place(interaction)
        await _act(interaction, by, self._license_id, self._what, typed["reason"])


async def _act(interaction: Interaction, by: Actor, license_id: str, what: str, reason: str | None) -> None:
    context = context_of(interaction)
    changed = await QUESTIONS[what].act(context.services, by, f"#{license_id}", reason)
    await interaction.edit_original_response(view=done(changed, what, now_ms=context.clock()))


def confirmation(
    interaction: Interaction, view: LicenseView, what: str, *, reason: str | None = None
) -> discord.ui.LayoutView:
    """Return the question whether to do it; a blank reason is none."""
    reason = (reason or "").strip() or None
    license_id, asked = str(view.license.id), QUESTIONS[what]
    items: list[Persistent] = [Now(license_id, what), Cancel()]
    if asked.with_reason and reason is None:
        items.insert(1, Because(license_id, what))
    return license_layouts.question(
        view,
        context_of(interaction).services.licenses.key_tail(view),
        asked=_(asked.asked),
        consequence=_(asked.consequence),
        reason=reason,
        items=items,
    )


def done(changed: Changed, what: str, *, now_ms: int) -> discord.ui.LayoutView:
    """Return what is said afterwards, under what was changed."""
    text, view = _(QUESTIONS[what].done), changed.after
    said = text.format(id=view.license.id, product=words.plain(view.product.name))
    return note(f"{license_layouts.changes(changed.before, view, now_ms=now_ms)}\n{said}")


ITEMS = (Ask, Now, Because)
FORMS = (Reason,)
