"""Metrics on a page of their own, beside whatever the test says of the rest of the process."""

from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families as parsed
from raw_http import Answer, ask

from bot.api import DiscordState, serve
from bot.api.errors import answering
from bot.api.metrics import Metrics, MetricsPage


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
