"""Asks this machine's own API whether it can serve; `python -m bot.probe` is a container's health check."""

import http.client
import os
import sys

from bot.config import Api, ConfigError, load

_TIMEOUT_S = 4
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask a server that listens on all


def is_ready(api: Api) -> bool:
    """Tell whether the API that these settings start answers that it is ready."""
    connection = http.client.HTTPConnection(_EVERYWHERE.get(api.host, api.host), api.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """Return the exit code of a health check: 0 for healthy, 1 for not."""
    try:
        return 0 if is_ready(load(None, os.environ).api) else 1
    except ConfigError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
