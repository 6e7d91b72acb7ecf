"""How generated tests run, and the folder in which an operator's commands do."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from operator_folder import PASSPHRASE

# A busy machine is no bug.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture
def operators_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in an empty folder, with a passphrase; what a command does to the process is undone."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KEYPORT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEYPORT_BACKUP_PASSPHRASE", PASSPHRASE)
    root, handled = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = list(root.handlers), root.level
    yield
    signal.signal(signal.SIGTERM, handled)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
