"""Batcher: the chunks of all requests, labelled by one network in batches of like length.

While batches run the next one is made. An idle device never waits for company: only while it is busy does a batch
that is not full wait, for a moment, for more chunks to join it. Each lane's batches run in threads of their own, the
making of batches has another, and everything else happens in the event loop.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from service.budget import Budget
from service.errors import ModelLost, NotReady
from service.lanes import Batch, Lane, Lanes, work_in
from taggers.labeler import Chunk, Labels, Run

logger = logging.getLogger("tagline")

_LITTLE = 0.25
"""The share of a full batch up to which who is interactive runs beside the background."""

_SHARED = 64
"""What waits is shared by idle devices in parts of so many positions at least."""

Prepare = Callable[[Sequence[Chunk]], Run]
"""Makes one padded batch of chunks and returns what labels it; who they are together with changes no answer."""


class _Request:
    """The chunks of one submitter: which answers are there, and the future that it awaits."""

    def __init__(
        self, num_chunks: int, future: asyncio.Future[list[Labels]], on_start: Callable[[], None] | None
    ) -> None:
        self.future = future
        self._answers: list[Labels | None] = [None] * num_chunks
        self._missing = num_chunks
        self._on_start = on_start

    def start(self) -> None:
        """Say once that the first chunk runs."""
        if self._on_start is not None and not self.future.done():
            self._on_start()
            self._on_start = None

    def settle(self, position: int, outcome: Labels | Exception) -> None:
        """Take one chunk's answer; the future is done when all are there, or one has failed."""
        if self.future.done():  # it failed already, or its client is gone: setting it again would raise
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
            return
        self._answers[position] = outcome
        self._missing -= 1
        if not self._missing:
            self.future.set_result([answer for answer in self._answers if answer is not None])


class Batcher:
    """Labels the chunks of all requests by one network. Everything but ``prepare`` runs in one event loop.

    Args:
        prepare: Runs in threads of the batcher's own, and so does what it returns.
        budget: How big a batch may be.
        max_wait_ms: How long a batch that is not full waits for company while the device is busy.
        at_once: How many batches run at once, each on a device of its own or on its part of one.
        overlap: Whether who is interactive waits for no batch of the background, but runs beside it.
        settling: Held by whoever gives an answer, until its request has gone on: all batchers of an event loop should
            have the same, so that between two such steps it looks at what has arrived.
    """

    def __init__(
        self,
        prepare: Prepare,
        *,
        budget: Budget,
        max_wait_ms: float,
        at_once: int = 1,
        overlap: bool = False,
        settling: asyncio.Lock | None = None,
    ) -> None:
        self._prepare = prepare
        self._budget = budget
        self._max_wait_s = max_wait_ms / 1000
        self._at_once = at_once
        self._overlap = overlap
        self._settling = settling or asyncio.Lock()
        self._lanes: Lanes[_Request] = Lanes()
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self._devices = {
            lane: ThreadPoolExecutor(at_once, f"{lane.value}-device", initializer=work_in, initargs=(lane,))
            for lane in Lane
        }
        self._running: Counter[Lane] = Counter()
        self._changed = asyncio.Event()
        self._closing = False
        self._working: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._working = asyncio.create_task(self._work(), name="batcher")

    async def submit(
        self, chunks: Sequence[Chunk], *, lane: Lane = Lane.INTERACTIVE, on_start: Callable[[], None] | None = None
    ) -> list[Labels]:
        """Label chunks together with everybody else's.

        Args:
            chunks: In the order in which the request would like them.
            lane: How urgent they are.
            on_start: Called once, when the first of them runs.

        Returns:
            The labels of each chunk.

        Raises:
            NotReady: The batcher was closed.
            Exception: What the network raised for one of the chunks alone.
        """
        if self._closing:
            raise NotReady("the service is shutting down")
        if not chunks:
            return []
        request = _Request(len(chunks), asyncio.get_running_loop().create_future(), on_start)
        entries = self._lanes.add(request, chunks, lane=lane)
        self._changed.set()
        try:
            return await request.future
        finally:
            self._lanes.remove(entries, lane=lane)  # of one that failed, or whose client is gone, the rest need not run

    def stop(self) -> None:
        """Finish what waits, take nothing more; it need not be waited for."""
        self._closing = True
        self._changed.set()

    async def close(self) -> None:
        """Finish what waits, take nothing more."""
        self.stop()
        if self._working is not None:
            await self._working
        self._preparing.shutdown(wait=False)
        for threads in self._devices.values():
            threads.shutdown(wait=False)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as batches:
            while batch := await self._next_batch():
                if self._can_run(batch.lane, batch.tokens):
                    self._start(batches, batch, None)
                    continue
                run = await self._off_loop(self._preparing, _try_to_prepare, self._prepare, _chunks(batch))
                while True:
                    if urgent := self._take_before(batch):
                        self._start(batches, urgent, None)
                    elif self._can_run(batch.lane, batch.tokens):
                        break
                    else:
                        self._changed.clear()
                        await self._changed.wait()
                self._start(batches, batch, run)

    def _can_run(self, lane: Lane, tokens: int) -> bool:
        """Whether chunks of this lane can run now. Beside the background it is a little only; much has to be fast."""
        if self._overlap and lane is Lane.INTERACTIVE and tokens <= _LITTLE * self._budget.positions:
            return self._running[lane] < self._at_once
        return self._running.total() < self._at_once

    def _take_before(self, batch: Batch[_Request]) -> Batch[_Request]:
        """What should run before a batch that was taken already, and can."""
        if not self._can_run(Lane.INTERACTIVE, self._lanes.tokens(Lane.INTERACTIVE)):
            return Batch()
        return self._lanes.take_before(batch, max_padded_tokens=self._budget.positions)

    async def _next_batch(self) -> Batch[_Request]:
        """What runs next, taken as late as is good for it; empty when the batcher is closed and nothing waits."""
        loop = asyncio.get_running_loop()
        until: float | None = None  # when the batch that could be taken has waited enough
        while True:
            budget = self._budget.positions
            if not self._lanes:
                if self._closing:
                    return Batch()
                until = None
            else:
                until = until or loop.time() + self._max_wait_s
                waiting = self._lanes.tokens(self._lanes.turn)
                idle = self._can_run(self._lanes.turn, waiting)
                if idle or self._closing or waiting >= budget or loop.time() >= until:
                    num_idle = max(1, self._at_once - self._running.total())
                    return self._lanes.take(max_padded_tokens=min(budget, max(_SHARED, -(-waiting // num_idle))))
            self._changed.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _start(self, batches: asyncio.TaskGroup, batch: Batch[_Request], run: Run | None) -> None:
        self._running[batch.lane] += 1
        batches.create_task(self._run_batch(batch, run)).add_done_callback(lambda _: self._leave(batch.lane))

    def _leave(self, lane: Lane) -> None:
        self._running[lane] -= 1
        self._changed.set()

    async def _run_batch(self, batch: Batch[_Request], run: Run | None) -> None:
        """Run a batch, prepared or not, and give everybody their answers."""
        entries = batch.entries
        if all(entry.owner.future.done() for entry in entries):
            return  # they left while it was prepared
        for entry in entries:
            entry.owner.start()
        loop = asyncio.get_running_loop()
        started = loop.time()
        uncrowded = self._running.total() <= self._at_once
        chunks = _chunks(batch)
        device = self._devices[batch.lane]
        outcomes = await self._off_loop(device, _label_or_split, self._prepare, chunks, run, self._budget.shrink)
        if uncrowded and self._running.total() <= self._at_once:  # otherwise it tells little of the device's speed
            self._budget.observe(_positions(chunks), loop.time() - started)
        for entry, outcome in zip(entries, outcomes, strict=True):
            async with self._settling:
                entry.owner.settle(entry.position, outcome)
                if entry.owner.future.done():
                    await asyncio.sleep(0)

    def _off_loop(self, thread: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(thread, work, *arguments)


def _chunks(batch: Batch[_Request]) -> list[Chunk]:
    return [entry.chunk for entry in batch.entries]


def _positions(chunks: Sequence[Chunk]) -> int:
    return len(chunks) * max(chunk.cost for chunk in chunks)


def _try_to_prepare(prepare: Prepare, chunks: Sequence[Chunk]) -> Run | None:
    """Make a batch; None if that fails, which is then found out again, and whose fault it is."""
    try:
        return prepare(chunks)
    except Exception:  # see _label_or_split
        return None


def _label_or_split(
    prepare: Prepare, chunks: Sequence[Chunk], run: Run | None, shrink: Callable[[int], None]
) -> list[Labels | Exception]:
    """Label a batch; one that fails is split until each culprit stands alone with its exception.

    That is also the answer to a device out of memory: half a batch may fit, and no further batch is as big.
    """
    out_of_memory = False
    try:
        answers = (run or prepare(chunks))()
        return [labels for labels, _ in zip(answers, chunks, strict=True)]
    except Exception as error:  # whatever it is, it must not reach the neighbors
        logger.warning("a batch of %d chunks failed: %s: %s", len(chunks), type(error).__name__, error)
        out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if len(chunks) == 1 or isinstance(error, ModelLost):  # which no part of it would find again
            return [error] * len(chunks)
    run = None  # it holds the batch
    if out_of_memory:
        shrink(_positions(chunks))
        torch.cuda.empty_cache()  # only here are the batch's tensors gone, with the traceback that held them
    middle = len(chunks) // 2
    halves = chunks[:middle], chunks[middle:]
    return [outcome for half in halves for outcome in _label_or_split(prepare, half, None, shrink)]
