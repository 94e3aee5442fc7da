"""Limits of time and clients that hang up; limits of size are tested through HTTP, in ``test_routes.py``."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import RequestFactory

from service.errors import ClientGone, TookTooLong
from service.exchange import AnyRequest, accept_of, unless_gone, within
from service.settings import Settings
from tests.service.clients import post_straight, running


def request_of(*messages: dict[str, Any]) -> AnyRequest:
    """A request whose client sends these messages and then nothing more."""
    made = RequestFactory(Litestar(logging_config=None, openapi_config=None)).post("/")
    following = iter(messages)

    async def receive() -> Any:
        message = next(following, None)
        if message is None:
            await asyncio.Event().wait()
        return message

    made.receive = receive  # type: ignore[method-assign]
    return made


async def answer() -> str:
    await asyncio.sleep(0)
    return "answer"


async def fail() -> str:
    raise TimeoutError("of its own")


def test_work_is_done_within_its_time() -> None:
    assert asyncio.run(within(60, answer())) == "answer"
    with pytest.raises(TookTooLong, match=r"longer than 0\.01 seconds"):
        asyncio.run(within(0.01, asyncio.sleep(60)))
    with pytest.raises(TimeoutError, match="of its own"):
        asyncio.run(within(60, fail()))


def test_work_goes_on_while_the_client_is_there() -> None:
    assert asyncio.run(unless_gone(request_of(), answer())) == "answer"
    assert asyncio.run(unless_gone(request_of({"type": "http.request"}), answer())) == "answer"
    with pytest.raises(TimeoutError, match="of its own"):
        asyncio.run(unless_gone(request_of(), fail()))


def test_work_is_cancelled_when_the_client_hangs_up() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def scenario() -> None:
        with pytest.raises(ClientGone, match="hung up"):
            await unless_gone(request_of({"type": "http.request"}, {"type": "http.disconnect"}), work())
        assert cancelled.is_set()

    asyncio.run(scenario())


def test_a_body_has_to_arrive_within_the_time_limit(settings: Settings) -> None:
    hurried = settings.model_copy(update={"request_timeout_s": 0.1, "jobs": "off"})
    half = {"type": "http.request", "body": b"{", "more_body": True}

    async def scenario() -> list[Any]:
        async with running(hurried) as app:
            return await post_straight(app, half)

    start, body = asyncio.run(scenario())
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"expected the whole body within 0.1 seconds" in body["body"]


def test_a_body_that_the_service_cannot_wait_for_any_more(settings: Settings) -> None:
    half = {"type": "http.request", "body": b"{", "more_body": True}

    async def scenario() -> list[Any]:
        async with running(settings.model_copy(update={"jobs": "off"})) as app:
            asking = asyncio.create_task(post_straight(app, half))
            await asyncio.sleep(0.1)
            asking.cancel()  # as uvicorn does when its time is over
            return await asking

    start, body = asyncio.run(scenario())
    assert start["status"] == 503
    assert b"the service is shutting down, and the body has not arrived" in body["body"]


def test_lines_of_accept_are_one_list() -> None:
    assert accept_of(request_of()) == "*/*"
    asked = request_of()
    asked.scope["headers"] = [(b"accept", b"image/png"), (b"accept", b"text/x-conllu")]
    assert accept_of(asked) == "image/png, text/x-conllu"
