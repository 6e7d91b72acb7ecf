"""The files that put KeyPort into a container or under systemd: linted, and held to the program they start."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from bot.commands.line import build
from bot.config import Api, load
from bot.probe import is_ready

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
COMMANDS = typer.main.get_command(build()).commands.keys()


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each on one line, without comments."""
    kept = [line for line in text_of("Dockerfile").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(kept))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    last = max(at for at, (name, _value) in enumerate(found) if name == "FROM")
    return found[last:]


def one(name: str) -> str:
    (value,) = (value for word, value in final_stage() if word == name)
    return value


def copied() -> list[str]:
    """Return what comes into the image from the repository."""
    sources = [shlex.split(value)[:-1] for name, value in instructions() if name == "COPY"]
    return [source for words in sources if not words[0].startswith("--from=") for source in words]


def variables() -> dict[str, str]:
    settings = (value for name, value in final_stage() if name == "ENV")
    return dict(word.split("=", 1) for value in settings for word in shlex.split(value))


def lint(*words: str) -> None:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_passes_its_linter():
    lint(str(TOOLS / "hadolint"), "--failure-threshold", "style", "Dockerfile")


def test_the_compose_file_is_of_the_compose_specification():
    lint(
        str(TOOLS / "check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
    )


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze, which checks units, is not here"
)
def test_systemd_understands_the_unit_and_calls_it_well_shut(tmp_path: Path):
    # The unit names a program that is installed on a server, not here.
    unit = text_of("deploy/keyport.service").replace("/opt/keyport/.venv/bin/keyport", sys.executable)
    (tmp_path / "keyport.service").write_text(unit, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "keyport.service")],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert "keyport.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze, which checks units, is not here"
)
def test_systemd_understands_the_second_unit_of_the_docs(tmp_path: Path):
    [lines] = re.findall(r"^```ini\n(.*?)^```", text_of("docs/operators.md"), re.MULTILINE | re.DOTALL)
    assert "ExecStart=/opt/keyport/.venv/bin/keyport api\n" in lines
    files = {"keyport.service": text_of("deploy/keyport.service")}
    files["keyport-api.service"] = files["keyport.service"]
    files["keyport-api.service.d/override.conf"] = lines
    (tmp_path / "keyport-api.service.d").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("/opt/keyport/.venv/bin/keyport", sys.executable), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "keyport-api.service")],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert "keyport" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_the_second_service_of_the_docs_is_the_first_one_with_a_port_of_its_own():
    [text] = re.findall(r"^```yaml\n(.*?)^```", text_of("docs/operators.md"), re.MULTILINE | re.DOTALL)
    [service] = YAML().load(text)["services"].values()
    assert service["extends"]["service"] in YAML(typ="safe").load(text_of("compose.yaml"))["services"]
    assert set(service["command"]) <= COMMANDS
    assert service["ports"].tag.value == "!override"  # else the first one's port would be asked for twice


def test_everything_that_is_copied_exists_and_the_ignore_file_lets_it_through():
    kept = [line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")]
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source.removeprefix("./") in kept
    assert "*" in text_of(".dockerignore").splitlines()


def test_every_package_of_the_program_is_copied():
    patterns = tomllib.loads(text_of("pyproject.toml"))["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    shipped = {name for name in packages if any(fnmatch(name, pattern) for pattern in patterns)}
    assert len(shipped) == len(patterns)
    assert shipped <= set(copied())


def test_every_stage_stands_on_a_named_small_version_of_python_that_the_program_supports():
    bases = [value.split(" ")[0] for name, value in instructions() if name == "FROM"]
    assert len(bases) == 2
    for base in bases:
        found = re.fullmatch(r"python:3\.(\d+)-slim", base)
        assert found, base
        assert 11 <= int(found[1]) < 15
    assert len(set(bases)) == 1


def test_packages_are_installed_by_their_hashes_alone():
    installs = [value for name, value in instructions() if name == "RUN" and "pip install" in value]
    assert len(installs) == 2
    for install in installs:
        assert "--require-hashes -r requirements.lock" in install or "--no-deps --no-build-isolation ." in install


def test_the_image_runs_as_a_user_of_its_own_and_starts_commands_that_exist():
    user, _, group = one("USER").partition(":")
    assert user.isdecimal()
    assert int(user) > 0
    assert int(group) > 0
    assert json.loads(one("ENTRYPOINT")) == ["keyport"]
    (command,) = json.loads(one("CMD"))
    assert command in COMMANDS


def test_the_image_s_variables_are_settings_and_keep_the_data_on_the_volume():
    own = {name: value for name, value in variables().items() if name.startswith("KEYPORT_")}
    config = load(None, own)
    assert config.database.path.parent == config.database.key_path.parent == Path(one("VOLUME"))
    assert config.api.host == "0.0.0.0"
    assert str(config.api.port) == one("EXPOSE")


def test_the_health_check_runs_a_module_of_the_program_without_a_shell():
    _options, _, command = one("HEALTHCHECK").partition("CMD ")
    program, option, module = json.loads(command)
    assert (program, option) == ("python", "-m")
    assert find_spec(module) is not None


@pytest.mark.parametrize("code", [200, 503, None])
def test_the_health_check_says_healthy_only_if_the_api_is_ready(code: int | None):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(code if self.path == "/readyz" else 200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        api = Api(host="0.0.0.0", port=server.server_port)
        if code is None:
            server.server_close()
            assert not is_ready(api)
            return
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert is_ready(api) == (code == 200)
        thread.join()


def test_the_health_check_of_nothing_at_all_ends_with_code_1_and_no_word(tmp_path: Path):
    own = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}
    for settings in ({"KEYPORT_API__PORT": "1"}, {"KEYPORT_API__PROT": "1"}):
        done = subprocess.run(
            [sys.executable, "-m", "bot.probe"], cwd=tmp_path, capture_output=True, check=False, timeout=50,
            env=own | {"PYTHONPATH": str(ROOT)} | settings,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.fixture
def service() -> dict:
    return YAML(typ="safe").load(text_of("compose.yaml"))["services"]["keyport"]


def test_the_composed_service_is_shut_in_and_keeps_its_data(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == [f"data:{one('VOLUME')}"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service


def test_the_composed_service_is_reached_from_this_machine_alone_and_holds_no_secret(service):
    assert service["ports"] == [f"127.0.0.1:{one('EXPOSE')}:{one('EXPOSE')}"]
    assert "environment" not in service
    assert service["env_file"] in text_of(".gitignore").splitlines()
    assert f"!{service['env_file']}" not in text_of(".dockerignore").splitlines()


def test_both_ways_to_run_it_leave_time_to_stop_in(service):
    assert int(service["stop_grace_period"].removesuffix("s")) > 5
    assert int(unit()["Service"]["TimeoutStopSec"]) > 5


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(text_of("deploy/keyport.service"))
    return parser


def test_the_unit_starts_a_command_that_exists_and_does_not_repeat_what_a_person_must_mend():
    program, command = unit()["Service"]["ExecStart"].split()
    assert program.endswith("/.venv/bin/keyport")
    assert command in COMMANDS
    assert unit()["Service"]["Restart"] == "on-failure"
    assert unit()["Service"]["RestartPreventExitStatus"] == "2"


def test_the_unit_may_write_its_own_folder_and_nothing_else():
    written = unit()["Service"]
    assert written["WorkingDirectory"] == f"/var/lib/{written['StateDirectory']}"
    assert written["ProtectSystem"] == "strict"
    assert written["NoNewPrivileges"] == "yes"
    assert written["User"] not in {"", "root"}
    assert "ReadWritePaths" not in written
