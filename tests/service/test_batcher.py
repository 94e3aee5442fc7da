"""The batcher against a label function that names each chunk, waits, and fails where it is told to."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.batcher import Batcher
from service.budget import Budget
from service.errors import ModelLost, NotReady
from service.lanes import Lane
from taggers.labeler import Chunk, Labels, Run


def chunk(number: int, *, cost: int = 1) -> Chunk:
    return Chunk([str(number)], slice(0, 1), cost)


def numbers(answers: Sequence[Labels]) -> list[int]:
    return [int(labels["n"][0][0]) for labels in answers]


class Device:
    """Answers each chunk with its own number."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.prepared: list[list[int]] = []
        self.threads: set[int] = set()
        self.poison: set[int] = set()
        self.largest = 10**9
        self.open = threading.Event()
        self.open.set()
        self.delay = lambda: 0.0
        self.most_at_once = 1
        self.running: set[int] = set()

    def prepare(self, chunks: Sequence[Chunk]) -> Run:
        self.prepared.append([int(chunk.forms[0]) for chunk in chunks])
        return lambda: self.label(chunks)

    def label(self, chunks: Sequence[Chunk]) -> list[Labels]:
        running = threading.get_ident()
        self.running.add(running)
        try:
            assert len(self.running) <= self.most_at_once, "too many batches at once"
            self.open.wait()
            time.sleep(self.delay())
            self.threads.add(threading.get_ident())
            found = [int(chunk.forms[0]) for chunk in chunks]
            if len(chunks) > self.largest:
                raise MemoryError("out of memory")
            for number in found:
                if number in self.poison:
                    raise ValueError(f"cannot label {number}")
            self.batches.append(found)
            return [{"n": (np.array([number]), np.ones(1, np.float32))} for number in found]
        finally:
            self.running.remove(running)


def run(
    device: Device,
    scenario: Callable[[Batcher], Coroutine[Any, Any, Any]],
    *,
    max_padded_tokens: int = 100,
    max_wait_ms: float = 60_000,
    at_once: int = 1,
    overlap: bool = False,
) -> Any:
    """Run a scenario, in which a batch that is not full waits for the device if nothing else is said."""

    async def whole() -> Any:
        budget = Budget(max_positions=max_padded_tokens, seconds=60)
        batcher = Batcher(device.prepare, budget=budget, max_wait_ms=max_wait_ms, at_once=at_once, overlap=overlap)
        batcher.start()
        try:
            return await scenario(batcher)
        finally:
            device.open.set()
            await batcher.close()

    return asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def begin_book(batcher: Batcher, device: Device, *, pages: int) -> asyncio.Task[list[Labels]]:
    """A book in the background, of which one page runs until the device opens, and the next one is prepared."""
    device.open.clear()
    chunks = [chunk(n, cost=100) for n in range(pages)]
    book = asyncio.create_task(batcher.submit(chunks, lane=Lane.BACKGROUND))
    await until(lambda: device.running and len(device.prepared) == 2)
    return book


def test_answers_come_in_the_order_of_the_chunks() -> None:
    async def scenario(batcher: Batcher) -> list[int]:
        return numbers(await batcher.submit([chunk(3, cost=9), chunk(1), chunk(2, cost=5)]))

    assert run(Device(), scenario) == [3, 1, 2]


def test_nothing_to_label_is_answered_at_once() -> None:
    async def scenario(batcher: Batcher) -> list[Labels]:
        return await batcher.submit([])

    device = Device()
    assert run(device, scenario) == []
    assert device.batches == []


def test_requests_that_wait_together_run_together() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        first = asyncio.create_task(batcher.submit([chunk(0)]))
        await asyncio.sleep(0.01)  # an idle device does not wait for company
        others = [asyncio.create_task(batcher.submit([chunk(n)])) for n in range(1, 10)]
        await asyncio.sleep(0.01)
        device.open.set()
        answers = await asyncio.gather(first, *others)
        assert [numbers(answer) for answer in answers] == [[n] for n in range(10)]

    run(device, scenario)
    assert list(map(sorted, device.batches)) == [[0], list(range(1, 10))]
    assert len(device.threads) == 1


def test_the_background_goes_through_between_those_who_are_interactive() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        pages = [chunk(n, cost=10) for n in range(200)]
        big = asyncio.create_task(batcher.submit(pages, lane=Lane.BACKGROUND))
        await until(lambda: device.batches)
        assert numbers(await batcher.submit([chunk(1000)])) == [1000]
        assert not big.done()
        assert numbers(await big) == list(range(200))

    device.delay = lambda: 0.001
    run(device, scenario, max_padded_tokens=20)
    assert max(map(len, device.batches)) == 2


def test_start_is_told_once_when_the_first_chunk_runs() -> None:
    device = Device()
    told: list[int] = []

    async def scenario(batcher: Batcher) -> None:
        await batcher.submit([chunk(1, cost=60), chunk(2, cost=60)], on_start=lambda: told.append(len(device.batches)))

    run(device, scenario)
    assert told == [0]
    assert len(device.batches) == 2


def test_only_the_culprit_fails() -> None:
    device = Device()
    device.poison = {5}

    async def scenario(batcher: Batcher) -> list[Any]:
        device.open.clear()
        tasks = [asyncio.create_task(batcher.submit([chunk(n)])) for n in range(10)]
        await asyncio.sleep(0.01)
        device.open.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert numbers(await batcher.submit([chunk(77)])) == [77]
        return answers

    answers = run(device, scenario)
    assert str(answers.pop(5)) == "cannot label 5"
    assert [number for answer in answers for number in numbers(answer)] == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_out_of_memory_halves_the_batch() -> None:
    device = Device()
    device.largest = 3

    async def scenario(batcher: Batcher) -> list[int]:
        return numbers(await batcher.submit([chunk(n) for n in range(20)]))

    assert run(device, scenario) == list(range(20))
    assert max(map(len, device.batches)) <= 3


def test_nobody_looks_for_a_culprit_where_the_model_is_lost() -> None:
    device = Device()
    tried = []

    def label(chunks: Sequence[Chunk]) -> list[Labels]:
        tried.append(len(chunks))
        raise ModelLost("lost")

    device.label = label  # type: ignore[method-assign]

    async def scenario(batcher: Batcher) -> list[Any]:
        return await asyncio.gather(*(batcher.submit([chunk(n)]) for n in range(8)), return_exceptions=True)

    assert [str(answer) for answer in run(device, scenario)] == ["lost"] * 8
    assert sum(tried) == 8


def test_an_answer_too_few_is_a_failure_and_no_mix_up() -> None:
    async def scenario(batcher: Batcher) -> None:
        with pytest.raises(ValueError, match="argument"):
            await batcher.submit([chunk(1)])

    device = Device()
    device.label = lambda _: []  # type: ignore[method-assign]
    run(device, scenario)


def test_the_rest_of_a_request_that_failed_does_not_run() -> None:
    device = Device()
    device.poison = {0}

    async def scenario(batcher: Batcher) -> None:
        with pytest.raises(ValueError, match="cannot label 0"):
            await batcher.submit([chunk(n, cost=100) for n in range(50)])
        assert numbers(await batcher.submit([chunk(99)])) == [99]

    run(device, scenario)
    assert len(device.batches) <= 2


def test_chunks_of_a_cancelled_request_leave_the_room() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        running = asyncio.create_task(batcher.submit([chunk(0)]))
        await asyncio.sleep(0.01)
        gone = asyncio.create_task(batcher.submit([chunk(1), chunk(2)]))
        stays = asyncio.create_task(batcher.submit([chunk(3)]))
        await asyncio.sleep(0.01)
        gone.cancel()
        running.cancel()  # its batch is on the device already
        await asyncio.sleep(0.01)
        device.open.set()
        assert numbers(await stays) == [3]
        assert gone.cancelled()
        assert running.cancelled()

    run(device, scenario)
    assert device.batches == [[0], [3]]


def test_close_finishes_what_was_accepted_and_takes_nothing_more() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        accepted = [asyncio.create_task(batcher.submit([chunk(n, cost=60)])) for n in range(5)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.01)
        with pytest.raises(NotReady):
            await batcher.submit([chunk(9)])
        device.open.set()
        await closing
        assert [numbers(await answer) for answer in accepted] == [[n] for n in range(5)]

    run(device, scenario)


def test_the_next_batch_is_prepared_while_one_runs_and_no_other() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        work = asyncio.create_task(batcher.submit([chunk(n, cost=100) for n in range(4)]))
        await until(lambda: len(device.prepared) == 2)
        await asyncio.sleep(0.01)
        assert sorted(device.prepared) == [[0], [1]]
        assert device.batches == []
        device.open.set()
        assert numbers(await work) == [0, 1, 2, 3]

    run(device, scenario)


def test_who_is_interactive_runs_beside_the_background_where_both_can() -> None:
    device = Device()
    device.most_at_once = 2

    async def scenario(batcher: Batcher) -> None:
        book = await begin_book(batcher, device, pages=3)
        assert len(device.running) == 1
        tweet = asyncio.create_task(batcher.submit([chunk(99)]))
        await until(lambda: len(device.running) == 2)  # though the book's batch runs
        device.open.set()
        assert numbers(await tweet) == [99]
        assert numbers(await book) == [0, 1, 2]

    run(device, scenario, overlap=True)


def test_much_that_is_interactive_does_not_share_the_cores_with_the_background() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        book = await begin_book(batcher, device, pages=2)
        tweets = asyncio.create_task(batcher.submit([chunk(n, cost=10) for n in range(90, 100)]))
        await asyncio.sleep(0.01)
        device.open.set()
        assert numbers(await tweets) == list(range(90, 100))
        assert numbers(await book) == [0, 1]

    run(device, scenario, overlap=True)
    assert device.batches == [[0], list(range(90, 100)), [1]]


def test_the_background_waits_for_the_batch_of_who_is_interactive() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        tweet = asyncio.create_task(batcher.submit([chunk(99)]))
        await until(lambda: len(device.running) == 1)
        book = asyncio.create_task(batcher.submit([chunk(0, cost=100)], lane=Lane.BACKGROUND))
        await until(lambda: len(device.prepared) == 2)
        await asyncio.sleep(0.01)
        device.open.set()
        assert numbers(await tweet) == [99]
        assert numbers(await book) == [0]

    run(device, scenario, overlap=True)
    assert device.batches == [[99], [0]]


def test_several_batches_run_at_once_and_no_more() -> None:
    device = Device()
    device.most_at_once = 2

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        requests = [asyncio.create_task(batcher.submit([chunk(n, cost=100)])) for n in range(4)]
        await until(lambda: len(device.running) == 2 and len(device.prepared) == 3)
        device.open.set()
        assert [numbers(await request) for request in requests] == [[0], [1], [2], [3]]

    run(device, scenario, at_once=2)


def test_what_waits_is_shared_by_idle_devices_unless_it_is_little() -> None:
    device = Device()
    device.most_at_once = 2

    async def scenario(batcher: Batcher) -> None:
        assert numbers(await batcher.submit([chunk(n, cost=10) for n in range(20)])) == list(range(20))
        assert numbers(await batcher.submit([chunk(n, cost=10) for n in range(20, 26)])) == list(range(20, 26))

    run(device, scenario, max_padded_tokens=1_000, at_once=2)
    assert sorted(map(len, device.batches[:2])) == [10, 10]
    assert device.batches[2:] == [[20, 21, 22, 23, 24, 25]]


@pytest.mark.parametrize("overlap", [True, False])
def test_the_background_has_all_devices_while_nobody_else_wants_one(overlap: bool) -> None:
    device = Device()
    device.most_at_once = 3 if overlap else 2

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        book = asyncio.create_task(batcher.submit([chunk(n, cost=100) for n in range(3)], lane=Lane.BACKGROUND))
        await until(lambda: len(device.running) == 2)
        tweet = asyncio.create_task(batcher.submit([chunk(99)]))
        await (until(lambda: len(device.running) == 3) if overlap else asyncio.sleep(0.01))
        device.open.set()
        assert numbers(await tweet) == [99]
        assert numbers(await book) == [0, 1, 2]

    run(device, scenario, at_once=2, overlap=overlap)


def test_between_two_answers_the_event_loop_looks_at_what_has_arrived() -> None:
    device = Device()
    turns = 0
    answered: list[int] = []

    async def scenario(batcher: Batcher) -> None:
        loop = asyncio.get_running_loop()

        def count_turn() -> None:
            nonlocal turns
            turns += 1
            if len(answered) < 5:
                loop.call_soon(count_turn)

        async def ask(number: int) -> None:
            await batcher.submit([chunk(number)])
            answered.append(turns)

        count_turn()
        await asyncio.gather(*map(ask, range(5)))

    run(device, scenario)
    assert device.batches == [list(range(5))]
    assert len(set(answered)) == 5


def test_what_is_prepared_for_one_that_has_gone_does_not_run() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        first = asyncio.create_task(batcher.submit([chunk(0)]))
        await until(lambda: device.prepared)
        gone = asyncio.create_task(batcher.submit([chunk(1, cost=100)]))
        await until(lambda: len(device.prepared) == 2)
        gone.cancel()
        device.open.set()
        await first
        assert numbers(await batcher.submit([chunk(2)])) == [2]

    run(device, scenario)
    assert device.batches == [[0], [2]]


def test_a_batch_that_is_not_full_waits_no_longer_than_its_window() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        device.open.clear()
        first = asyncio.create_task(batcher.submit([chunk(0)]))
        await until(lambda: device.prepared)
        second = asyncio.create_task(batcher.submit([chunk(1)]))
        await until(lambda: len(device.prepared) == 2)  # though the device is busy
        third = asyncio.create_task(batcher.submit([chunk(2)]))
        await asyncio.sleep(0)
        device.open.set()
        await asyncio.gather(first, second, third)

    run(device, scenario, max_wait_ms=1)
    assert device.batches == [[0], [1], [2]]


def test_who_is_interactive_overtakes_a_background_batch_that_is_prepared() -> None:
    device = Device()

    async def scenario(batcher: Batcher) -> None:
        book = await begin_book(batcher, device, pages=5)
        tweet = asyncio.create_task(batcher.submit([chunk(99)]))
        await asyncio.sleep(0)
        device.open.set()
        assert numbers(await tweet) == [99]
        assert numbers(await book) == [0, 1, 2, 3, 4]

    run(device, scenario)
    assert device.batches == [[0], [99], [1], [2], [3], [4]]


def test_a_failure_to_prepare_is_the_culprits_alone() -> None:
    device = Device()
    whole = device.prepare

    def prepare(chunks: Sequence[Chunk]) -> Run:
        if any(chunk.forms[0] == "3" for chunk in chunks):
            raise ValueError("cannot prepare 3")
        return whole(chunks)

    device.prepare = prepare  # type: ignore[method-assign]

    async def scenario(batcher: Batcher) -> list[Any]:
        device.open.clear()
        tasks = [asyncio.create_task(batcher.submit([chunk(n)])) for n in range(6)]
        await until(lambda: device.prepared)
        device.open.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = run(device, scenario, max_wait_ms=0)
    assert str(answers.pop(3)) == "cannot prepare 3"
    assert [number for answer in answers for number in numbers(answer)] == [0, 1, 2, 4, 5]


def test_after_out_of_memory_no_batch_is_as_big_again() -> None:
    device = Device()
    device.largest = 6

    async def scenario(batcher: Batcher) -> None:
        for _ in range(5):
            assert numbers(await batcher.submit([chunk(n) for n in range(20)])) == list(range(20))

    run(device, scenario, max_padded_tokens=20)
    assert max(map(len, device.prepared[:3])) == 20
    assert max(map(len, device.prepared[3:])) <= 10
    assert max(map(len, device.prepared[-5:])) <= 6


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_chaos_each_live_request_gets_its_own_answer_once(seed: int, budget: int) -> None:
    """Random delays, cancellations, failures and sizes: live requests are answered, and the next one works."""
    rng = random.Random(seed)
    device = Device()
    device.poison = {number for number in range(400) if rng.random() < 0.05}
    device.largest = rng.choice([2, 5, 10**9])
    delays = [rng.random() * 0.001 for _ in range(50)]
    device.delay = lambda: delays[len(device.batches) % len(delays)]

    async def client(batcher: Batcher, mine: list[int], wait: float, patience: float | None) -> None:
        await asyncio.sleep(wait)
        work = asyncio.create_task(batcher.submit([chunk(n, cost=1 + n % 17) for n in mine]))
        if patience is not None:
            await asyncio.sleep(patience)
            work.cancel()
        (answer,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(answer, asyncio.CancelledError):
            assert patience is not None
        elif isinstance(answer, ValueError):
            assert str(answer) in {f"cannot label {n}" for n in device.poison.intersection(mine)}
        else:
            assert numbers(answer) == mine

    async def scenario(batcher: Batcher) -> None:
        clients = []
        for first in range(0, 400, 10):
            mine = rng.sample(range(first, first + 10), rng.randint(0, 10))
            patience = rng.random() * 0.01 if rng.random() < 0.3 else None
            clients.append(client(batcher, mine, rng.random() * 0.01, patience))
        await asyncio.gather(*clients)
        assert numbers(await batcher.submit([chunk(1000)])) == [1000]

    run(device, scenario, max_padded_tokens=budget)
    labelled = [number for batch in device.batches for number in batch]
    assert len(labelled) == len(set(labelled))
