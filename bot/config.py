"""Every setting of KeyPort: where it may stand, its type, its default, its limits.

A value comes from the environment (`KEYPORT_SECTION__KEY`), else from `config.toml`, else the default here
holds. Whatever is wrong ends in one `ConfigError` whose text is one sentence for the operator; it names the
setting and never shows its value, which could be a secret.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.config_sources import ConfigError, Sources, refuse_unknown_names
from i18n import gettext as _

__all__ = ["Config", "ConfigError", "Network", "Plan", "load"]

Network = IPv4Network | IPv6Network

_SQLITE = "sqlite:///"
_DEFAULT_PLAN = "default"
_SQLITE_FILE = re.compile(r"sqlite:///[^:?#\x00-\x1f][^?#\x00-\x1f]*(?<!/)")
_HOST = r"^[A-Za-z0-9_:%-]{1,63}(\.[A-Za-z0-9_:%-]{1,63})*$"
_WEB_ADDRESS = re.compile(r"https?://(?P<host>[^\s/?#]+)(/[^\s?#]*)?")
_PRINTABLE = re.compile(r"[!-~]*")


def _no_odd_characters(token: SecretStr) -> SecretStr:
    text = token.get_secret_value().strip()
    if not _PRINTABLE.fullmatch(text):
        raise ValueError(_("holds characters no token has; copy it anew from Discord's Developer Portal"))
    return SecretStr(text)


def _printable(token: SecretStr) -> SecretStr:
    if not _PRINTABLE.fullmatch(token.get_secret_value()):
        raise ValueError(_("must hold visible ASCII characters without blanks alone"))
    return token


def _web_address(text: str) -> str:
    match = _WEB_ADDRESS.fullmatch(text)
    if not match:
        raise ValueError(_("must be a web address such as https://discord.com/api/v10"))
    if "@" in match["host"]:
        raise ValueError(_("must not hold a user name or a password"))
    return text.rstrip("/")


def _public_url(text: str) -> str:
    if not text:
        return ""
    match = _WEB_ADDRESS.fullmatch(text)
    if not match or "@" in match["host"]:
        raise ValueError(_("must be a web address such as https://license.example.com, or empty"))
    return text.rstrip("/")


def _database_url(url: str) -> str:
    if url.startswith(("postgres:", "postgresql:", "postgresql+")):
        raise ValueError(
            _("names PostgreSQL, which this version does not support yet; use sqlite:///data/keyport.db")
        )
    if not _SQLITE_FILE.fullmatch(url):
        raise ValueError(_("must name a file, like sqlite:///data/keyport.db"))
    return url


def _sharable(shared: bool) -> bool:  # noqa: FBT001 - a value to be checked
    if shared and not hasattr(socket, "SO_REUSEPORT"):
        raise ValueError(_("must be false on this system, which lets no two processes share a port"))
    return shared


def _split_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: Any) -> Network:
    try:
        return ip_network(value, strict=False) if isinstance(value, str) else _refuse_network()
    except ValueError:
        return _refuse_network()


def _refuse_network() -> Network:
    raise ValueError(_("must hold addresses or ranges such as 10.0.0.1 or 172.16.0.0/12"))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Section(BaseModel):
    """A group of settings: frozen, without unknown keys, silent about the values it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Discord(Section):
    """How the bot reaches Discord."""

    token: Annotated[SecretStr, AfterValidator(_no_odd_characters)] = SecretStr("")
    api_base: Annotated[str, AfterValidator(_web_address)] = "https://discord.com/api/v10"
    members_intent: bool = True

    @property
    def has_token(self) -> bool:
        """Whether a bot can be started at all."""
        return bool(self.token.get_secret_value())


class Database(Section):
    """Where licenses are kept, and the key that makes them readable."""

    url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///data/keyport.db"
    key_file: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]*$")] = ""

    @property
    def path(self) -> Path:
        """The SQLite file; a relative one starts at the working folder."""
        return Path(self.url.removeprefix(_SQLITE))

    @property
    def key_path(self) -> Path:
        """The key file, which lies beside the database unless told otherwise."""
        return Path(self.key_file) if self.key_file else self.path.with_suffix(".key")

    @model_validator(mode="after")
    def _two_files(self) -> Self:
        if self.key_path.absolute() == self.path.absolute():
            raise ValueError(_("needs a key_file that is not the database itself"))
        return self


class Api(Section):
    """Where the HTTP API listens and whom it believes about a caller's address."""

    host: Annotated[str, StringConstraints(pattern=_HOST)] = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    reuse_port: Annotated[bool, AfterValidator(_sharable)] = False
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    trusted_proxies: Annotated[
        tuple[Annotated[Network, BeforeValidator(_network)], ...], BeforeValidator(_split_commas)
    ] = ()
    client_ip_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")] = "X-Forwarded-For"
    ipv6_prefix: int = Field(default=64, ge=1, le=128)


class Log(Section):
    """How much is logged, and in which form."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = "console"


class Cache(Section):
    """What is kept in memory."""

    licenses: int = Field(default=100_000, ge=1)


class Limits(Section):
    """How many calls a minute are taken from whom, before any quota; 0 is no limit."""

    address_per_minute: int = Field(default=600, ge=0, le=60_000)
    license_per_minute: int = Field(default=60, ge=0, le=60_000)
    failures_per_minute: int = Field(default=30, ge=0, le=60_000)
    license_quota_percent: int = Field(default=25, ge=1, le=100)
    address_quota_percent: int = Field(default=50, ge=1, le=100)


class Privacy(Section):
    """What is kept of people."""

    hash_addresses: bool = False


class History(Section):
    """What validations leave behind for staff, and for how long."""

    attempts_per_license: int = Field(default=50, ge=0, le=1_000)
    attempts_days: int = Field(default=30, ge=1, le=3_650)
    refusal_days: int = Field(default=30, ge=1, le=3_650)


class Metrics(Section):
    """Whether figures are shown to Prometheus, and to whom."""

    enabled: bool = True
    token: Annotated[SecretStr, AfterValidator(_printable)] = SecretStr("")


class Plan(Section):
    """The limits of an organization; 0 is no limit."""

    products: int = Field(default=0, ge=0)
    licenses: int = Field(default=0, ge=0)
    calls_per_product_per_day: int = Field(default=0, ge=0)


class Organizations(Section):
    """What holds for an organization that was given nothing else."""

    default_plan: str = _DEFAULT_PLAN


PlanName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Config(Section):
    """All settings; hand out its sections, not the whole."""

    discord: Discord = Discord()
    database: Database = Database()
    api: Api = Api()
    log: Log = Log()
    cache: Cache = Cache()
    limits: Limits = Limits()
    privacy: Privacy = Privacy()
    history: History = History()
    metrics: Metrics = Metrics()
    plans: dict[PlanName, Plan] = Field(default={}, validate_default=True)
    organizations: Organizations = Organizations()

    SECRET: ClassVar[frozenset[str]] = frozenset({"discord.token", "metrics.token"})

    @field_validator("plans")
    @classmethod
    def _a_default_plan_always_exists(cls, plans: dict[str, Plan]) -> dict[str, Plan]:
        return {_DEFAULT_PLAN: Plan()} | plans

    @model_validator(mode="after")
    def _the_default_plan_is_defined(self) -> Self:
        name = self.organizations.default_plan
        if name not in self.plans:
            known = ", ".join(sorted(self.plans))
            raise ValueError(
                _("organizations.default_plan must name a plan that is defined: {known}").format(known=known)
            )
        return self

    def describe(self) -> Iterator[str]:
        """Yield one line per setting as it is in force; of a secret only whether it is set."""
        for name, value in _leaves(self):
            secret = name in self.SECRET
            yield f"{name} = {_masked(value) if secret else _written(value)}"
        yield f"# database: {self.database.path.absolute()}"
        yield f"# key file: {self.database.key_path.absolute()}"


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the settings in force; without a path, `config.toml` in the working folder if there is one.

    Raises:
        ConfigError: one sentence that says which setting is wrong, where it stands and what to do.
    """
    sources = Sources.read(path, environ)
    refuse_unknown_names(sources, Config)
    try:
        return Config.model_validate(sources.merged())
    except ValidationError as error:
        # What pydantic says is put into our words; its own text must not follow as a cause.
        raise ConfigError(sources.explain(error)) from None


def _leaves(section: BaseModel | dict[str, Plan], prefix: str = "") -> Iterator[tuple[str, Any]]:
    items = section.items() if isinstance(section, dict) else list(section)
    for name, value in items:
        if isinstance(value, BaseModel | dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _masked(value: SecretStr) -> str:
    return _("set") if value.get_secret_value() else _("not set")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
