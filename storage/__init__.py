"""Where everything is kept: schema, migrations, statements, and the drivers that run them."""

from storage.settings import DatabaseSettings
from storage.signing import Signer
from storage.store import open_store

__all__ = ["DatabaseSettings", "Signer", "open_store"]
