"""Where a setting was written (file or environment), and the sentence when it was written wrongly there."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from i18n import gettext as _

PREFIX = "KEYPORT_"
DEFAULT_FILE = Path("config.toml")
PASSPHRASE = "KEYPORT_BACKUP_PASSPHRASE"  # noqa: S105 - the name of the variable, not its value

# Kubernetes and Docker links announce a service named "keyport" in these; they are nobody's typing error.
_ANNOUNCED = re.compile(r"KEYPORT(_\w+)?_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)")
_ANNOUNCED_VALUE = re.compile(r"(tcp|udp|sctp)://")

SettingPath = tuple[str, ...]


class ConfigError(Exception):
    """The settings cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The settings as written, by place."""

    file: Path | None
    table: Mapping[str, Any]
    variables: Mapping[SettingPath, str]

    @classmethod
    def read(cls, path: Path | None, environ: Mapping[str, str]) -> "Sources":
        """Read the file and pick KeyPort's variables from the environment."""
        file = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
        variables = {
            tuple(name.removeprefix(PREFIX).lower().split("__")): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and not _is_announced(name, value) and name != PASSPHRASE
        }
        return cls(file=file, table=_read_toml(file) if file else {}, variables=variables)

    def merged(self) -> dict[str, Any]:
        """Lay the environment over the file."""
        merged = _copied(self.table)
        for path, value in self.variables.items():
            inner = merged
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
                if not isinstance(inner, dict):
                    raise ConfigError(_not_a_section(self._place(path[:1]), path[0]))
            inner[path[-1]] = value
        return merged

    def explain(self, error: ValidationError) -> str:
        """Put the first thing that is wrong into one sentence."""
        first = error.errors(include_url=False, include_input=False)[0]
        path = tuple(str(step) for step in first["loc"] if not isinstance(step, int) and step != "[key]")
        problem = _problem(first["type"], first["msg"], first.get("ctx", {}), path)
        if not path:
            return f"{self._place(path)}: {problem}."
        return f"{self._place(path)}: {self._named(path)} {problem}."

    def _place(self, path: SettingPath) -> str:
        if any(variable[: len(path)] == path for variable in self.variables if path):
            return _("environment")
        return str(self.file) if self.file else _("configuration")

    def _named(self, path: SettingPath) -> str:
        return variable_name(path) if path in self.variables else ".".join(path)


def variable_name(path: SettingPath) -> str:
    """Return the environment's name of a setting: `("api", "port")` is `KEYPORT_API__PORT`."""
    return PREFIX + "__".join(path).upper()


def refuse_unknown_names(sources: Sources, model: type[BaseModel]) -> None:
    """Refuse a misspelt variable or key, which nobody would read.

    Raises:
        ConfigError: names the nearest setting there is.
    """
    for path in sources.variables:
        known = _known_beside(path, model)
        if path not in known:
            raise ConfigError(_no_such_setting(path, known, place=_("environment"), spell=variable_name))
    for path in _written_paths(sources.table):
        known = _known_beside(path, model)
        # A section that was given a plain value is known, and refused for that by its type.
        if not any(setting[: len(path)] == path for setting in known):
            raise ConfigError(_no_such_setting(path, known, place=str(sources.file), spell=".".join))


def known_paths(model: type[BaseModel], prefix: SettingPath = (), entry: str = "*") -> Iterator[SettingPath]:
    """Yield the path of every setting; `entry` stands for a name that the operator chooses (a plan's)."""
    for name, field in model.model_fields.items():
        inner, chosen = _section_of(field.annotation)
        if inner:
            yield from known_paths(inner, (*prefix, name, entry) if chosen else (*prefix, name), entry)
        else:
            yield (*prefix, name)


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    values = [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return (values[0], True) if values else (None, False)


def _known_beside(path: SettingPath, model: type[BaseModel]) -> list[SettingPath]:
    return list(known_paths(model, entry=path[1] if len(path) > 1 else "*"))


def _no_such_setting(
    path: SettingPath, known: list[SettingPath], *, place: str, spell: Callable[[SettingPath], str]
) -> str:
    written = spell(path)
    names = {".".join(setting): spell(setting) for setting in known}
    near = difflib.get_close_matches(".".join(path), names, n=1, cutoff=0.5)
    if near:
        advice = _("{place}: there is no setting {written}; did you mean {near}?")
    else:
        advice = _("{place}: there is no setting {written}; config.example.toml lists those there are.")
    return advice.format(place=place, written=written, near=names[near[0]] if near else "")


def _written_paths(table: Mapping[str, Any], prefix: SettingPath = ()) -> Iterator[SettingPath]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _written_paths(value, (*prefix, name))
        else:
            yield (*prefix, name)


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        # Notepad writes a byte order mark, which TOML does not know.
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            _("{file}: there is no such file; copy config.example.toml to it, or leave --config out.").format(
                file=file
            )
        ) from None
    except OSError as error:
        raise ConfigError(
            _("{file}: cannot be read ({reason}); give --config a file that KeyPort may read.").format(
                file=file, reason=error.strerror
            )
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise ConfigError(_("{file}: is not a TOML file; save it as UTF-8 text.").format(file=file)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            _("{file}: is not well-formed TOML: {reason}; mend that line.").format(file=file, reason=error)
        ) from None


def _copied(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in table.items()}


def _is_announced(name: str, value: str) -> bool:
    return bool(_ANNOUNCED.fullmatch(name) or _ANNOUNCED_VALUE.match(value))


def _not_a_section(place: str, name: str) -> str:
    return _("{place}: {name} must be a section, written as [{name}].").format(place=place, name=name)


def _problem(kind: str, text: str, context: Mapping[str, Any], path: SettingPath) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return _("must be a section, written as [{name}]").format(name=".".join(path))
    template = _problems().get(kind)
    # Words of pydantic that are not ours yet: they name the rule, never the value.
    return template.format(**context) if template else text[:1].lower() + text[1:]


def _problems() -> Mapping[str, str]:
    whole = _("must be a whole number")
    return {
        "int_parsing": whole,
        "int_type": whole,
        "int_from_float": whole,
        "finite_number": whole,
        "int_parsing_size": whole,
        "greater_than_equal": _("must be at least {ge}"),
        "less_than_equal": _("must be at most {le}"),
        "bool_parsing": _("must be true or false"),
        "bool_type": _("must be true or false"),
        "literal_error": _("must be one of {expected}"),
        "string_type": _("must be text in quotes"),
        "tuple_type": _('must be a list such as ["10.0.0.1"]'),
        "string_pattern_mismatch": _("holds characters that do not belong there, or none"),
    }
