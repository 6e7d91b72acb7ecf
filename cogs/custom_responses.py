"""Custom responses, typed into a form or uploaded as a file, shown as they are kept."""

import io
import json
from collections.abc import Mapping
from typing import Any

import discord

from cogs.actors import acknowledge, actor_of
from cogs.context import Interaction, context_of
from cogs.ui import words
from cogs.ui.forms import Field, Form, in_time
from i18n import gettext as _
from licensing.custom import CUSTOM_BYTES
from licensing.input_errors import CustomAmbiguous, CustomTooLarge, FileBlank, FileUnreadable
from licensing.models import Product

FORM_LENGTH = 4_000  # what Discord lets a form hold

_FILE = "response.json"
_FILE_BYTES = 8 * CUSTOM_BYTES  # blanks and line breaks do not count, within reason
_BLOCK_LENGTH = 1_700  # of the 2,000 characters of a message


class ProductResponse(Form, template=r"product:v1:(?P<product_id>\d{1,18}):custom:form"):
    """Takes a product's custom response."""

    def __init__(self, product_id: str) -> None:
        super().__init__(
            custom_id=f"product:v1:{product_id}:custom:form", title=_("Custom response"), fields=[response_field()]
        )
        self._product_id = int(product_id)

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        await acknowledge(interaction)
        await change_product(interaction, self._product_id, typed["custom"])


def response_field() -> Field:
    """Return where the JSON is typed."""
    description = _('A JSON object, such as {"tier": "gold"}; empty takes it away')
    return Field("custom", _("Custom response"), description, max_length=FORM_LENGTH, long=True)


async def open_form(interaction: Interaction, form: Form, custom: str | None) -> None:
    """Open a form filled in with what there is, or hand that over as a file where no form can hold it."""
    text = _readable(custom)
    if len(text) <= FORM_LENGTH:
        await form.open(interaction, {"custom": text})
        return
    said = _("This custom response is longer than a form may be: change it in this file, and upload that instead.")
    await interaction.response.send_message(said, file=_file(text), ephemeral=True)


async def ask_product(interaction: Interaction, product: str) -> None:
    """Open the form of a product's custom response."""
    by, catalog = actor_of(interaction), context_of(interaction).services.catalog
    found = (await in_time(catalog.changeable(by, product))).product
    await open_form(interaction, ProductResponse(str(found.id)), found.custom)


async def change_product(interaction: Interaction, product: str | int, text: str | None) -> None:
    """Set a product's custom response, and show it as it is kept."""
    catalog = context_of(interaction).services.catalog
    changed = await catalog.change_custom(actor_of(interaction), product, text)
    await show(interaction, _told(changed.after), changed.after.custom)


async def show(interaction: Interaction, said: str, custom: str | None) -> None:
    """Show a custom response as it is kept: in the message, or as a file where that is not possible."""
    if custom is None:
        await interaction.followup.send(said, ephemeral=True)
    elif len(custom) <= _BLOCK_LENGTH and "```" not in custom:
        await interaction.followup.send(f"{said}\n```json\n{custom}\n```", ephemeral=True)
    else:
        await interaction.followup.send(said, file=_file(custom), ephemeral=True)


async def text_of(file: discord.Attachment, *, clear: bool) -> str:
    """Return what an uploaded file says; that it is blank takes nothing away, and so it cannot clear at once.

    Raises: CustomTooLarge, FileUnreadable, FileBlank, CustomAmbiguous.
    """
    if clear:
        raise CustomAmbiguous
    if file.size > _FILE_BYTES:
        raise CustomTooLarge(limit=CUSTOM_BYTES)
    try:
        text = (await file.read()).decode()
    except (UnicodeDecodeError, discord.NotFound, discord.Forbidden) as error:
        raise FileUnreadable(name=file.filename) from error
    if not text.removeprefix("\ufeff").strip():
        raise FileBlank(name=file.filename)
    return text


def _told(product: Product) -> str:
    name = words.plain(product.name)
    if product.custom is None:
        return _("**{product}** has no custom response any more.").format(product=name)
    size = len(product.custom.encode())
    told = _("**{product}** answers valid licenses with this ({size} of {limit} bytes):")
    if not product.settings.custom_response:
        told = _(
            "**{product}** keeps this ({size} of {limit} bytes), but leaves custom responses out of its answers; "
            "`/product settings` changes that."
        )
    return told.format(product=name, size=size, limit=CUSTOM_BYTES)


def _readable(custom: str | None) -> str:
    """Return a custom response with its members on lines of their own, if a form can hold that."""
    if custom is None:
        return ""
    value: Any = json.loads(custom)
    indented = json.dumps(value, indent=2, ensure_ascii=False)
    return indented if len(indented) <= FORM_LENGTH else custom


def _file(text: str) -> discord.File:
    return discord.File(io.BytesIO(text.encode()), _FILE)


FORMS = (ProductResponse,)
