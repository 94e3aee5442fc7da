"""Work on the items of a source, several at once, with the results in order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def work_ahead(
    source: AsyncIterable[Item], work: Callable[[Item], Coroutine[Any, Any, Result]], *, at_once: int
) -> AsyncGenerator[Result, None]:
    """The result of each item, in order.

    Whoever leaves before the end must close the iterator (``contextlib.aclosing``): what is under way is cancelled.

    Args:
        source: The items; none is asked for before there is somebody to work on it.
        work: Starts to work on one.
        at_once: On so many at once.

    Raises:
        Exception: What the source or the work raises.
    """
    running: deque[asyncio.Task[Result]] = deque()
    try:
        async for item in source:
            running.append(asyncio.create_task(work(item)))
            if len(running) >= at_once:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
