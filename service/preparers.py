"""Preparers: the threads beside the event loop, which cut texts, decode labels and write answers.

Python runs one thread at a time, and a network hands over at each of its many steps: it stands still while other Python
code has its turn. So the background works in short steps, one after the other, and only while nobody interactive is
under way, but for its guaranteed share.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import TypeVar

from service.lanes import BACKGROUND_SHARE, Lane

Result = TypeVar("Result")


class Preparers:
    """The threads of a service. Everything but the functions runs in one event loop.

    Args:
        num_threads: How many work for interactive requests. The background has one, because more would only wait for
            each other.
    """

    def __init__(self, num_threads: int) -> None:
        self._threads = {
            Lane.INTERACTIVE: ThreadPoolExecutor(num_threads, thread_name_prefix="prepare"),
            Lane.BACKGROUND: ThreadPoolExecutor(1, thread_name_prefix="background"),
        }
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._turn = asyncio.Lock()
        self._patient_until = 0.0  # until then the background makes room for others

    @contextmanager
    def under_way(self, lane: Lane) -> Iterator[None]:
        """Tell that a request of this lane is being worked on."""
        if lane is Lane.BACKGROUND:
            yield
            return
        self._under_way += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def run(self, function: Callable[..., Result], *arguments: object, lane: Lane) -> Result:
        """Run a function in a thread.

        Args:
            function: The function; in the background it should take no longer than a short request does.
            arguments: Its arguments.
            lane: How urgent it is.
        """
        if lane is Lane.INTERACTIVE:
            return await self._run(function, *arguments, lane=lane)
        async with self._turn:
            await self._make_room()
            clock = asyncio.get_running_loop().time
            started = clock()
            try:
                return await self._run(function, *arguments, lane=lane)
            finally:
                done = clock()
                self._patient_until = done + (done - started) * (1 - BACKGROUND_SHARE) / BACKGROUND_SHARE

    def shutdown(self) -> None:
        """Take nothing more."""
        for threads in self._threads.values():
            threads.shutdown(wait=False)

    async def _make_room(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._patient_until):
                await self._quiet.wait()

    async def _run(self, function: Callable[..., Result], *arguments: object, lane: Lane) -> Result:
        work = copy_context().run  # so that its account is there, too
        return await asyncio.get_running_loop().run_in_executor(self._threads[lane], work, function, *arguments)
