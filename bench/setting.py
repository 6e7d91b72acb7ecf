"""The settings that everything is measured under: what an operator behind a proxy on the same machine has set."""

from pathlib import Path

from bot.config import Config


def config_of(database: Path) -> Config:
    """Return the settings for a database; limits are on, and so high that they are never reached."""
    return Config.model_validate(
        {
            "database": {"url": f"sqlite:///{database}"},
            "api": {"port": 0, "trusted_proxies": "127.0.0.1"},
            "plans": {"default": {"calls_per_product_per_day": 1_000_000_000}},
            "limits": {"address_per_minute": 60_000, "license_per_minute": 60_000, "failures_per_minute": 60_000},
        }
    )
