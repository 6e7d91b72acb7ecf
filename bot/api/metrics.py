"""What is counted for the operator's monitoring, and `/metrics`, which shows it to Prometheus.

Requests only add to plain numbers; names, help texts and the library come in when somebody looks. No label ever
carries a product's name, a key or an address: whoever reads the figures need not be allowed to read those.
"""

import asyncio
import hmac
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from bot.api.errors import invalid_api_key
from bot.api.health import DiscordState
from i18n import gettext as _
from licensing.verdict import Status

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
THROTTLES = ("address", "license", "failures", "quota")

_NO_VERDICT = frozenset(
    {Status.INVALID_API_KEY, Status.INVALID_REQUEST, Status.RATE_LIMIT_EXCEEDED, Status.UNAVAILABLE}
)
_PLAIN = "text/plain"  # what anybody gets whose Accept header is none


@dataclass(slots=True)
class Traffic:
    """What the sockets count: connections, and answers that are errors."""

    connections: int = 0
    turned_away: int = 0
    errors: dict[int, int] = field(default_factory=lambda: defaultdict(int))


class Metrics:
    """Everything that is counted in this process since it began; what others know is asked for when it is shown."""

    def __init__(
        self,
        *,
        version: str,
        started_s: float,
        discord: Callable[[], DiscordState],
        cache: Callable[[], Mapping[str, int]],
        writer_queue: Callable[[], int],
    ) -> None:
        self.version = version
        self.started_s = started_s
        self.discord = discord
        self.cache = cache  # `hits`, `misses` and `size`
        self.writer_queue = writer_queue
        self.traffic = Traffic()
        self.by_status: dict[str, int] = defaultdict(int, dict.fromkeys(map(str, Status), 0))
        self.by_throttle: dict[str, int] = defaultdict(int, dict.fromkeys(THROTTLES, 0))
        self.in_bucket = [0] * (len(BUCKETS_S) + 1)
        self.total_s = 0.0

    def observe(self, status: str, seconds: float) -> None:
        """Count a validation by its status and by how long its answer took."""
        self.by_status[status] += 1
        self.in_bucket[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds

    def refused(self, status: str) -> None:
        """Count a call that came to no verdict, if the status says so; it would only flatter the durations."""
        if status in _NO_VERDICT:  # others are a look-up's and a license file's
            self.by_status[status] += 1

    def throttled(self, reason: str) -> None:
        """Count a 429 by what it was for: one of THROTTLES."""
        self.by_throttle[reason] += 1


class MetricsPage:
    """Answers `/metrics`, to anyone or only to who knows the token."""

    def __init__(self, metrics: Metrics, *, token: str = "") -> None:
        self._metrics = metrics
        self._expected = f"Bearer {token}".encode() if token else None
        self._encoded: Callable[[str], tuple[bytes, str]] | None = None

    async def metrics(self, request: web.Request) -> web.Response:
        """Answer all metrics in the form that the caller asks for."""
        self._check(request.headers.getall(hdrs.AUTHORIZATION, ()))
        if self._encoded is None:
            # Loading the library takes as long as hundreds of validations, which must not wait for it.
            self._encoded = await asyncio.to_thread(_encoder, self._metrics)
        body, content_type = self._encoded(request.headers.get(hdrs.ACCEPT, _PLAIN))
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"})

    def _check(self, given: Sequence[str]) -> None:
        if self._expected is None:
            return
        # aiohttp keeps bytes outside UTF-8 as surrogates; this way they are those bytes again.
        sent = given[0].encode("utf-8", "surrogateescape") if len(given) == 1 else b""
        if not hmac.compare_digest(sent, self._expected):
            raise invalid_api_key(_("Send the token that the configuration names, as Authorization: Bearer TOKEN."))


def _encoder(metrics: Metrics) -> Callable[[str], tuple[bytes, str]]:
    """Return what turns an Accept header into the metrics' text and its content type."""
    from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415 - see MetricsPage.metrics
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

    registry = CollectorRegistry()
    registry.register(_Collector(metrics))
    ProcessCollector(registry=registry)  # memory, processor time and open files, where the system tells them

    def encoded(accept: str) -> tuple[bytes, str]:
        try:
            encode, content_type = choose_encoder(accept if accept.isascii() else _PLAIN)
            return encode(registry), content_type
        except (ValueError, TypeError):  # the library stumbles over a version that is none
            encode, content_type = choose_encoder(_PLAIN)
            return encode(registry), content_type

    return encoded


class _Collector:
    """Puts the numbers into the library's shapes, each time anew."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator["Metric"]:
        """Yield every metric with its present values."""
        yield from _requests(self._metrics)
        yield from _connections(self._metrics.traffic)
        yield from _parts(self._metrics)
        yield from _process(self._metrics)


def _requests(metrics: Metrics) -> Iterator["Metric"]:
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - loaded by now

    yield _counter(
        "keyport_validations", "Validations and what came to no verdict, by status.", "status", metrics.by_status
    )
    bounds = [*map(str, BUCKETS_S), "+Inf"]
    duration = HistogramMetricFamily(
        "keyport_validation_duration_seconds", "Time from a validation's headers to its verdict."
    )
    counts = accumulate(metrics.in_bucket)
    duration.add_metric([], list(zip(bounds, counts, strict=True)), metrics.total_s)
    yield duration
    yield _counter(
        "keyport_throttled", "Requests refused with 429, by what was used up.", "reason", metrics.by_throttle
    )
    errors = {str(code): count for code, count in sorted(metrics.traffic.errors.items())}
    yield _counter("keyport_http_errors", "Answers of 400 and above, by code.", "code", errors)


def _connections(traffic: Traffic) -> Iterator["Metric"]:
    yield _gauge("keyport_http_connections", "Connections that are open now.", value=traffic.connections)
    turned_away = "Connections closed because too many were open."
    yield _counter("keyport_http_connections_refused", turned_away, value=traffic.turned_away)


def _parts(metrics: Metrics) -> Iterator["Metric"]:
    cache = metrics.cache()
    asked = {"hit": cache.get("hits", 0), "miss": cache.get("misses", 0)}
    yield _counter("keyport_cache_requests", "Look-ups of licenses in the cache, by result.", "result", asked)
    yield _gauge("keyport_cache_licenses", "Licenses that the cache holds.", value=cache.get("size", 0))
    yield _gauge("keyport_writer_queue_length", "Transactions that wait to be written.", value=metrics.writer_queue())
    now = metrics.discord()
    states = {state.value: int(state is now) for state in DiscordState}
    yield _gauge("keyport_discord_state", "1 for how the bot stands with Discord, 0 for the rest.", "state", states)


def _process(metrics: Metrics) -> Iterator["Metric"]:
    yield _gauge("keyport_build_info", "Always 1; the version is the label.", "version", {metrics.version: 1})
    yield _gauge("keyport_start_time_seconds", "When this process began to serve.", value=metrics.started_s)


def _counter(
    name: str, help_: str, label: str | None = None, values: Mapping[str, int] | None = None, *, value: int = 0
) -> "Metric":
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - loaded by now

    if label is None:
        return CounterMetricFamily(name, help_, value=value)
    return _labelled(CounterMetricFamily(name, help_, labels=[label]), values)


def _gauge(
    name: str, help_: str, label: str | None = None, values: Mapping[str, int] | None = None, *, value: float = 0
) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - loaded by now

    if label is None:
        return GaugeMetricFamily(name, help_, value=value)
    return _labelled(GaugeMetricFamily(name, help_, labels=[label]), values)


def _labelled(
    family: "CounterMetricFamily | GaugeMetricFamily", values: Mapping[str, int] | None
) -> "CounterMetricFamily | GaugeMetricFamily":
    for text, value in (values or {}).items():
        family.add_metric([text], value)
    return family
