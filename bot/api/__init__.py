"""The HTTP API: what products ask, and what the operator's monitoring asks."""

from bot.api.addresses import AddressReader
from bot.api.health import DiscordState, Health
from bot.api.metrics import Metrics, MetricsPage
from bot.api.proofs import Proofs
from bot.api.routes import build_api
from bot.api.server import serve

__all__ = ["AddressReader", "DiscordState", "Health", "Metrics", "MetricsPage", "Proofs", "build_api", "serve"]
