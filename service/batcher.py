"""Batcher: the chunks of all requests, labelled on one device in batches of like length.

It works without pause while anything waits and never waits for company: what arrives while a batch runs is what the
next one is chosen from. The device belongs to one thread of its own; everything else happens in the event loop.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from service.errors import NotReady
from service.room import Entry, WaitingRoom
from taggers.labeler import Chunk, Labels

logger = logging.getLogger("tagline")

LabelChunks = Callable[[Sequence[Chunk]], list[Labels]]
"""Labels chunks in one padded batch, one answer for each; who they are together with changes no answer."""

_SMOOTHING = 0.1
"""The weight of the latest batch in the measured rate."""


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
    """Labels the chunks of all requests on one device. Everything but ``label`` runs in one event loop.

    Args:
        label: Runs in a thread of the batcher's own, one call at a time.
        max_padded_tokens: The most that a batch may cost, padding included.
    """

    def __init__(self, label: LabelChunks, *, max_padded_tokens: int) -> None:
        self._label = label
        self._room: WaitingRoom[_Request] = WaitingRoom(max_padded_tokens=max_padded_tokens)
        self._device = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._arrived = asyncio.Event()
        self._closing = False
        self._running: asyncio.Task[None] | None = None
        self.tokens_per_second: float | None = None
        """What the device does, measured over the latest batches; None before the first."""

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._running = asyncio.create_task(self._run(), name="batcher")

    async def submit(self, chunks: Sequence[Chunk], *, on_start: Callable[[], None] | None = None) -> list[Labels]:
        """Label chunks together with everybody else's.

        Args:
            chunks: In the order in which the request would like them.
            on_start: Called once, when the first of them runs.

        Returns:
            The labels of each chunk.

        Raises:
            NotReady: The batcher was closed.
            Exception: What ``label`` raised for one of the chunks alone.
        """
        if self._closing:
            raise NotReady("the service is shutting down")
        if not chunks:
            return []
        request = _Request(len(chunks), asyncio.get_running_loop().create_future(), on_start)
        entries = self._room.add(request, chunks)
        self._arrived.set()
        try:
            return await request.future
        finally:
            self._room.remove(entries)  # of one that failed, or whose client is gone, the rest need not run

    def stop(self) -> None:
        """Finish what waits, take nothing more; it need not be waited for."""
        self._closing = True
        self._arrived.set()

    async def close(self) -> None:
        """Finish what waits, take nothing more."""
        self.stop()
        if self._running is not None:
            await self._running
        self._device.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            batch = self._room.take()
            if batch:
                await self._run_batch(batch)
            elif self._closing:
                return
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def _run_batch(self, batch: Sequence[Entry[_Request]]) -> None:
        loop = asyncio.get_running_loop()
        for entry in batch:
            entry.owner.start()
        started = loop.time()
        chunks = [entry.chunk for entry in batch]
        outcomes = await loop.run_in_executor(self._device, _label_or_split, self._label, chunks)
        self._measure(sum(chunk.cost for chunk in chunks), loop.time() - started)
        for entry, outcome in zip(batch, outcomes, strict=True):
            entry.owner.settle(entry.position, outcome)

    def _measure(self, tokens: int, seconds: float) -> None:
        rate = tokens / max(seconds, 1e-6)
        before = self.tokens_per_second
        self.tokens_per_second = rate if before is None else before + _SMOOTHING * (rate - before)


def _label_or_split(label: LabelChunks, chunks: Sequence[Chunk]) -> list[Labels | Exception]:
    """Label a batch; one that fails is split until each culprit stands alone with its exception.

    That is also the answer to a device out of memory: half a batch may fit.
    """
    try:
        return [labels for labels, _ in zip(label(chunks), chunks, strict=True)]
    except Exception as error:  # whatever it is, it must not reach the neighbors
        logger.warning("a batch of %d chunks failed: %s: %s", len(chunks), type(error).__name__, error)
        if len(chunks) == 1:
            return [error]
    middle = len(chunks) // 2
    return [*_label_or_split(label, chunks[:middle]), *_label_or_split(label, chunks[middle:])]
