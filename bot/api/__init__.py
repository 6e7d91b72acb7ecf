"""The HTTP API: what products ask, and what the operator's monitoring asks."""

from bot.api.addresses import AddressReader
from bot.api.health import DiscordState, Health
from bot.api.routes import build_api
from bot.api.server import serve

__all__ = ["AddressReader", "DiscordState", "Health", "build_api", "serve"]
