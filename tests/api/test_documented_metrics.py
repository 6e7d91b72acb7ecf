"""The documentation and the dashboard are held to the metrics there are."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parsed
from shown_metrics import scrape, showing, shown

from bot.api import DiscordState
from bot.api.metrics import THROTTLES, Metrics

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana-dashboard.json").read_text("utf-8"))
NAME = re.compile(r"\b(?:keyport|process)_[a-z_]+\b")


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
