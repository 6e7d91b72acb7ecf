"""Settings: the example file is the whole truth, and every mistake ends in one sentence."""

import re
import socket
import tomllib
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest

from bot.config import Config, ConfigError, load
from bot.config_sources import known_paths, variable_name

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("config.toml")
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None = None, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence[-1] in ".?;"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return sentence


def example_leaves(table, prefix=()):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from example_leaves(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def test_the_example_holds_every_setting_with_its_default_and_nothing_else():
    table = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    shipped_plans = {name: table["plans"].pop(name) for name in ("free", "pro")}
    defaults = Config().model_dump(mode="json")
    defaults["discord"]["token"] = ""
    assert dict(example_leaves(table)) == dict(example_leaves(defaults))
    assert {path for path, _value in example_leaves(table)} == set(known_paths(Config, entry="default"))
    assert shipped_plans["free"] == {"products": 10, "licenses": 200, "calls_per_product_per_day": 10_000}
    assert shipped_plans["pro"] == {"products": 200, "licenses": 5_000, "calls_per_product_per_day": 100_000}


def test_every_setting_of_the_example_has_its_comment():
    lines = EXAMPLE.read_text(encoding="utf-8").partition("[plans.free]")[0].splitlines()
    settings = [(before, line) for before, line in pairwise(lines) if re.match(r"[a-z_0-9]+ = ", line)]
    assert [line for before, line in settings if not before.startswith("# ")] == []


def test_the_example_can_be_used_as_it_is():
    assert set(load(EXAMPLE, {}).plans) == {"default", "free", "pro"}


def test_without_a_file_the_defaults_hold():
    config = load(None, {})
    assert config == Config()
    assert config.database.path == Path("data/keyport.db")
    assert config.database.key_path == Path("data/keyport.key")
    assert not config.discord.has_token


def test_config_toml_in_the_working_folder_is_read_and_the_environment_wins():
    written("[api]\nport = 1\nhost = '::'\n")
    config = load(None, {"KEYPORT_API__PORT": "2", "PATH": "/bin"})
    assert (config.api.host, config.api.port) == ("::", 2)


SAMPLES = {
    "api_base": "http://x/api",
    "public_url": "http://x",
    "url": "sqlite:////srv/k.db",
    "default_plan": "default",
    "level": "ERROR",
}
SAMPLES |= {"format": "json", "members_intent": "no", "trusted_proxies": "10.0.0.1", "port": "0"}
SAMPLES |= {"enabled": "no", "hash_addresses": "yes", "reuse_port": "yes"}


@pytest.mark.parametrize("path", list(known_paths(Config, entry="gold")), ids=".".join)
def test_every_setting_can_be_given_by_the_environment(path: tuple[str, ...]):
    config = load(None, {variable_name(path): SAMPLES.get(path[-1], "7")})
    assert config != Config() or path[-1] == "default_plan"


def test_proxies_are_a_comma_list_in_the_environment_and_a_list_or_text_in_the_file():
    expected = (ip_network("10.0.0.1/32"), ip_network("172.16.0.0/12"), ip_network("fd00::/8"))
    text = " 10.0.0.1, 172.16.5.9/12 ,fd00::/8,"
    assert load(None, {"KEYPORT_API__TRUSTED_PROXIES": text}).api.trusted_proxies == expected
    assert load(written(f"[api]\ntrusted_proxies = '{text}'"), {}).api.trusted_proxies == expected
    as_list = "[api]\ntrusted_proxies = ['10.0.0.1', '172.16.0.0/12', 'fd00::/8']"
    assert load(written(as_list), {}).api.trusted_proxies == expected
    assert load(None, {"KEYPORT_API__TRUSTED_PROXIES": ""}).api.trusted_proxies == ()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("KEYPORT_DISCORD_TOKEN", "hunter2", "did you mean KEYPORT_DISCORD__TOKEN?"),
        ("KEYPORT_TOKEN", "hunter2", "there is no setting KEYPORT_TOKEN"),
        ("KEYPORT_DISCORD__TOKEN", "hunter2 ü", "KEYPORT_DISCORD__TOKEN holds characters no token has"),
        ("KEYPORT_API__PORT", "hunter2", "KEYPORT_API__PORT must be a whole number"),
        ("KEYPORT_API__PORT", "", "KEYPORT_API__PORT must be a whole number"),
        ("KEYPORT_API__PORT", "65536", "KEYPORT_API__PORT must be at most 65535"),
        ("KEYPORT_API__PORT", "9" * 5000, "KEYPORT_API__PORT must be a whole number"),
        ("KEYPORT_API__HOST", "http://hunter2", "KEYPORT_API__HOST holds characters"),
        ("KEYPORT_API__HOST", "a..hunter2", "KEYPORT_API__HOST holds characters"),
        ("KEYPORT_API__HOST", "", "KEYPORT_API__HOST holds characters"),
        ("KEYPORT_API__IPV6_PREFIX", "129", "at most 128"),
        (
            "KEYPORT_API__TRUSTED_PROXIES",
            "10.0.0.1,hunter2",
            "KEYPORT_API__TRUSTED_PROXIES must hold addresses",
        ),
        ("KEYPORT_API__PUBLIC_URL", "license.hunter2.com", "such as https://license.example.com, or empty"),
        ("KEYPORT_API__PUBLIC_URL", "https://x/?hunter2", "KEYPORT_API__PUBLIC_URL must be a web address"),
        ("KEYPORT_API__PUBLIC_URL", "https://hunter2@x", "KEYPORT_API__PUBLIC_URL must be a web address"),
        ("KEYPORT_API__CLIENT_IP_HEADER", "X Real", "holds characters"),
        ("KEYPORT_CACHE__LICENSES", "0", "at least 1"),
        ("KEYPORT_LOG__LEVEL", "hunter2", "must be one of 'debug', 'info', 'warning' or 'error'"),
        ("KEYPORT_DISCORD__MEMBERS_INTENT", "hunter2", "must be true or false"),
        ("KEYPORT_DISCORD__API_BASE", "ftp://hunter2", "must be a web address"),
        ("KEYPORT_DISCORD__API_BASE", "https://hunter2:pw@proxy/api", "must not hold a user name"),
        (
            "KEYPORT_DATABASE__URL",
            "postgresql://u:hunter2@h/d",
            "names PostgreSQL, which this version does not",
        ),
        ("KEYPORT_DATABASE__URL", "sqlite://data/hunter2.db", "must name a file"),
        ("KEYPORT_DATABASE__URL", "sqlite:///:memory:", "must name a file"),
        ("KEYPORT_DATABASE__URL", "sqlite:///x.db?mode=hunter2", "must name a file"),
        ("KEYPORT_DATABASE__URL", "sqlite:///hunter2/", "must name a file"),
        ("KEYPORT_DATABASE__KEY_FILE", "data/keyport.db", "a key_file that is not the database itself"),
        ("KEYPORT_PLANS__FREE__PRODUCTS", "-1", "KEYPORT_PLANS__FREE__PRODUCTS must be at least 0"),
        ("KEYPORT_PLANS__FREE__PRDUCTS", "1", "did you mean KEYPORT_PLANS__FREE__PRODUCTS?"),
        ("KEYPORT_PLANS__9__PRODUCTS", "1", "holds characters"),
        ("KEYPORT_ORGANIZATIONS__DEFAULT_PLAN", "hunter2", "default_plan must name a plan that is defined"),
        ("KEYPORT_API", "hunter2", "there is no setting KEYPORT_API"),
    ],
)
def test_a_bad_variable_is_refused_in_one_sentence_that_hides_its_value(name: str, value: str, says: str):
    sentence = refusal(**{name: value})
    assert says in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[api]\nprot = 8080", "config.toml: there is no setting api.prot; did you mean api.port?"),
        ("[apy]\nport = 8080", "did you mean api.port?"),
        ("colour = 'hunter2'", "there is no setting colour"),
        ("api = 5", "config.toml: api must be a section, written as [api]."),
        ("[plans]\nfree = 5", "plans.free must be a section, written as [plans.free]."),
        ("plans = 5", "plans must be a section"),
        ("[api]\nport = 1.5", "config.toml: api.port must be a whole number."),
        ("[api]\nport = nan", "api.port must be"),
        ("[api]\nport = -1", "api.port must be at least 0."),
        ("[api]\nhost = 5", "api.host must be text in quotes."),
        ("[api]\ntrusted_proxies = 5", "api.trusted_proxies must be a list"),
        ("[api]\ntrusted_proxies = [5]", "api.trusted_proxies must hold addresses"),
        ("[api]\nport = {hunter2 = 1}", "there is no setting api.port.hunter2; did you mean api.port?"),
        ("[discord]\ntoken = 5", "discord.token must be text in quotes."),
        ("[discord]\ntoken = 'hunter2", "is not well-formed TOML"),
        ('[database]\nkey_file = "a\\u0000b"', "database.key_file holds characters"),
        ('[database]\nurl = "sqlite:///a\\u0000b"', "database.url must name a file"),
        ("x = " + "[" * 5000, "is not a TOML file"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_that_names_the_place(text: str, says: str):
    sentence = refusal(written(text))
    assert says in sentence
    assert sentence.startswith("config.toml: ")
    if "api.port." not in says:
        assert "hunter2" not in sentence


def test_a_section_given_as_a_value_is_refused_also_when_the_environment_adds_to_it():
    assert "api must be a section" in refusal(written("api = 5"), KEYPORT_API__PORT="1")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    assert "there is no such file" in refusal(tmp_path / "absent.toml")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    assert "save it as UTF-8" in refusal(tmp_path / "latin.toml")


def test_a_byte_order_mark_is_read_over():
    Path("config.toml").write_bytes(b"\xef\xbb\xbf[api]\nport = 1\n")
    assert load(None, {}).api.port == 1


def test_a_public_address_may_have_a_path_and_loses_its_last_slash():
    config = load(None, {"KEYPORT_API__PUBLIC_URL": "https://example.com/licenses/"})
    assert config.api.public_url == "https://example.com/licenses"
    assert load(None, {"KEYPORT_API__PUBLIC_URL": ""}) == Config()


def test_a_token_loses_the_blanks_around_it():
    token = load(None, {"KEYPORT_DISCORD__TOKEN": " abc.def\n"}).discord.token
    assert token.get_secret_value() == "abc.def"


def test_a_token_shows_in_no_description_of_the_settings():
    config = load(None, {"KEYPORT_DISCORD__TOKEN": "hunter2"})
    described = "\n".join(config.describe())
    assert "discord.token = set" in described
    assert "hunter2" not in described + repr(config) + str(config) + config.model_dump_json()


def test_settings_cannot_be_changed_once_they_are_read():
    with pytest.raises(ValueError, match="frozen"):
        load(None, {}).api.port = 1


def test_a_plan_may_be_the_default_of_organizations():
    text = "[plans.free]\nproducts = 10\n[organizations]\ndefault_plan = 'free'"
    config = load(written(text), {"KEYPORT_PLANS__FREE__LICENSES": "200"})
    assert config.plans[config.organizations.default_plan].model_dump() == {
        "products": 10,
        "licenses": 200,
        "calls_per_product_per_day": 0,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYPORT_PORT", "tcp://10.0.0.1:8080"),
        ("KEYPORT_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("KEYPORT_SERVICE_HOST", "10.0.0.1"),
        ("KEYPORT_API_SERVICE_PORT_HTTP", "8080"),
        ("KEYPORT_BACKUP_PASSPHRASE", "correct horse battery"),
    ],
)
def test_variables_that_are_no_settings_are_let_alone(name: str, value: str):
    assert load(None, {name: value}) == Config()


def test_a_port_can_be_shared_only_where_the_system_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "SO_REUSEPORT", 15, raising=False)
    assert load(None, {"KEYPORT_API__REUSE_PORT": "true"}).api.reuse_port
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    assert not load(None, {"KEYPORT_API__REUSE_PORT": "false"}).api.reuse_port
    assert refusal(KEYPORT_API__REUSE_PORT="true") == (
        "environment: KEYPORT_API__REUSE_PORT must be false on this system, which lets no two processes share a port."
    )
