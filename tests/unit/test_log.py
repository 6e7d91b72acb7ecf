"""The log keeps what helps and strikes out what must not be there."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from bot import log

KEY = "ABCD-EFGH-JKMN-PQRS"
API_KEY = "kp_live_" + "a1B2" * 16
SIGNING_SECRET = "kp_sign_" + "0f9e" * 16
BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB"
INTERACTION = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1"

Configure = Callable[..., io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def configured(form: str = "json", level: str = "debug") -> io.StringIO:
        stream = io.StringIO()
        log.configure(level=level, format=form, stream=stream)
        return stream

    yield configured
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variable(configure: Configure, form: str):
    stream = configure(form)

    def fail() -> None:
        hidden = "the-local-secret-" + "x" * 3
        raise RuntimeError(len(hidden))

    for logger in (logging.getLogger("plain"), structlog.get_logger("structured")):
        try:
            fail()
        except RuntimeError:
            logger.exception("failed")
    assert stream.getvalue().count("RuntimeError: 20") == 2
    assert "the-local-secret-xxx" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "secret",
    [KEY, KEY.lower(), KEY.replace("-", ""), API_KEY, SIGNING_SECRET, BOT_TOKEN, "whsec_c2VjcmV0LXNlY3JldA=="],
)
def test_a_secret_is_struck_out_wherever_it_stands(configure: Configure, form: str, secret: str):
    stream = configure(form)
    logging.getLogger("plain").warning("got %s", secret)
    structlog.get_logger("structured").warning("got", keys=[{"inner": secret}], text=f"line\n{secret}\n")
    try:
        int(f"bad\n{secret}")
    except ValueError:
        logging.getLogger("plain").exception("failed")
    assert secret.removeprefix("kp_live_").removeprefix("kp_sign_").removeprefix("whsec_") not in stream.getvalue()
    assert stream.getvalue().count(log.STRUCK_OUT) == 4  # int() escapes its line break itself


def test_an_interactions_token_is_struck_out_of_an_address():
    line = log.redact(f"POST https://discord.com/api/v10/webhooks/123456789/{INTERACTION} failed")
    assert INTERACTION not in line
    assert "webhooks/123456789/" in line


@pytest.mark.parametrize(
    "harmless",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "123456789012345678",
        "2345678923456789",
        "2027-01-01T00:00:00Z",
        "licensing.services.validation_of_licenses",
        "127.0.0.1:8080",
    ],
)
def test_ids_times_and_names_stay_readable(harmless: str):
    assert log.redact(f"about {harmless} here") == f"about {harmless} here"


def test_what_libraries_log_comes_out_in_the_same_form(configure: Configure):
    stream = configure()
    logging.getLogger("discord.gateway").warning("shard %s lost", 3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", stacklevel=1)
    structlog.get_logger("bot.app").info("started", port=8080)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["logger"] for line in lines] == ["discord.gateway", "py.warnings", "bot.app"]
    assert lines[0]["event"] == "shard 3 lost"
    assert lines[2]["port"] == 8080


@pytest.mark.parametrize("name", ["aiosqlite", "discord.http", "discord.gateway", "aiohttp.access"])
def test_loggers_that_write_whole_keys_are_quiet_even_at_debug(configure: Configure, name: str):
    stream = configure()
    logging.getLogger(name).debug("parameters %s", "an-imported-key-of-any-shape")
    assert stream.getvalue() == ""


def test_the_level_holds_for_both_ways_of_logging(configure: Configure):
    stream = configure("console", level="error")
    logging.getLogger("plain").warning("one")
    structlog.get_logger("structured").warning("two")
    logging.getLogger("discord").info("three")
    assert stream.getvalue() == ""


def test_a_line_that_cannot_be_written_does_not_show_its_arguments(configure: Configure, capsys):
    stream = configure()
    logging.getLogger("plain").warning("count %d", "an-imported-key-of-any-shape")
    assert stream.getvalue() == "a log line of plain could not be written\n"
    assert capsys.readouterr().err == ""


async def test_facts_bound_for_a_task_stand_on_its_lines_alone(configure: Configure):
    stream = configure()

    async def work(reference: str) -> None:
        structlog.contextvars.bind_contextvars(reference=reference)
        await asyncio.sleep(0)
        logging.getLogger("plain").info("worked")

    await asyncio.gather(work("a"), work("b"))
    assert [json.loads(line)["reference"] for line in stream.getvalue().splitlines()] == ["a", "b"]


async def test_the_request_that_is_handled_stands_on_its_lines_alone_whichever_way_they_are_logged(
    configure: Configure,
):
    stream = configure()

    async def handle(request_id: str) -> None:
        log.request_id.set(request_id)
        await asyncio.sleep(0)
        logging.getLogger("plain").info("worked")
        structlog.get_logger("structured").info("worked")

    await asyncio.gather(handle("a"), handle("b"))
    logging.getLogger("plain").info("idle")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("request_id") for line in lines] == ["a", "a", "b", "b", None]


@pytest.mark.parametrize("prefix", ["kp_live_", "kp_sign_", "whsec_"])
def test_the_kind_of_a_struck_out_secret_is_still_told(prefix: str):
    assert log.redact(f"got {prefix}0f9e0f9e, sorry") == f"got {prefix}{log.STRUCK_OUT}, sorry"
