"""Several at once, in order, and nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from service.ahead import work_ahead


class Work:
    def __init__(self) -> None:
        self.at_work = 0
        self.most = 0
        self.asked = 0
        self.cancelled = 0
        self.is_beyond = asyncio.Event()

    async def source(self, count: int) -> AsyncGenerator[int, None]:
        for number in range(count):
            self.asked += 1
            yield number

    async def work(self, number: int) -> int:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            if number == 13:
                await self.is_beyond.wait()  # so that something is under way when it fails
            elif number > 13:
                self.is_beyond.set()
                await asyncio.sleep(60)
            await asyncio.sleep(0.002 * (number % 3))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_work -= 1
        if number == 13:
            raise ValueError("unlucky")
        return number


def test_results_come_in_order_from_so_many_at_once() -> None:
    async def scenario() -> None:
        work = Work()
        async with aclosing(work_ahead(work.source(10), work.work, at_once=3)) as results:
            found = []
            async for result in results:
                found.append(result)
                assert work.asked <= result + 3
        assert found == list(range(10))
        assert work.most == 3

    asyncio.run(scenario())


def test_a_failure_comes_in_its_place_and_cancels_what_is_under_way() -> None:
    async def scenario() -> None:
        work = Work()
        async with aclosing(work_ahead(work.source(100), work.work, at_once=4)) as results:
            assert [await anext(results) for _ in range(13)] == list(range(13))
            with pytest.raises(ValueError, match="unlucky"):
                await anext(results)
        assert work.at_work == 0
        assert work.cancelled > 0

    asyncio.run(scenario())


def test_whoever_leaves_early_leaves_nothing_at_work() -> None:
    async def scenario() -> None:
        work = Work()
        async with aclosing(work_ahead(work.source(100), work.work, at_once=4)) as results:
            assert await anext(results) == 0
        assert work.at_work == 0
        assert work.asked == 4

    asyncio.run(scenario())
