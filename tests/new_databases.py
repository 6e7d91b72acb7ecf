"""New databases for tests: made by the program itself once for each process of tests, and copied from then on."""

import os
import tempfile
from functools import cache
from pathlib import Path

from storage import DatabaseSettings
from storage.store import prepare


def lay(settings: DatabaseSettings) -> None:
    """Lay a new database and its key file where there is neither; migrating takes ten times as long as copying."""
    if settings.path.exists() or settings.key_file.exists():
        return
    for path, content in zip((settings.path, settings.key_file), _made(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


@cache
def _made() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        settings = DatabaseSettings(Path(folder) / "keyport.db", Path(folder) / "keyport.key")
        prepare(settings, os.urandom)
        return settings.path.read_bytes(), settings.key_file.read_bytes()
