"""What blocks runs beside the event loop, and the store is asked until it answers."""

import asyncio
import threading

import pytest

from service.errors import JobsUnavailable
from service.jobs import threads
from service.jobs.threads import in_threads, patiently


def test_items_come_in_order_and_are_made_elsewhere() -> None:
    async def collect() -> list[int]:
        return [thread async for thread in in_threads(threading.get_ident() for _ in range(3))]

    made = asyncio.run(collect())
    assert len(made) == 3
    assert threading.get_ident() not in made


def test_the_store_is_asked_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_RETRY_S", 0.001)
    problems = [JobsUnavailable("one"), JobsUnavailable("two")]
    told: list[str] = []

    def ask() -> str:
        if problems:
            raise problems.pop(0)
        return "answer"

    assert asyncio.run(patiently(ask, tell=told.append)) == "answer"
    assert told == ["one", "two"]


def test_what_else_goes_wrong_is_no_reason_to_wait() -> None:
    def ask() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        asyncio.run(patiently(ask, tell=pytest.fail))
