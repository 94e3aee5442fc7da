"""Clients of the service in this process: many requests at once, through ASGI and nothing in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from service.app import create_app
from service.settings import Settings

READY_WITHIN_S = 120


def wait_until_ready(client: TestClient[Litestar]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A service that is ready, for any number of requests at once."""
    loaded: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    app = create_app(settings, on_loaded=lambda _, failure: loaded.set_result(failure))
    async with app.lifespan(), client_of(app) as client:
        assert await loaded is None
        yield client


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
