"""The API on a socket: bound, served and shut down without losing a request in flight."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.api.limits import KEEPALIVE_S, LINE_LIMIT, LINGER_S, SHUTDOWN_S


@asynccontextmanager
async def serve(
    app: web.Application, *, host: str, port: int, reuse_port: bool = False
) -> AsyncIterator[tuple[str, int]]:
    """Serve an application and yield the address it is bound to; on leaving, answer what was begun.

    Raises: OSError, when the address is taken or not ours.
    """
    runner = web.AppRunner(
        app,
        # Writing an access log would cost nearly half of all requests a second.
        access_log=None,
        logger=_wire_log(),
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=LINGER_S,
        max_line_size=LINE_LIMIT,
        # A small body must not become a huge one: compressed bodies are refused, so none is unpacked.
        auto_decompress=False,
        shutdown_timeout=SHUTDOWN_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=reuse_port or None).start()
        bound = runner.addresses[0]
        yield str(bound[0]), int(bound[1])
    finally:
        await runner.cleanup()


def _wire_log() -> logging.Logger:
    """Return aiohttp's log without tracebacks for what is no HTTP: anyone could fill the disk with them."""
    log = logging.getLogger("bot.api.wire")
    if not log.filters:
        log.addFilter(_is_our_fault)
    return log


def _is_our_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
