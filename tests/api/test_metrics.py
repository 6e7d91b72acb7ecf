"""Guarantees about /metrics: right figures, nothing private, a token if one is set."""

import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed
from raw_http import ask, posted
from shown_metrics import scrape, showing, shown

from bot.api import DiscordState
from bot.api.metrics import BUCKETS_S, THROTTLES, Metrics
from bot.app import opened, serving
from bot.config import Config
from licensing.choices import SigningKind
from licensing.verdict import Status

LABELS = {"status", "reason", "code", "result", "state", "version", "le"}


async def test_validations_are_counted_by_status_and_every_status_is_there_from_the_beginning(metrics):
    for status in (Status.ACTIVE, Status.ACTIVE, Status.EXPIRED):
        metrics.observe(status, 0.001)
    samples = await shown(metrics)
    expected = {str(status): 0 for status in Status} | {"active": 2, "expired": 1}
    assert {key[1]: value for key, value in samples.items() if key[0] == "keyport_validations_total"} == expected


async def test_durations_fall_into_buckets_whose_bounds_are_inclusive(metrics):
    seconds = [0.0, BUCKETS_S[0], BUCKETS_S[0] + 1e-9, 0.3, 60.0]
    for one in seconds:
        metrics.observe(Status.ACTIVE, one)
    samples = await shown(metrics)
    for bound in BUCKETS_S:
        within = samples["keyport_validation_duration_seconds_bucket", str(bound)]
        assert within == sum(one <= bound for one in seconds), bound
    assert samples["keyport_validation_duration_seconds_bucket", "+Inf"] == 5
    assert samples["keyport_validation_duration_seconds_count",] == 5
    assert samples["keyport_validation_duration_seconds_sum",] == pytest.approx(sum(seconds))


def test_buckets_rise_from_a_tenth_of_a_millisecond_to_five_seconds():
    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (0.0001, 5.0)
    assert all(lower < upper for lower, upper in pairwise(BUCKETS_S))


async def test_throttled_requests_are_counted_by_what_was_used_up(metrics):
    metrics.throttled("quota")
    samples = await shown(metrics)
    assert {reason: samples["keyport_throttled_total", reason] for reason in THROTTLES} == {
        "address": 0,
        "license": 0,
        "failures": 0,
        "quota": 1,
    }


async def test_what_others_know_is_shown_as_it_stands_at_the_moment(metrics, parts):
    for state in DiscordState:
        parts.discord, parts.waiting = state, parts.waiting + 1
        parts.cache = {"hits": 9, "misses": parts.waiting, "size": 8}
        samples = await shown(metrics)
        assert {other: samples["keyport_discord_state", other] for other in DiscordState} == {
            other: float(other is state) for other in DiscordState
        }
        assert samples["keyport_writer_queue_length",] == parts.waiting
        assert samples["keyport_cache_requests_total", "hit"] == 9
        assert samples["keyport_cache_requests_total", "miss"] == parts.waiting
        assert samples["keyport_cache_licenses",] == 8


async def test_errors_and_connections_are_counted_at_the_socket(metrics):
    async with showing(metrics) as url:
        for path in ("/nowhere", "/nowhere", "/\x00"):
            await ask(url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        metrics.traffic.turned_away += 2
        text = (await scrape(url)).raw.decode()
    assert 'keyport_http_errors_total{code="404"} 2.0' in text
    assert 'keyport_http_errors_total{code="400"} 1.0' in text
    assert "keyport_http_connections_refused_total 2.0" in text
    assert re.search(r"^keyport_http_connections [1-4]\.0$", text, re.MULTILINE)


async def test_build_and_start_are_told(metrics):
    samples = await shown(metrics)
    assert samples["keyport_build_info", "1.2.3"] == 1
    assert samples["keyport_start_time_seconds",] == 1_800_000_000.5


@pytest.mark.parametrize(
    ("accept", "content_type", "parse"),
    [
        (None, "text/plain; version=0.0.4; charset=utf-8", parsed),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", parsed),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0", parsed_openmetrics),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
            "application/openmetrics",
            None,
        ),
        ("text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain; version=1.0.0", None),
        ("application/openmetrics-text;version=nonsense", "text/plain; version=0.0.4", parsed),
        ("text/plain;version=", "text/plain; version=0.0.4", parsed),
        ("application/openmetrics-text;version=9.\xff", "text/plain; version=0.0.4", parsed),
        (",;=,;version==;,", "text/plain; version=0.0.4", parsed),
    ],
)
async def test_the_form_is_the_one_that_was_asked_for_or_the_plain_one(metrics, accept, content_type, parse):
    async with showing(metrics) as url:
        answer = await scrape(url, *([f"Accept: {accept}"] if accept else []))
    assert answer.code == 200
    assert answer.one("Content-Type").startswith(content_type)
    assert answer.one("Cache-Control") == "no-store"
    assert "keyport_validations" in {family.name for family in (parse or parsed)(answer.raw.decode())}


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Authorization: Bearer wrong",),
        ("Authorization: secret-token",),
        ("Authorization: Bearer secret-token-and-more",),
        ("Authorization: Bearer secret-token", "Authorization: Bearer secret-token"),
        ("Authorization: Bearer \xff\xfe",),
        ("Authorization: ",),
    ],
)
async def test_whoever_lacks_the_token_is_refused_in_the_one_shape_and_learns_nothing(metrics, headers):
    async with showing(metrics, token="secret-token") as url:
        answer = await scrape(url, *headers)
    assert (answer.code, answer.one("WWW-Authenticate")) == (401, "Bearer")
    assert list(answer.body) == ["valid", "status", "message"]
    assert answer.body["status"] == "invalid_api_key"
    assert b"keyport" not in answer.raw


@pytest.mark.parametrize("token", ["secret-token", "\u00fcmlaut", "🔑"])
async def test_whoever_has_the_token_is_answered(metrics, token):
    async with showing(metrics, token=token) as url:
        sent = f"Authorization: Bearer {token}".encode().decode("latin-1")
        assert (await scrape(url, sent)).code == 200


async def test_no_label_can_hold_anything_private(metrics):
    async with showing(metrics) as url:
        text = (await scrape(url)).raw.decode()
    ours = [family for family in parsed(text) if family.name.startswith("keyport_")]
    assert {label for family in ours for sample in family.samples for label in sample.labels} <= LABELS


def counted(metrics: Metrics) -> dict[str, int]:
    """What was counted of validations, but for what never happened."""
    return {status: count for status, count in metrics.by_status.items() if count}


async def test_what_came_to_no_verdict_is_counted_by_its_status_whichever_way_it_came(shop):
    product, issued = await shop.product(license_file_days=7), await shop.issue()
    key = f"license/{issued.key}"
    for answered in (
        await shop.post(b"no json", {"Authorization": f"Bearer {product.api_key}"}),
        await shop.post(b"x" * 20_000, {"Authorization": f"Bearer {product.api_key}"}),
        await shop.get(f"/api/v1/{key}/file?version={'9' * 500}", product.api_key),
        await shop.get(f"/api/v1/{key}"),
    ):
        assert answered.code >= 400
    assert (await shop.get(f"/api/v1/{key}X", product.api_key)).seen == (404, "license_not_found")
    assert counted(shop.metrics) == {"invalid_request": 3, "invalid_api_key": 1}
    shop.store.snapshots._connection.close()  # as if the disk were gone
    assert (await shop.validate(product.api_key, issued.key)).code == 503
    assert counted(shop.metrics) == {"invalid_request": 3, "invalid_api_key": 1, "unavailable": 1}


async def test_a_verdict_that_cannot_be_signed_is_counted_as_what_its_caller_was_told(shop, tmp_path):
    product, issued = await shop.product(), await shop.issue()
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    with closing(sqlite3.connect(tmp_path / "keyport.db")) as connection, connection:
        connection.execute("UPDATE signing_keys SET sealed = x'00'")
    assert (await shop.validate(product.api_key, issued.key)).seen == (503, "unavailable")
    assert counted(shop.metrics) == {"unavailable": 1}


async def test_calls_that_were_turned_away_are_counted_but_do_not_flatter_the_durations(metrics):
    metrics.refused(Status.RATE_LIMIT_EXCEEDED)
    samples = await shown(metrics)
    assert samples["keyport_validations_total", "rate_limit_exceeded"] == 1
    assert samples["keyport_validation_duration_seconds_count",] == 0


def configured(folder: Path, **settings: object) -> Config:
    database = {"url": f"sqlite:///{folder}/keyport.db"}
    return Config.model_validate({"database": database, "api": {"port": 0}, "metrics": settings})


async def test_a_running_program_shows_what_it_did(tmp_path):
    config = configured(tmp_path, token="secret-token")
    async with opened(config) as house, serving(house, config.api) as (host, port):
        url = f"http://{host}:{port}"
        assert (await ask(url, posted("kp_live_unknown", b"{}"))).code == 401
        assert (await ask(url, posted("kp_live_unknown", b'{"license_key":"x"}'))).code == 401
        assert (await scrape(url)).code == 401
        text = (await scrape(url, "Authorization: Bearer secret-token")).raw.decode()
    assert 'keyport_validations_total{status="invalid_api_key"} 2.0' in text
    assert 'keyport_http_errors_total{code="401"} 3.0' in text
    assert 'keyport_discord_state{state="off"} 1.0' in text
    assert "keyport_writer_queue_length 0.0" in text


async def test_switched_off_there_is_nothing_at_the_address(tmp_path):
    config = configured(tmp_path, enabled=False)
    async with opened(config) as house, serving(house, config.api) as (host, port):
        answer = await scrape(f"http://{host}:{port}")
    assert (answer.code, answer.body["status"]) == (404, "invalid_request")
