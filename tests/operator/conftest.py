"""The operator at the command line: an empty folder to work in, commands that succeed or are refused, and answers."""

import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from operator_store import SETTINGS, events

from bot.__main__ import execute


@pytest.fixture(autouse=True)
def _operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KEYPORT_")]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def done(capsys):
    """Run a command that must succeed; return what went to standard output and to standard error."""

    def run(*typed: str) -> tuple[str, str]:
        capsys.readouterr()
        code = execute(list(typed))
        told = capsys.readouterr()
        assert code == 0, told.err
        return told.out, told.err

    return run


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused; return its last line, and prove that nothing was written down."""

    def run(*typed: str) -> str:
        capsys.readouterr()
        before = events() if SETTINGS.path.exists() else []
        assert execute(list(typed)) == 2
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert "`" not in told.err
        assert (events() if SETTINGS.path.exists() else []) == before
        return told.err.splitlines()[-1]

    return run


@pytest.fixture
def answers(monkeypatch):
    """Type these lines into the questions of the next command."""
    return lambda *lines: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
