"""Texts of very uneven length, and when they arrive: tweets, addresses and chapters of books, open loop.

The folder of corpora holds ``text/en`` with ``tweets.txt``, one a line, and the folders ``inaugural`` and ``books``.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

_CHAPTER_CHARACTERS = 15_000


def read_tweets(corpora: Path) -> list[str]:
    """The tweets."""
    return (corpora / "text/en/tweets.txt").read_text("utf-8").splitlines()


def read_books(corpora: Path) -> list[str]:
    """The books, whole."""
    return [path.read_text("utf-8") for path in sorted((corpora / "text/en/books").iterdir())]


def read_mixed(corpora: Path, *, count: int, seed: int = 0) -> list[str]:
    """So many texts, drawn from all tweets, addresses and chapters."""
    addresses = [path.read_text("utf-8") for path in sorted((corpora / "text/en/inaugural").iterdir())]
    chapters = [chapter for book in read_books(corpora) for chapter in _chapters(book)]
    return random.Random(seed).sample([*read_tweets(corpora), *addresses, *chapters], count)


def megabyte(corpora: Path, *, seed: int = 0) -> str:
    """Books, joined and cut to a million characters."""
    books = read_books(corpora)
    random.Random(seed).shuffle(books)
    return "\n\n".join(books)[:1_000_000]


async def arrive(
    texts: Sequence[str], send: Callable[[str], Coroutine[Any, Any, Any]], *, per_second: float, seed: int = 0
) -> list[Any]:
    """Send texts as a Poisson process: nobody waits for the answer of another. Returns the results in their order."""
    rng = random.Random(seed)
    loop = asyncio.get_running_loop()
    due = loop.time()
    tasks = []
    for text in texts:
        due += rng.expovariate(per_second)
        await asyncio.sleep(max(0.0, due - loop.time()))
        tasks.append(asyncio.create_task(send(text)))
    return await asyncio.gather(*tasks)


def _chapters(book: str) -> list[str]:
    """Parts of about a chapter's length, whole paragraphs each."""
    parts: list[str] = [""]
    for paragraph in book.split("\n\n"):
        if len(parts[-1]) > _CHAPTER_CHARACTERS:
            parts.append("")
        parts[-1] += paragraph + "\n\n"
    return parts
