"""Where the database and its key file are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Two files that belong together; `cached_licenses` bounds the snapshots kept in memory."""

    path: Path
    key_file: Path
    cached_licenses: int = 100_000
