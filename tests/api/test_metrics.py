"""Guarantees about /metrics: right figures, one documented list of names, nothing private, a token if one is set."""

import json
import re
import sqlite3
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed
from raw_http import Answer, ask, posted

from bot.api import DiscordState, serve
from bot.api.errors import answering
from bot.api.metrics import BUCKETS_S, THROTTLES, Metrics, MetricsPage
from bot.app import opened, serving
from bot.config import Config
from licensing.choices import SigningKind
from licensing.verdict import Status

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text("utf-8"))
NAME = re.compile(r"\b(?:keyport|process)_[a-z_]+\b")
LABELS = {"status", "reason", "code", "result", "state", "version", "le"}


class Parts:
    """What the metrics ask the rest of the process, as the test wants it."""

    def __init__(self):
        self.discord = DiscordState.OFF
        self.cache = {"hits": 0, "misses": 0, "size": 0}
        self.waiting = 0

    def metrics(self) -> Metrics:
        return Metrics(
            version="1.2.3",
            started_s=1_800_000_000.5,
            discord=lambda: self.discord,
            cache=lambda: self.cache,
            writer_queue=lambda: self.waiting,
        )


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def metrics(parts):
    return parts.metrics()


@asynccontextmanager
async def showing(metrics: Metrics, **settings: str):
    app = web.Application()
    app.router.add_get("/metrics", answering(MetricsPage(metrics, **settings).metrics))
    async with serve(app, host="127.0.0.1", port=0, traffic=metrics.traffic) as (host, port):
        yield f"http://{host}:{port}"


async def scrape(url: str, *headers: str) -> Answer:
    return await ask(url, "\r\n".join(["GET /metrics HTTP/1.1", "Host: x", *headers, "", ""]).encode("latin-1"))


async def shown(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    async with showing(metrics) as url:
        text = (await scrape(url)).raw.decode()
    return {
        (sample.name, *sample.labels.values()): sample.value for family in parsed(text) for sample in family.samples
    }


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


async def names_exposed(metrics: Metrics) -> set[str]:
    metrics.traffic.errors[400] += 1  # a code appears with its first answer
    return {name for name, *_labels in await shown(metrics)}


async def test_the_documentation_lists_exactly_what_there_is(metrics):
    metrics.traffic.errors[400] += 1
    async with showing(metrics) as url:
        families = [family for family in parsed((await scrape(url)).raw.decode()) if "keyport" in family.name]
    there_is = {
        (
            family.name + ("_total" if family.type == "counter" else ""),
            family.type,
            *({label for sample in family.samples for label in sample.labels} - {"le"}),
        )
        for family in families
    }
    rows = re.findall(
        r"^\| `(keyport_\w+)` \| (\w+) \| (?:`(\w+)`)? *\|", (DOCS / "metrics.md").read_text(), re.MULTILINE
    )
    assert {tuple(filter(None, row)) for row in rows} == there_is


async def test_the_documentation_names_every_state_and_every_throttle():
    text = (DOCS / "metrics.md").read_text("utf-8")
    assert [name for name in (*DiscordState, *THROTTLES) if f"`{name}`" not in text] == []


async def test_every_query_of_the_documentation_asks_for_what_there_is(metrics):
    rules = re.findall(r"expr: (.+)", (DOCS / "metrics.md").read_text("utf-8"))
    assert rules
    assert {name for rule in rules for name in NAME.findall(rule)} <= await names_exposed(metrics)


def panels() -> list[dict]:
    return DASHBOARD["panels"]


async def test_every_query_of_the_dashboard_asks_for_what_there_is(metrics):
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    queries += [variable["definition"] for variable in DASHBOARD["templating"]["list"] if "definition" in variable]
    asked = {name for query in queries for name in NAME.findall(query)}
    there_are = await names_exposed(metrics)
    assert {name for name in asked if name.startswith("keyport")} <= there_are
    assert {name for name in there_are if re.match("keyport(?!.*_bucket|.*_sum|.*_count)", name)} <= asked


def test_the_dashboard_takes_its_data_from_where_the_reader_says_and_nothing_overlaps():
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    sources = [panel["datasource"] for panel in panels()]
    sources += [target["datasource"] for panel in panels() for target in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert DASHBOARD["id"] is None
    assert len({panel["id"] for panel in panels()}) == len(panels())
    cells = [
        (place["x"] + across, place["y"] + down)
        for place in (panel["gridPos"] for panel in panels())
        for across in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _y in cells) < 24


def test_every_query_of_the_dashboard_has_its_brackets_in_pairs():
    for panel in panels():
        for target in panel["targets"]:
            assert all(target["expr"].count(a) == target["expr"].count(b) for a, b in ("()", "{}", "[]"))


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
