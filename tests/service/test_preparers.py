"""The background works while nobody interactive is under way, but for its share."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine

import pytest

from service.lanes import BACKGROUND_SHARE, Lane
from service.preparers import Preparers

STEP_S = 0.02


def run(scenario: Callable[[Preparers], Coroutine[None, None, None]]) -> None:
    async def go() -> None:
        preparers = Preparers(2)
        try:
            await scenario(preparers)
        finally:
            preparers.shutdown()

    asyncio.run(go())


def step() -> float:
    """Some work; returns when it began."""
    began = time.monotonic()
    time.sleep(STEP_S)
    return began


@pytest.mark.parametrize("lane", Lane)
def test_a_function_runs_in_a_thread_of_its_lane_and_its_result_comes_back(lane: Lane) -> None:
    async def scenario(preparers: Preparers) -> None:
        name = await preparers.run(lambda start: start + threading.current_thread().name, "in ", lane=lane)
        assert name.startswith("in prepare" if lane is Lane.INTERACTIVE else "in background")

    run(scenario)


@pytest.mark.parametrize("lane", Lane)
def test_what_a_function_raises_comes_back_and_the_next_one_runs(lane: Lane) -> None:
    async def scenario(preparers: Preparers) -> None:
        with pytest.raises(ZeroDivisionError):
            await preparers.run(lambda: 1 / 0, lane=lane)
        assert await preparers.run(len, "next", lane=lane) == 4

    run(scenario)


def test_the_background_waits_while_a_short_request_is_under_way_but_not_for_ever() -> None:
    async def scenario(preparers: Preparers) -> None:
        first = await preparers.run(step, lane=Lane.BACKGROUND)
        with preparers.under_way(Lane.INTERACTIVE):
            second = await preparers.run(step, lane=Lane.BACKGROUND)
        assert second - first > 0.9 * STEP_S / BACKGROUND_SHARE

    run(scenario)


def test_the_background_goes_on_as_soon_as_the_last_short_request_is_over() -> None:
    async def scenario(preparers: Preparers) -> None:
        preparers._patient_until = asyncio.get_running_loop().time() + 3_600
        with preparers.under_way(Lane.INTERACTIVE):
            with preparers.under_way(Lane.INTERACTIVE):
                waiting = asyncio.create_task(preparers.run(step, lane=Lane.BACKGROUND))
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)
            assert not waiting.done()
        async with asyncio.timeout(60):
            await waiting

    run(scenario)


def test_short_requests_never_wait_for_the_background() -> None:
    async def scenario(preparers: Preparers) -> None:
        gate = threading.Event()
        waiting = asyncio.create_task(preparers.run(gate.wait, lane=Lane.BACKGROUND))
        await asyncio.sleep(0)
        assert await preparers.run(len, "now", lane=Lane.INTERACTIVE) == 3
        gate.set()
        assert await waiting

    run(scenario)


def test_a_step_whose_request_is_gone_lets_the_next_one_run() -> None:
    async def scenario(preparers: Preparers) -> None:
        await preparers.run(step, lane=Lane.BACKGROUND)
        with preparers.under_way(Lane.INTERACTIVE):
            gone = asyncio.create_task(preparers.run(step, lane=Lane.BACKGROUND))
            await asyncio.sleep(0)
            gone.cancel()
        assert await preparers.run(len, "next", lane=Lane.BACKGROUND) == 4

    run(scenario)
