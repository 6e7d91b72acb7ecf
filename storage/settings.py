"""Where the database and its key file are."""

from dataclasses import dataclass
from pathlib import Path

from storage.errors import StoreRefused

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Two files that belong together; `cached_licenses` bounds the snapshots kept in memory."""

    path: Path
    key_file: Path
    cached_licenses: int = 100_000


def parse_url(url: str) -> Path:
    """Return the file that a database URL names.

    Raises: StoreRefused (url_unsupported).
    """
    if not url.startswith(_SQLITE) or len(url) == len(_SQLITE):
        raise StoreRefused("url_unsupported", needed=f"{_SQLITE}data/keyport.db")
    return Path(url.removeprefix(_SQLITE))
