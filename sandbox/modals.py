"""What may stand in a modal, and what a person may submit."""

from collections.abc import Callable
from typing import Any

from sandbox import rules
from sandbox.components import (
    SELECTS,
    Kind,
    bounds,
    check_custom_ids,
    check_options,
    check_select,
    check_text,
    number,
    walk,
)
from sandbox.errors import DriverError, Form, Json

MAX_INPUT = 4000
IN_LABEL = SELECTS | {
    Kind.TEXT_INPUT,
    Kind.FILE_UPLOAD,
    Kind.RADIO_GROUP,
    Kind.CHECKBOX_GROUP,
    Kind.CHECKBOX,
}


def check_modal(form: Form, modal: Json) -> Json:
    """Check a modal; give it with its components numbered."""
    rules.text(form, modal, "custom_id", least=1, most=100, needed=True)
    rules.text(form, modal, "title", least=1, most=45, needed=True)
    components = rules.rows(form, modal, "components", least=1, most=5)
    for index, component in enumerate(components):
        at = form.at("components", index)
        kind = rules.one_of(at, component, "type", {Kind.ROW, Kind.TEXT, Kind.LABEL})
        if kind is not None:
            _TOP[Kind(kind)](at, component)
    check_custom_ids(form.at("components"), components)
    form.check()
    return {**modal, "components": number(components)}


def _check_row(form: Form, row: Json) -> None:
    for index, child in enumerate(rules.rows(form, row, "components", least=1, most=1)):
        at = form.at("components", index)
        if rules.one_of(at, child, "type", {Kind.TEXT_INPUT}):
            rules.text(at, child, "label", least=1, most=45, needed=True)
            _check_input(at, child)


def _check_label(form: Form, label: Json) -> None:
    rules.text(form, label, "label", least=1, most=45, needed=True)
    rules.text(form, label, "description", most=100)
    child = label.get("component")
    if not isinstance(child, dict):
        rules.required(form.at("component"))
        return
    at = form.at("component")
    kind = rules.one_of(at, child, "type", IN_LABEL)
    if kind is None:
        return
    if child.get("label") and kind == Kind.TEXT_INPUT:
        at.at("label").add("TEXT_INPUT_LABEL_IN_LABEL", "Inside a label a text input has no label of its own")
    if child.get("disabled"):
        at.at("disabled").add("MODAL_COMPONENT_DISABLED", "Nothing in a modal can be disabled")
    _CHILD[Kind(kind)](at, child)


def _check_input(form: Form, field: Json) -> None:
    rules.text(form, field, "custom_id", least=1, most=100, needed=True)
    rules.one_of(form, field, "style", {1, 2})
    least = rules.integer(form, field, "min_length", least=0, most=MAX_INPUT) or 0
    most = rules.integer(form, field, "max_length", least=1, most=MAX_INPUT) or MAX_INPUT
    rules.text(form, field, "placeholder", most=100)
    rules.text(form, field, "value", most=most)
    if least > most:
        form.at("min_length").add("TEXT_INPUT_MIN_EXCEEDS_MAX", "min_length exceeds max_length")


def _check_upload(form: Form, field: Json) -> None:
    rules.text(form, field, "custom_id", least=1, most=100, needed=True)
    rules.integer(form, field, "min_values", least=0, most=10)
    rules.integer(form, field, "max_values", least=1, most=10)


def _check_radio(form: Form, field: Json) -> None:
    rules.text(form, field, "custom_id", least=1, most=100, needed=True)
    check_options(form, field, least=2, most=10)


def _check_boxes(form: Form, field: Json) -> None:
    rules.text(form, field, "custom_id", least=1, most=100, needed=True)
    check_options(form, field, most=10)


def _check_box(form: Form, field: Json) -> None:
    rules.text(form, field, "custom_id", least=1, most=100, needed=True)


_TOP: dict[Kind, Callable[[Form, Json], None]] = {
    Kind.ROW: _check_row,
    Kind.LABEL: _check_label,
    Kind.TEXT: check_text,
}
_CHILD: dict[Kind, Callable[[Form, Json], None]] = {
    **dict.fromkeys(SELECTS, check_select),
    Kind.TEXT_INPUT: _check_input,
    Kind.FILE_UPLOAD: _check_upload,
    Kind.RADIO_GROUP: _check_radio,
    Kind.CHECKBOX_GROUP: _check_boxes,
    Kind.CHECKBOX: _check_box,
}


def fields(modal: Json) -> list[tuple[str, Json]]:
    """What can be filled in: the words beside each field, and the field."""
    found = []
    for component in modal["components"]:
        if component["type"] == Kind.LABEL:
            found.append((component["label"], component["component"]))
        elif component["type"] == Kind.ROW:
            found += [(child["label"], child) for child in component["components"]]
    return found


def is_required(field: Json) -> bool:
    return field.get("required") is not False


def filled(modal: Json, given: dict[str, Any]) -> list[Json]:
    """The components of a submission; raise where the form on the screen would not let itself be sent.

    `given` maps custom ids to text, option values (a list), or a boolean; the rest keeps what the form showed.
    """
    answers = {field["custom_id"]: _answer(words, field, given) for words, field in fields(modal)}
    return [_submitted(component, answers) for component in modal["components"]]


def _submitted(component: Json, answers: dict[str, Json]) -> Json:
    base = {"type": component["type"], "id": component["id"]}
    if component["type"] == Kind.LABEL:
        return {**base, "component": answers[component["component"]["custom_id"]]}
    if component["type"] == Kind.ROW:
        return {**base, "components": [answers[child["custom_id"]] for child in component["components"]]}
    return base


def _answer(words: str, field: Json, given: dict[str, Any]) -> Json:
    kind = Kind(field["type"])
    base = {"type": int(kind), "id": field["id"], "custom_id": field["custom_id"]}
    value = given.get(field["custom_id"])
    if kind == Kind.TEXT_INPUT:
        return {**base, "value": _written(words, field, field.get("value") or "" if value is None else value)}
    if kind == Kind.CHECKBOX:
        return {**base, "value": bool(field.get("default") if value is None else value)}
    if kind == Kind.RADIO_GROUP:
        picked = _picked(words, field, value)
        return {**base, "value": picked[0] if picked else None}
    return {**base, "values": _picked(words, field, value)}


def _written(words: str, field: Json, value: Any) -> str:
    if not isinstance(value, str):
        raise DriverError(f"{words!r} takes text, not {value!r}.")
    if not value and is_required(field):
        raise DriverError(f"{words!r} is required.")
    least, most = field.get("min_length") or 0, field.get("max_length") or MAX_INPUT
    if value and not least <= len(value) <= most:
        raise DriverError(f"{words!r} takes {least} to {most} characters, not {len(value)}.")
    return value


def _picked(words: str, field: Json, value: Any) -> list[str]:
    options = field.get("options")
    if value is None:
        values = [each["value"] for each in options or [] if each.get("default")]
    else:
        values = [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
    if options is not None:
        names = {each["label"]: each["value"] for each in options} | {
            each["value"]: each["value"] for each in options
        }
        unknown = [each for each in values if each not in names]
        if unknown:
            raise DriverError(f"{words!r} has no option {unknown[0]!r}; it has {sorted(names)}.")
        values = [names[each] for each in values]
    least, most = bounds(field)
    if not values and not is_required(field):
        least = 0
    if not least <= len(values) <= most:
        raise DriverError(f"{words!r} takes {least} to {most} choices, not {len(values)}.")
    return values


def uploads(modal: Json) -> set[str]:
    """The custom ids of a modal's file fields."""
    return {each["custom_id"] for each in walk(modal["components"]) if each["type"] == Kind.FILE_UPLOAD}
