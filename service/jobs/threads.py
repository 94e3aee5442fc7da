"""What blocks, the store and the reading of files, in threads beside the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from service.errors import JobsUnavailable

_RETRY_S = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_threads(items: Iterator[Item]) -> AsyncGenerator[Item, None]:
    """The items, each made in a thread."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item


async def patiently(ask: Callable[[], Result], *, tell: Callable[[str], None]) -> Result:
    """Ask the store until it answers. What it was asked may even have been done; it finds out.

    Args:
        ask: Asks it.
        tell: Told why it does not answer, every time.
    """
    while True:
        try:
            return await asyncio.to_thread(ask)
        except JobsUnavailable as error:
            tell(str(error))
            await asyncio.sleep(_RETRY_S)
