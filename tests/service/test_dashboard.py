"""What ``deploy/`` shows of the metrics is there: every metric and label that the dashboard names, and the scrape."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings
from tests.service.clients import tag, with_service

DEPLOY = Path(__file__).parents[2] / "deploy"
METRIC = r"\b(?:tagline|process|python)_\w+"


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "tagline.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def labels(settings: Settings) -> dict[str, set[str]]:
    """Each sample's name and its labels, of a service that has worked."""
    found: dict[str, set[str]] = {}

    async def scenario(client: httpx.AsyncClient) -> None:
        await tag(client, text="Ada Lovelace wrote to Babbage in London.")
        await client.get("/nowhere")
        await client.post("/v1/models/tiny/reload")
        for family in text_string_to_metric_families((await client.get("/metrics")).text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)

    with_service(settings, scenario)
    return found


def expressions(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for key, value in part.items() if key in ("expr", "query") and isinstance(value, str))
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from expressions(inner)


def test_every_metric_of_the_dashboard_is_there(dashboard: dict[str, Any], labels: dict[str, set[str]]) -> None:
    named = {name for expression in expressions(dashboard) for name in re.findall(METRIC, expression)}
    assert len(named) > 15
    assert named <= labels.keys()


def test_every_metric_of_ours_is_on_the_dashboard(dashboard: dict[str, Any], labels: dict[str, set[str]]) -> None:
    named = {name for expression in expressions(dashboard) for name in re.findall(METRIC, expression)}
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in named}
    ours = {name for name in labels if name.startswith("tagline_") and not name.endswith("_created")}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in ours} == {
        family for family in families if family.startswith("tagline_")
    }


def test_every_label_of_the_dashboard_is_its_metrics(dashboard: dict[str, Any], labels: dict[str, set[str]]) -> None:
    checked = 0
    for expression in expressions(dashboard):
        for name, matchers in re.findall(rf"({METRIC})\{{(.*?)\}}", expression):
            assert set(re.findall(r"(\w+)=", matchers)) <= labels[name], expression
            checked += 1
        names = re.findall(METRIC, expression)
        for grouped in re.findall(r"\bby \((.*?)\)", expression):
            for label in grouped.split(", "):
                assert all(label in labels[name] for name in names), expression
                checked += 1
    assert checked > 20


def test_panels_are_whole(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    for expression in expressions(dashboard):
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing)


def test_prometheus_scrapes_what_is_served() -> None:
    (job,) = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"] == [{"targets": [f"localhost:{Settings.model_fields['port'].default}"]}]
