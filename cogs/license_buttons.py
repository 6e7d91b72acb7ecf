"""The buttons beside a license that staff look at; each asks the service for permission again."""

import zlib
from collections.abc import Mapping

import discord

from cogs import custom_responses
from cogs.actors import acknowledge, acknowledge_in_place, actor_of
from cogs.blacklist_buttons import Blacklist
from cogs.context import Interaction, context_of
from cogs.history_buttons import LastValidations
from cogs.license_questions import Ask
from cogs.ui import license_layouts, words
from cogs.ui.forms import Field, Form, in_time
from cogs.ui.persistent import Persistent, button
from i18n import gettext as _
from licensing.choices import LicenseState
from licensing.input_errors import MaxIpsInvalid
from licensing.models import MAX_IPS_LIMIT, NOTES_LIMIT, LicenseView
from licensing.services.changes import Changed, Edit
from licensing.services.switches import whole_number
from licensing.versions import VERSION_LENGTH, pin_text


class Reveal(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):reveal"):
    """Shows the whole key, alone in a message, and has it written down who asked."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Show key"), f"license:v1:{license_id}:reveal"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        key = await context_of(interaction).services.licenses.reveal(by, f"#{self._license_id}")
        await interaction.followup.send(key, ephemeral=True)


class OpenLicense(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):open"):
    """Shows the license in a panel of its own."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Open license"), f"license:v1:{license_id}:open"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        view = await context_of(interaction).services.licenses.view(by, f"#{self._license_id}")
        await interaction.followup.send(view=panel(interaction, view), ephemeral=True)


class Refresh(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):refresh"):
    """Shows the license as it is now."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Refresh"), f"license:v1:{license_id}:refresh"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        view = await context_of(interaction).services.licenses.view(by, f"#{self._license_id}")
        await interaction.edit_original_response(view=panel(interaction, view))


class Reinstate(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):reinstate"):
    """Ends a suspension."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Reinstate"), f"license:v1:{license_id}:reinstate", discord.ButtonStyle.success))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        changed = await context_of(interaction).services.changes.reinstate(by, f"#{self._license_id}")
        await interaction.edit_original_response(view=changed_panel(interaction, changed))


class Extend(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):extend"):
    """Asks how much time to add."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Extend…"), f"license:v1:{license_id}:extend"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        await ExtendForm(self._license_id).open(interaction)


class ExtendForm(Form, template=r"license:v1:(?P<license_id>\d{1,18}):extend:form"):
    """Takes the time to add."""

    def __init__(self, license_id: str) -> None:
        description = _("Added to the end: 30d, 1y6mo; or a new end: 2027-01-01, never")
        super().__init__(
            custom_id=f"license:v1:{license_id}:extend:form",
            title=_("Extend license #{id}").format(id=license_id),
            fields=[Field("duration", _("How long"), description, required=True)],
        )
        self._license_id = license_id

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge_in_place(interaction)
        changes = context_of(interaction).services.changes
        changed = await changes.extend(by, f"#{self._license_id}", typed["duration"])
        await interaction.edit_original_response(view=changed_panel(interaction, changed))


class EditLicense(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):edit"):
    """Opens the license's form, filled in with how it is now."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Edit…"), f"license:v1:{license_id}:edit"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by, changes = actor_of(interaction), context_of(interaction).services.changes
        view = await in_time(changes.editable(by, f"#{self._license_id}"))
        filled = {"max_ips": str(view.license.max_ips or 0), "notes": view.license.notes or ""}
        await EditForm(self._license_id, *map(_mark, filled.values())).open(interaction, filled)


class EditForm(
    Form,
    template=r"license:v1:(?P<license_id>\d{1,18}):edit:form:(?P<max_ips>[0-9a-f]{8}):(?P<notes>[0-9a-f]{8})",
):
    """Takes a new address limit, notes and end.

    Its id marks what it was filled in with: what was left as it was is not written, so that nobody's change of
    something else, made while the form was open, is undone.
    """

    def __init__(self, license_id: str, max_ips: str, notes: str) -> None:
        super().__init__(
            custom_id=f"license:v1:{license_id}:edit:form:{max_ips}:{notes}",
            title=_("Edit license #{id}").format(id=license_id),
            fields=[
                Field("max_ips", _("Address limit"), _("0 is any number")),
                Field("notes", _("Notes"), _("Something only staff see"), max_length=NOTES_LIMIT, long=True),
                Field("expiry", _("New end"), _("30d, 2027-01-01, never; empty leaves it as it is")),
            ],
        )
        self._license_id, self._max_ips, self._notes = license_id, max_ips, notes

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge_in_place(interaction)
        max_ips, notes = typed["max_ips"] or "0", typed["notes"]
        limit = whole_number(max_ips, most=MAX_IPS_LIMIT, refusal=MaxIpsInvalid) or 0
        edit = Edit(
            max_ips=None if _mark(max_ips) == self._max_ips else limit,
            notes=None if _mark(notes) == self._notes else notes,
            expiry=typed["expiry"] or None,
        )
        changed = await context_of(interaction).services.changes.edit(by, f"#{self._license_id}", edit)
        await interaction.edit_original_response(view=changed_panel(interaction, changed))


class PinVersion(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):pin"):
    """Opens the form for the versions that a license may run."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Pin version…"), f"license:v1:{license_id}:pin"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by, changes = actor_of(interaction), context_of(interaction).services.changes
        found = (await in_time(changes.editable(by, f"#{self._license_id}"))).license
        pin = pin_text(found.version_pinned, found.version_min, found.version_max)
        await PinForm(self._license_id).open(interaction, {"version": pin})


class PinForm(Form, template=r"license:v1:(?P<license_id>\d{1,18}):pin:form"):
    """Takes the version, or the range, that a license may run."""

    def __init__(self, license_id: str) -> None:
        description = _("1.4.0, >=2.1 <2.4 or 1.x; empty or - lets it run any that the product allows")
        super().__init__(
            custom_id=f"license:v1:{license_id}:pin:form",
            title=_("Pin license #{id}").format(id=license_id),
            fields=[Field("version", _("Version"), description, max_length=3 * VERSION_LENGTH)],
        )
        self._license_id = license_id

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge_in_place(interaction)
        version = "" if typed["version"] == "-" else typed["version"]
        changed = await context_of(interaction).services.changes.pin(by, f"#{self._license_id}", version)
        await interaction.edit_original_response(view=await pinned_panel(interaction, changed))


class Response(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):custom"):
    """Opens the form for what a license's answers say in place of its product's custom response."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Response…"), f"license:v1:{license_id}:custom"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        await ask_response(interaction, f"#{self._license_id}")


class ResponseForm(Form, template=r"license:v1:(?P<license_id>\d{1,18}):custom:form"):
    """Takes a license's own custom response."""

    def __init__(self, license_id: str) -> None:
        super().__init__(
            custom_id=f"license:v1:{license_id}:custom:form",
            title=_("Response of license #{id}").format(id=license_id),
            fields=[custom_responses.response_field()],
        )
        self._license_id = license_id

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        is_panel = interaction.message is not None and interaction.message.flags.components_v2
        await (acknowledge_in_place if is_panel else acknowledge)(interaction)
        await change_response(interaction, f"#{self._license_id}", typed["custom"])


async def ask_response(interaction: Interaction, license_: str) -> None:
    """Open the form of a license's own custom response."""
    by, changes = actor_of(interaction), context_of(interaction).services.changes
    found = (await in_time(changes.editable(by, license_))).license
    await custom_responses.open_form(interaction, ResponseForm(str(found.id)), found.custom)


async def change_response(interaction: Interaction, license_: str, text: str | None) -> None:
    """Set a license's own custom response, show the license, and the response as it is kept."""
    changed = await context_of(interaction).services.changes.override(actor_of(interaction), license_, text)
    await interaction.edit_original_response(view=changed_panel(interaction, changed))
    if changed.after.license.custom is not None:
        said = _("License #{id} answers with this, merged over the product's custom response:")
        said = said.format(id=changed.after.license.id)
        await custom_responses.show(interaction, said, changed.after.license.custom)


def _mark(text: str) -> str:
    return f"{zlib.crc32(text.strip().encode()):08x}"


def panel(interaction: Interaction, view: LicenseView, *, lead: str = "") -> discord.ui.LayoutView:
    """Return what staff see of a license, with what can be done about it."""
    license_id = str(view.license.id)
    items: list[Persistent] = [Reveal(license_id), Refresh(license_id)]
    if view.license.revoked_at_ms is None:
        items += _for_one_that_lives(view)
    items.append(LastValidations(license_id))
    key_tail = context_of(interaction).services.licenses.key_tail(view)
    now_ms = context_of(interaction).clock()
    return license_layouts.license_panel(view, key_tail, now_ms=now_ms, items=items, lead=lead)


def changed_panel(interaction: Interaction, changed: Changed, *, said: str = "") -> discord.ui.LayoutView:
    """Return a license after a change, with what was changed on top, and what there is to say of it."""
    lead = license_layouts.changes(changed.before, changed.after, now_ms=context_of(interaction).clock())
    return panel(interaction, changed.after, lead=f"{lead}\n{said}" if said else lead)


async def pinned_panel(interaction: Interaction, changed: Changed) -> discord.ui.LayoutView:
    """Return a license after a change that may have pinned it to a version which nothing is known of."""
    after, versions = changed.after.license, context_of(interaction).services.versions
    if after.version_pinned is None or after.version_pinned == changed.before.license.version_pinned:
        return changed_panel(interaction, changed)
    if await versions.is_known(actor_of(interaction), after.product_id, after.version_pinned):
        return changed_panel(interaction, changed)
    said = _("No rule of the product and no version that ran lately is {version}: check that a program names it so.")
    return changed_panel(interaction, changed, said=said.format(version=words.code(after.version_pinned)))


def _for_one_that_lives(view: LicenseView) -> list[Persistent]:
    license_id = str(view.license.id)
    items: list[Persistent] = []
    if view.license.expires_at_ms is not None:
        items.append(Extend(license_id))
    items += [EditLicense(license_id), PinVersion(license_id), Response(license_id)]
    suspended = view.license.state is LicenseState.SUSPENDED
    items.append(Reinstate(license_id) if suspended else Ask(license_id, "suspend"))
    if view.addresses or view.devices:
        items.append(Ask(license_id, "reset"))
    return [*items, Blacklist(license_id), Ask(license_id, "revoke")]


ITEMS = (Reveal, OpenLicense, Refresh, Reinstate, Extend, EditLicense, PinVersion, Response)
FORMS = (ExtendForm, EditForm, PinForm, ResponseForm)
