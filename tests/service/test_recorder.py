"""Every request is counted by its route and status, whatever becomes of it."""

import asyncio
from typing import Any

import pytest

from service.account import current_account
from service.metrics import Metrics
from service.recorder import Recorder


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found: float | None = metrics._registry.get_sample_value(name, labels)
    return found


def record(metrics: Metrics, app: Any, **scope: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "headers": [], "state": {}, **scope}
    asyncio.run(Recorder(app, metrics=metrics)(whole, None, send))  # type: ignore[arg-type]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404})
    current_account().add_problem("not-found")
    current_account().add_problem("not-found")


async def fail(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("before it answered")


def test_what_is_counted() -> None:
    metrics = Metrics()
    record(metrics, answer, path_template="/v1/models/{name}")
    record(metrics, answer)
    record(metrics, answer, method="HACK")
    with pytest.raises(RuntimeError, match="before it answered"):
        record(metrics, fail)
    requests = "tagline_requests_total"
    assert value(metrics, requests, route="/v1/models/{name}", method="GET", status="404") == 1
    assert value(metrics, requests, route="unmatched", method="GET", status="404") == 1
    assert value(metrics, requests, route="unmatched", method="OTHER", status="404") == 1
    assert value(metrics, requests, route="unmatched", method="GET", status="500") == 1
    assert value(metrics, "tagline_request_seconds_count", route="unmatched") == 3
    assert value(metrics, "tagline_errors_total", kind="not-found") == 6
    assert value(metrics, "tagline_requests_in_progress") == 0


def test_what_is_no_request_is_let_through() -> None:
    metrics = Metrics()
    record(metrics, answer, type="websocket")
    assert value(metrics, "tagline_request_seconds_count", route="unmatched") is None
