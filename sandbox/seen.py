"""What there is to see in messages and forms: texts, buttons, menus, fields."""

from dataclasses import dataclass
from typing import Any

from sandbox import modals
from sandbox.components import SELECTS, Kind, bounds, walk
from sandbox.embeds import embed_text
from sandbox.errors import Json
from sandbox.messages import Upload
from sandbox.model import Message


@dataclass(frozen=True)
class Button:
    label: str
    custom_id: str | None
    style: int
    disabled: bool
    url: str | None
    message: Message


@dataclass(frozen=True)
class Select:
    placeholder: str
    custom_id: str
    kind: int
    options: dict[str, str]  # label to value; empty for selects of users, roles and channels
    disabled: bool
    least: int
    most: int
    message: Message


@dataclass(frozen=True)
class Field:
    label: str
    custom_id: str
    kind: int
    value: str
    required: bool
    min_length: int
    max_length: int
    placeholder: str
    options: dict[str, str]


@dataclass(frozen=True)
class Modal:
    title: str
    custom_id: str
    fields: list[Field]

    @property
    def text(self) -> str:
        return "\n".join([self.title, *(field.label for field in self.fields)])


def message_text(message: Message) -> str:
    """Everything a reader reads in a message: content, embeds, text displays."""
    texts = [each["content"] for each in walk(message.components) if each["type"] == Kind.TEXT]
    return "\n".join(part for part in [message.content, *map(embed_text, message.embeds), *texts] if part)


def plain(value: Any) -> Any:
    """What an option, field or menu takes for a person, role, channel or file of the driver's."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], bytes):  # noqa: PLR2004 - a name and its bytes
        return Upload(value[0], value[1])
    return getattr(value, "id", value)


def buttons(messages: list[Message]) -> list[Button]:
    return [
        Button(
            each.get("label") or (each.get("emoji") or {}).get("name") or "",
            each.get("custom_id"),
            each["style"],
            bool(each.get("disabled")),
            each.get("url"),
            message,
        )
        for message in messages
        for each in walk(message.components)
        if each["type"] == Kind.BUTTON
    ]


def selects(messages: list[Message]) -> list[Select]:
    return [
        Select(
            each.get("placeholder") or "",
            each["custom_id"],
            each["type"],
            {option["label"]: option["value"] for option in each.get("options") or []},
            bool(each.get("disabled")),
            *bounds(each),
            message,
        )
        for message in messages
        for each in walk(message.components)
        if each["type"] in SELECTS
    ]


def modal(form: Json) -> Modal:
    return Modal(form["title"], form["custom_id"], [_field(*each) for each in modals.fields(form)])


def _field(label: str, field: Json) -> Field:
    return Field(
        label,
        field["custom_id"],
        field["type"],
        field.get("value") or "",
        modals.is_required(field),
        field.get("min_length") or 0,
        field.get("max_length") or modals.MAX_INPUT,
        field.get("placeholder") or "",
        {option["label"]: option["value"] for option in field.get("options") or []},
    )
