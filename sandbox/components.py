"""What may stand in a message: rows, buttons, selects, and the layouts of Components V2."""

from collections.abc import Callable, Iterator
from enum import IntEnum

from sandbox import rules
from sandbox.errors import Form, Json


class Kind(IntEnum):
    """Component types by their documented numbers."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT = 10
    THUMBNAIL = 11
    GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


class Style(IntEnum):
    """Button styles; those up to DANGER are pressed, the others lead elsewhere."""

    PRIMARY = 1
    SECONDARY = 2
    SUCCESS = 3
    DANGER = 4
    LINK = 5
    PREMIUM = 6


SELECTS = frozenset(
    {
        Kind.STRING_SELECT,
        Kind.USER_SELECT,
        Kind.ROLE_SELECT,
        Kind.MENTIONABLE_SELECT,
        Kind.CHANNEL_SELECT,
    }
)
IN_CONTAINER = frozenset({Kind.ROW, Kind.SECTION, Kind.TEXT, Kind.GALLERY, Kind.FILE, Kind.SEPARATOR})
DEFAULTS = {  # what may be chosen beforehand in a select that fills itself
    Kind.USER_SELECT: frozenset({"user"}),
    Kind.ROLE_SELECT: frozenset({"role"}),
    Kind.MENTIONABLE_SELECT: frozenset({"user", "role"}),
    Kind.CHANNEL_SELECT: frozenset({"channel"}),
}
ON_TOP = IN_CONTAINER | {Kind.CONTAINER}
ROW_WIDTH = 5
MAX_ROWS = 5
MAX_COMPONENTS = 40
MAX_TEXT = 4000
MAX_OPTIONS = 25
LONGEST_EMOJI = 16  # code points of a family with skin tones
MEDIA = ("http", "https", "attachment")


def walk(components: list[Json]) -> Iterator[Json]:
    """Every component of a tree, parents before children."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        inner = [component[key] for key in ("accessory", "component") if isinstance(component.get(key), dict)]
        yield from walk(inner)


def bounds(holder: Json) -> tuple[int, int]:
    """How few and how many values a select or group takes; null means the default of one."""
    least, most = holder.get("min_values"), holder.get("max_values")
    return (1 if least is None else least), (1 if most is None else most)


def number(components: list[Json]) -> list[Json]:
    """Give every component that has none an id, and other ids as strings, as Discord does in its answer."""
    taken = {component.get("id") for component in walk(components)}
    following = 1
    for component in walk(components):
        if not component.get("id"):
            while following in taken:
                following += 1
            component["id"] = following
            taken.add(following)
        for default in component.get("default_values") or []:
            default["id"] = str(default["id"])
    return components


def check_message(form: Form, body: Json, *, layout: bool) -> list[Json]:
    """Check a message's components; `layout` says that its flags ask for Components V2."""
    if not layout:
        found = rules.rows(form, body, "components", most=MAX_ROWS)
        for index, component in enumerate(found):
            _check(form.at("components", index), component, {Kind.ROW})
    else:
        found = rules.rows(form, body, "components", least=1, most=MAX_COMPONENTS)
        for index, component in enumerate(found):
            _check(form.at("components", index), component, ON_TOP)
        _check_totals(form.at("components"), found)
    check_custom_ids(form.at("components"), found)
    return found


def _check_totals(form: Form, found: list[Json]) -> None:
    everything = list(walk(found))
    if len(everything) > MAX_COMPONENTS:
        form.add(
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"Total number of components exceeds {MAX_COMPONENTS}",
        )
    shown = sum(len(str(each.get("content", ""))) for each in everything if each.get("type") == Kind.TEXT)
    if shown > MAX_TEXT:
        form.add("COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"Total text exceeds {MAX_TEXT} characters")


def check_custom_ids(form: Form, found: list[Json]) -> None:
    """Check that no custom id and no id stands twice in one message or modal."""
    for key, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        seen = set()
        for value in [each[key] for each in walk(found) if each.get(key)]:
            if value in seen:
                form.add(code, f"Component {key.replace('_', ' ')} cannot be duplicated")
            seen.add(value)


def _check(form: Form, component: Json, allowed: set[Kind] | frozenset[Kind]) -> None:
    kind = rules.one_of(form, component, "type", allowed)
    if kind is not None:
        rules.integer(form, component, "id", least=0, most=2**31 - 1)
        _CHECKS[Kind(kind)](form, component)


def _check_row(form: Form, row: Json) -> None:
    children = rules.rows(form, row, "components", least=1, most=ROW_WIDTH)
    for index, child in enumerate(children):
        _check(form.at("components", index), child, SELECTS | {Kind.BUTTON})
    if len(children) > 1 and any(child.get("type") in SELECTS for child in children):
        form.at("components").add("COMPONENT_LAYOUT_WIDTH_EXCEEDED", "A select menu fills its row alone")


def _check_button(form: Form, button: Json) -> None:
    style = rules.one_of(form, button, "style", set(Style))
    rules.text(form, button, "label", most=80)
    rules.flag(form, button, "disabled")
    if style == Style.LINK:
        rules.address(form, button, "url", schemes=("http", "https", "discord"), most=512)
        if not button.get("url"):
            rules.required(form.at("url"))
        if button.get("custom_id"):
            form.at("custom_id").add("BUTTON_COMPONENT_CUSTOM_ID_INVALID", "A link has a url, no custom id")
    elif style != Style.PREMIUM:
        rules.text(form, button, "custom_id", least=1, most=100, needed=True)
        if button.get("url"):
            form.at("url").add("BUTTON_COMPONENT_URL_INVALID", "Only link buttons have a url")
    _check_emoji(form, button)
    if style != Style.PREMIUM and not button.get("label") and not button.get("emoji"):
        form.add("BUTTON_COMPONENT_INVALID_EMPTY", "A button needs a label or an emoji")


def _check_emoji(form: Form, holder: Json) -> None:
    emoji = holder.get("emoji") or {}
    name = str(emoji.get("name") or "")
    if emoji and not emoji.get("id") and (name.isascii() or len(name) > LONGEST_EMOJI):
        form.at("emoji", "name").add("BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji")


def check_select(form: Form, select: Json) -> None:
    """Check a select menu of any kind, in a message or a modal."""
    rules.text(form, select, "custom_id", least=1, most=100, needed=True)
    rules.text(form, select, "placeholder", most=150)
    least = rules.integer(form, select, "min_values", least=0, most=MAX_OPTIONS)
    most = rules.integer(form, select, "max_values", least=1, most=MAX_OPTIONS)
    if (1 if least is None else least) > (1 if most is None else most):
        form.at("min_values").add("SELECT_COMPONENT_MIN_EXCEEDS_MAX", "min_values exceeds max_values")
    if select["type"] == Kind.STRING_SELECT:
        options = check_options(form, select, most=MAX_OPTIONS)
        if most is not None and most > len(options):
            form.at("max_values").add(
                "SELECT_COMPONENT_MAX_VALUES_EXCEEDED", "max_values exceeds the number of options"
            )
        if sum(bool(each.get("default")) for each in options) > (1 if most is None else most):
            form.at("options").add("SELECT_COMPONENT_TOO_MANY_DEFAULTS", "More options are default than max_values")
    else:
        _check_defaults(form, select, DEFAULTS[Kind(select["type"])])


def _check_defaults(form: Form, select: Json, kinds: frozenset[str]) -> None:
    found = rules.rows(form, select, "default_values", most=MAX_OPTIONS)
    least, most = bounds(select)
    if found and rules.is_integer(least) and rules.is_integer(most) and not least <= len(found) <= most:
        form.at("default_values").add(
            "SELECT_COMPONENT_DEFAULT_VALUES_OUT_OF_RANGE", f"default_values must number {least} to {most}"
        )
    for index, each in enumerate(found):
        at = form.at("default_values", index)
        if each.get("type") not in kinds:
            listed = ", ".join(repr(kind) for kind in sorted(kinds))
            at.at("type").add("BASE_TYPE_CHOICES", f"Value must be one of ({listed}).")
        if not str(each.get("id") or "").isdecimal():
            at.at("id").add("NUMBER_TYPE_COERCE", f'Value "{each.get("id")}" is not snowflake.')


def check_options(form: Form, holder: Json, *, least: int = 1, most: int) -> list[Json]:
    """Check the options of a select or a group; their values must differ."""
    options = rules.rows(form, holder, "options", least=least, most=most)
    seen = set()
    for index, option in enumerate(options):
        at = form.at("options", index)
        rules.text(at, option, "label", least=1, most=100, needed=True)
        value = rules.text(at, option, "value", least=1, most=100, needed=True)
        rules.text(at, option, "description", most=100)
        _check_emoji(at, option)
        if value in seen:
            at.at("value").add("SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The option's value is taken")
        seen.add(value)
    return options


def _check_section(form: Form, section: Json) -> None:
    for index, child in enumerate(rules.rows(form, section, "components", least=1, most=3)):
        _check(form.at("components", index), child, {Kind.TEXT})
    accessory = section.get("accessory")
    if not isinstance(accessory, dict):
        rules.required(form.at("accessory"))
    else:
        _check(form.at("accessory"), accessory, {Kind.BUTTON, Kind.THUMBNAIL})


def check_text(form: Form, display: Json) -> None:
    """Check a text display."""
    rules.text(form, display, "content", least=1, most=MAX_TEXT, needed=True)


def _check_media(form: Form, holder: Json, key: str, schemes: tuple[str, ...]) -> None:
    media = holder.get(key)
    if not isinstance(media, dict) or not media.get("url"):
        rules.required(form.at(key, "url"))
    else:
        rules.address(form.at(key), media, "url", schemes=schemes)
    rules.text(form, holder, "description", most=1024)


def _check_thumbnail(form: Form, thumbnail: Json) -> None:
    _check_media(form, thumbnail, "media", MEDIA)


def _check_gallery(form: Form, gallery: Json) -> None:
    for index, item in enumerate(rules.rows(form, gallery, "items", least=1, most=10)):
        _check_media(form.at("items", index), item, "media", MEDIA)


def _check_file(form: Form, file: Json) -> None:
    # A file that is already attached comes back under its full address when the message is edited.
    _check_media(form, file, "file", MEDIA)


def _check_separator(form: Form, separator: Json) -> None:
    rules.one_of(form, separator, "spacing", {1, 2}, needed=False)
    rules.flag(form, separator, "divider")


def _check_container(form: Form, container: Json) -> None:
    rules.integer(form, container, "accent_color", least=0, most=0xFFFFFF)
    children = rules.rows(form, container, "components", least=1, most=MAX_COMPONENTS)
    for index, child in enumerate(children):
        _check(form.at("components", index), child, IN_CONTAINER)


_CHECKS: dict[Kind, Callable[[Form, Json], None]] = {
    Kind.ROW: _check_row,
    Kind.BUTTON: _check_button,
    **dict.fromkeys(SELECTS, check_select),
    Kind.SECTION: _check_section,
    Kind.TEXT: check_text,
    Kind.THUMBNAIL: _check_thumbnail,
    Kind.GALLERY: _check_gallery,
    Kind.FILE: _check_file,
    Kind.SEPARATOR: _check_separator,
    Kind.CONTAINER: _check_container,
}
