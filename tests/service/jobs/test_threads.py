"""What blocks runs beside the event loop and all else, and the store is asked until it answers."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from errno import ENOENT, ENOSPC
from typing import Any, TypeVar

import pytest

from service.errors import JobsUnavailable
from service.jobs import threads
from service.jobs.threads import Threads, patiently

Result = TypeVar("Result")

HANGS = """
import asyncio, threading
from service.jobs.threads import Threads

async def leave():
    async with asyncio.timeout(0.1):
        await Threads("hang", most=1).run(threading.Event().wait)

try:
    asyncio.run(leave())
except TimeoutError:
    print("left")
"""


def with_threads(scenario: Callable[[Threads], Coroutine[Any, Any, Result]], *, name: str = "test") -> Result:
    made = Threads(name, most=2)
    try:
        return asyncio.run(scenario(made))
    finally:
        made.close()


def test_items_come_in_order_and_are_made_elsewhere() -> None:
    async def collect(made: Threads) -> list[tuple[int, int]]:
        return [item async for item in made.each((n, threading.get_ident()) for n in range(3))]

    items = with_threads(collect)
    assert [n for n, _ in items] == [0, 1, 2]
    assert threading.get_ident() not in {thread for _, thread in items}


def test_what_hangs_holds_up_what_comes_behind_it_and_nobody_else() -> None:
    reached, goes_on = threading.Event(), threading.Event()

    async def scenario(made: Threads) -> None:
        first, second = (asyncio.create_task(made.run(goes_on.wait)) for _ in range(2))
        third = asyncio.create_task(made.run(reached.set))
        assert await asyncio.to_thread(str, 1) == "1"
        assert not reached.is_set()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
        goes_on.set()
        assert await first
        assert await second
        await made.run(int)
        assert not reached.is_set()  # nobody waited for it before its turn came

    with_threads(scenario)


def test_they_end_when_they_are_closed() -> None:
    name = "no other test's, whose threads may still be ending"

    def living() -> int:
        return sum(thread.name == name for thread in threading.enumerate())

    async def scenario(made: Threads) -> None:
        await asyncio.gather(*(made.run(int) for _ in range(5)))
        assert living() == 2
        made.close()
        while living():
            await asyncio.sleep(0.001)
        assert await made.run(int) == 0  # for a request that is late

    with_threads(scenario, name=name)


def test_what_never_comes_back_keeps_no_process_from_ending() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == ("left\n", "")


def test_the_store_or_the_disk_is_asked_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_RETRY_S", 0.001)
    problems = [JobsUnavailable("one"), OSError(ENOSPC, "two", "/path")]
    told: list[str] = []

    def ask() -> str:
        if problems:
            raise problems.pop(0)
        return "answer"

    assert with_threads(lambda made: patiently(ask, threads=made, tell=told.append)) == "answer"
    assert told == ["one", "two"]


@pytest.mark.parametrize("error", [ValueError("mine"), OSError(ENOENT, "mine"), OSError("mine")])
def test_what_else_goes_wrong_is_no_reason_to_wait(error: Exception) -> None:
    def ask() -> None:
        raise error

    with pytest.raises(type(error), match="mine"):
        with_threads(lambda made: patiently(ask, threads=made, tell=pytest.fail))
