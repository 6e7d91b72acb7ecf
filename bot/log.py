"""Where log lines go and what they look like: one line each on stderr, for people or as JSON.

Use the standard `logging.getLogger(__name__)` or `structlog.get_logger(__name__)`, whichever reads better:
both end in the same handler. Structlog's takes facts as keywords (`log.info("claimed", license_id=7)`).
No secret belongs into a log call; what slips through is struck out by its shape in the finished line.
While an HTTP request is handled, `request_id` stands on every line, as in the answer's X-Request-Id.
Tracebacks carry no local variables, for those hold keys.
"""

import logging
import re
import sys
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

__all__ = ["configure", "redact", "request_id"]

STRUCK_OUT = "[redacted]"

# A variable of our own: it is set on every request, and structlog's own binding costs six times as much.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# `\\[bfnrt]` is an escape of JSON, whose letter does not belong to the word behind it.
_SECRETS = re.compile(
    r"""
    (?P<api_key>kp_(?:live|sign)_)\w+
    | (?P<webhook>whsec_)[\w+/=-]+
    # an interaction's token stands in the addresses that discord.py puts into its errors
    | (?P<address>(?:interactions|webhooks)/\d+/)[\w-]{20,}
    | (?:(?<![\w-])|(?<=\\[bfnrt]))
      (?:
        # a bot token starts with the base64 of a digit: M, N or O
        [MNO][\w-]{22,29}\.[\w-]{5,7}\.[\w-]{27,}
        # ABCD-EFGH-IJKL-MNOP, but not the inside of a UUID
        | [A-Za-z0-9]{4}(?:-[A-Za-z0-9]{4}){3}(?![\w-])
        # the same without its dashes; numbers alone are ids and times
        | (?=\w*[A-Z])[2-9A-Z]{16}(?!\w)
      )
    """,
    re.ASCII | re.VERBOSE,
)

# Most of these write whole keys at DEBUG (aiohttp.access at INFO), in shapes nothing could recognise.
_QUIETED = {
    "aiosqlite": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "discord": logging.INFO,
    "discord.client": logging.CRITICAL,  # a traceback for every reconnect; the supervisor says it in one line
    "alembic": logging.WARNING,  # `migrate` says in our words what it did
    "sqlalchemy": logging.WARNING,
}


def configure(*, level: str, format: str, stream: TextIO | None = None) -> None:  # noqa: A002 - the setting's name
    """Send every log line of the process to `stream` (stderr unless given), from `level` on."""
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_formatter(format, colors=handler.stream.isatty()))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name, at_least in _QUIETED.items():
        logging.getLogger(name).setLevel(max(at_least, logging.getLogger().level))
    structlog.configure(
        processors=[*_facts(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def redact(line: str) -> str:
    """Strike out whatever has the shape of a secret: keys, tokens, signing secrets."""
    return _SECRETS.sub(_strike_out, line)


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line was lost; the standard way prints the arguments, which may hold secrets."""
        self.stream.write(f"a log line of {record.name} could not be written\n")


def _strike_out(match: re.Match[str]) -> str:
    kept = match.lastgroup
    return (match[kept] if kept else "") + STRUCK_OUT


def _facts() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _name_request,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # A traceback as plain text: the dictionary form would hold local variables.
        structlog.processors.format_exc_info,
    ]


def _formatter(form: str, *, colors: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[step for step in _facts() if step is not structlog.stdlib.filter_by_level],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _json if form == "json" else _console(colors=colors),
            _redacted,
        ],
    )


def _name_request(_logger: Any, _name: str, facts: EventDict) -> EventDict:
    if current := request_id.get():
        facts["request_id"] = current
    return facts


def _json(logger: Any, name: str, facts: Any) -> str:
    line = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)(logger, name, facts)
    return line if isinstance(line, str) else line.decode()


def _console(*, colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colors,
        # The pretty form would show local variables.
        exception_formatter=structlog.dev.plain_traceback,
    )


def _redacted(_logger: Any, _name: str, line: Any) -> str:
    return redact(str(line))
