"""What the operator types, and the one sentence that answers when it cannot be done."""

import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.__main__ import execute
from bot.commands import line

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}


def keyport(*arguments: str, folder: Path, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**CLEAN, "PYTHONPATH": str(ROOT), **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.fixture(autouse=True)
def _undisturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - CLEAN.keys():
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert execute(list(arguments)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err
    return told.err


def test_the_settings_in_force_are_shown_without_the_token(tmp_path: Path):
    (tmp_path / "config.toml").write_text("[api]\nport = 9000\n")
    done = keyport("check-config", folder=tmp_path, KEYPORT_DISCORD__TOKEN="hunter2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "api.port = 9000\n" in done.stdout
    assert "discord.token = set\n" in done.stdout
    assert "hunter2" not in done.stdout
    assert done.stdout.endswith("The settings are in order.\n")


def test_a_bad_setting_ends_every_command_with_one_sentence_and_exit_code_2(tmp_path: Path):
    done = keyport("run", folder=tmp_path, KEYPORT_DISCORD_TOKEN="hunter2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "environment: there is no setting KEYPORT_DISCORD_TOKEN; did you mean KEYPORT_DISCORD__TOKEN?\n"
    )


def test_run_without_a_token_says_what_to_do(tmp_path: Path):
    done = keyport("run", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "There is no bot token: set discord.token in config.toml or KEYPORT_DISCORD__TOKEN, "
        "or try 'keyport sandbox', which needs none.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_needs_no_store_waits_for_no_store():
    script = (
        "import sys; from bot.__main__ import execute;"
        "assert execute(['check-config']) == 0 == execute(['version']);"
        "heavy = {'discord', 'sqlalchemy', 'alembic', 'aiohttp', 'cryptography', 'storage'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=CLEAN, capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_fault_of_the_program_shows_one_line_whose_reference_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail() -> str:
        hidden = "kp" + "_a_local_secret"
        raise RuntimeError(len(hidden))

    monkeypatch.setattr(line, "described", fail)
    assert execute(["version"]) == 1
    told = capsys.readouterr()
    *log, last = told.err.splitlines()
    reference = re.fullmatch(r"KeyPort stopped because of a fault .* with reference ([0-9a-f]{8})\.", last)
    assert reference
    assert f"reference={reference[1]}" in "\n".join(log)
    assert "RuntimeError: 17" in "\n".join(log)
    assert "kp_a_local_secret" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["versoin"], "Did you mean 'version'?"),
        (["run", "--prot", "1"], "No such option"),
        (["restore"], "Missing argument 'ARCHIVE'"),
        (["--config", "absent.toml", "check-config"], "absent.toml: there is no such file"),
        (["check-config", "--config", "absent.toml"], "absent.toml: there is no such file"),
    ],
)
def test_a_mistyped_command_is_answered_in_one_line(capsys, typed: list[str], says: str):
    assert says in refused(capsys, *typed)


def test_config_may_stand_before_or_behind_the_command(tmp_path: Path, capsys):
    (tmp_path / "mine.toml").write_text("[api]\nport = 9000\n")
    for typed in (["--config", "mine.toml", "check-config"], ["check-config", "-c", "mine.toml"]):
        assert execute(typed) == 0
        assert "api.port = 9000" in capsys.readouterr().out


def test_an_api_whose_port_is_taken_says_where_and_how_processes_can_share_one(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("KEYPORT_API__PORT", str(port))
        told = refused(capsys, "api")
    assert told.startswith(f"The API cannot listen on 127.0.0.1, port {port}: another process has the port;")
    assert "another api.port" in told
    assert "set api.reuse_port for each of them" in told


def test_an_api_that_cannot_listen_says_where_and_what_to_change(monkeypatch, capsys):
    monkeypatch.setenv("KEYPORT_API__HOST", "192.0.2.1")
    told = refused(capsys, "api")
    assert "The API cannot listen on 192.0.2.1, port 8080: " in told
    assert "choose another api.host or api.port" in told
    assert "reuse_port" not in told


def test_a_place_that_cannot_be_written_is_named(monkeypatch, capsys, tmp_path: Path):
    (tmp_path / "taken").write_text("a file, not a folder")
    monkeypatch.setenv("KEYPORT_DATABASE__URL", "sqlite:///taken/keyport.db")
    assert "taken" in refused(capsys, "api")


def test_the_help_lists_what_an_operator_uses_and_not_what_make_uses(capsys):
    assert execute(["--help"]) == 0
    listed = set(re.findall(r"^  ([a-z][a-z-]+)  ", capsys.readouterr().out, flags=re.MULTILINE))
    serving, upkeep = {"run", "api", "sandbox"}, {"check-config", "migrate", "backup", "restore", "version"}
    assert listed == serving | upkeep | {"license", "product", "export", "blacklist", "server"}


def test_version_names_the_program_and_its_python(capsys):
    assert execute(["version"]) == 0
    assert re.fullmatch(r"KeyPort for Discord \d+\.\d+\.\d+\S* \(Python 3\.\d+\S*, \w+\)\n", capsys.readouterr().out)


def test_an_interrupted_command_leaves_without_a_word(monkeypatch, capsys):
    def interrupt() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(line, "described", interrupt)
    assert execute(["version"]) == 130
    assert capsys.readouterr().err.strip() == ""
