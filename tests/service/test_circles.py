"""Requests leave no circles of references: the collector, which stops everybody, would have to look for them."""

import asyncio
import gc
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import pytest
from litestar import Litestar

from service.settings import Settings
from tests.service.clients import HANGS_UP, body_of, post_straight, running

SHORT = body_of(text="Ada Lovelace wrote to Babbage in London.")
LONG = body_of(text="word " * 2_000)

Check = Callable[..., None]


@contextmanager
def found_by_collector() -> Iterator[list[object]]:
    """What only the collector finds of what is made in this context."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def statuses(app: Litestar, requests: list[list[object]]) -> set[int]:
    answers = await asyncio.gather(*(post_straight(app, *messages) for messages in requests))
    return {sent[0]["status"] for sent in answers}


def count(settings: Settings, requests: list[list[object]]) -> tuple[set[int], Counter[str]]:
    """How requests are answered, and of which types are the circles that they leave."""

    async def scenario() -> tuple[set[int], Counter[str]]:
        without_jobs = settings.model_copy(update={"jobs": "off"})  # whose database makes circles of its own
        async with running(without_jobs) as app:
            await statuses(app, requests)  # what the first requests leave, caches above all, stays
            with found_by_collector() as found:
                answered = await statuses(app, requests)
            return answered, Counter(type(one).__qualname__ for one in found)

    return asyncio.run(scenario())


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """A process of its own: in this one there may be services of other tests, with circles of theirs."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def check(elsewhere: ProcessPoolExecutor) -> Check:
    """Requests are answered with these statuses and leave no circle."""

    def check_(settings: Settings, requests: list[list[object]], *expected: int) -> None:
        assert elsewhere.submit(count, settings, requests).result() == (set(expected), {})

    return check_


def test_of_those_that_are_answered(check: Check, settings: Settings) -> None:
    check(settings, [[SHORT]] * 5, 200)


def test_of_those_that_are_wrong(check: Check, settings: Settings) -> None:
    check(
        settings, [[body_of(text="a", model="unknown")], [body_of(text="a", tasks=["unknown"])], [body_of()]], 404, 400
    )


def test_of_those_that_are_refused(check: Check, settings: Settings) -> None:
    full = settings.model_copy(update={"max_queue_tokens": 1})
    check(full, [[SHORT]] * 20, 200, 429)


def test_of_those_whose_clients_hang_up(check: Check, settings: Settings) -> None:
    check(settings, [[LONG, HANGS_UP]] * 5, 499)


def test_of_those_that_take_too_long(check: Check, settings: Settings) -> None:
    hurried = settings.model_copy(update={"request_timeout_s": 0.01})
    check(hurried, [[LONG]] * 5, 503)
