"""Clients of the service in this process: many requests at once, through ASGI and nothing in between."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from service.app import create_app
from service.settings import Settings
from tests.waiting import until

READY_WITHIN_S = 120

HANGS_UP: Any = {"type": "http.disconnect"}


def wait_until_ready(client: TestClient[Litestar]) -> None:
    until(lambda: client.get("/health/ready").status_code == 200, within_s=READY_WITHIN_S)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A service that is ready, for any number of requests at once."""
    async with running(settings) as app, client_of(app) as client:
        yield client


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Litestar]:
    """The service itself, ready."""
    loaded: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    app = create_app(settings, on_loaded=lambda _, failure: loaded.set_result(failure))
    async with app.lifespan():
        assert await loaded is None
        yield app


def client_of(app: Litestar) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=None)


def with_service(settings: Settings, scenario: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario against a service of its own."""

    async def run() -> Any:
        async with serving(settings) as client:
            return await scenario(client)

    return asyncio.run(run())


async def tag(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/v1/tag", json=body)


async def post_straight(app: Litestar, *messages: Any) -> list[Any]:
    """Straight ASGI: a client that sends these messages to ``/v1/tag`` and then nothing more; what comes back."""
    following = iter(messages)
    sent: list[Any] = []

    async def receive() -> Any:
        message = next(following, HANGS_UP if HANGS_UP in messages else None)
        if message is None:
            await asyncio.Event().wait()
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/tag", "raw_path": b"/v1/tag", "query_string": b""}
    await app({**scope, "headers": [], "root_path": "", "http_version": "1.1"}, receive, send)  # type: ignore[arg-type]
    return sent


def body_of(**body: Any) -> dict[str, Any]:
    """The message that brings a request's body."""
    return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}
