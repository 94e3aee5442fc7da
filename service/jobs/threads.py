"""What blocks, the store and the reading and writing of files, in threads beside the event loop.

Not in those that asyncio has for everybody: a database that is locked, or an address that never answers, would hold up
all else. And as daemons: what never comes back keeps no process from ending.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from errno import EDQUOT, EIO, ENOSPC, EROFS, ESTALE
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from service.errors import JobsUnavailable

_RETRY_S = 1.0
_PASSING = (ENOSPC, EDQUOT, EROFS, EIO, ESTALE)

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")
Result = TypeVar("Result")
_Work = tuple[Future[Any], Callable[[], Any]]


class Threads:
    """Threads for one kind of work.

    Args:
        name: What they are called.
        most: How many there may be; what is more waits.
    """

    def __init__(self, name: str, *, most: int) -> None:
        self._name = name
        self._most = most
        self._started = 0
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """What a function returns. It runs to its end, even if nobody waits for that any more.

        Raises:
            Exception: What it raises.
        """
        answer: Future[Result] = Future()
        self._waiting.put((answer, partial(function, *args, **kwargs)))
        if self._started < self._most:
            self._started += 1
            Thread(target=self._work, name=self._name, daemon=True).start()
        return await asyncio.wrap_future(answer)

    async def each(self, items: Iterator[Item]) -> AsyncGenerator[Item, None]:
        """The items, each made in a thread."""
        while (item := await self.run(next, items, None)) is not None:
            yield item

    def close(self) -> None:
        """Let them end when they have done what waits."""
        for _ in range(self._started):
            self._waiting.put(None)
        self._started = 0

    def _work(self) -> None:
        while _do(self._waiting.get()):
            pass


@dataclass(frozen=True, slots=True)
class JobThreads:
    """Threads for each kind of work, so that none waits for another.

    Attributes:
        store: Ask the database.
        files: Read and write the files of jobs.
        looking: Look into what new jobs are to read.
    """

    store: Threads = field(default_factory=lambda: Threads("jobs-store", most=8))
    files: Threads = field(default_factory=lambda: Threads("jobs-files", most=16))
    looking: Threads = field(default_factory=lambda: Threads("jobs-looking", most=32))

    def close(self) -> None:
        """Let them end when they have done what waits."""
        for threads in (self.store, self.files, self.looking):
            threads.close()


async def patiently(ask: Callable[[], Result], *, threads: Threads, tell: Callable[[str], None]) -> Result:
    """Ask the store or the disk until it answers. What it was asked may even have been done; it finds out.

    Args:
        ask: Asks it.
        threads: Where.
        tell: Told why it does not answer, every time.

    Raises:
        Exception: What is wrong will not pass.
    """
    while True:
        try:
            return await threads.run(ask)
        except JobsUnavailable as error:
            tell(str(error))
        except OSError as error:
            if not passes(error):
                raise
            tell(str(error.strerror))
        await asyncio.sleep(_RETRY_S)


def passes(error: OSError) -> bool:
    """Whether the trouble is the disk's or the way to it, and no job's own."""
    return error.errno in _PASSING


def _do(work: _Work | None) -> bool:
    if work is None:
        return False
    answer, function = work
    if answer.set_running_or_notify_cancel():
        try:
            answer.set_result(function())
        except BaseException as error:  # whoever waits for it gets it
            answer.set_exception(error)
    return True
