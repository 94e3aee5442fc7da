"""How far a long job is: a bar on a terminal, else a plain line now and then; both go to standard error."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from taggers.document import Document

_INTERVAL_S = 10.0


def follow(
    documents: Iterable[Document],
    *,
    bytes_read: Callable[[], int],
    total_bytes: int | None,
    visible: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Document]:
    """Pass documents on, telling how many there were.

    Args:
        documents: Tagged documents.
        bytes_read: How much of the input was read.
        total_bytes: How much there is; None if nobody knows.
        visible: Whether a bar may be shown: it would spoil tables on the same terminal.
        clock: Seconds.
    """
    if not sys.stderr.isatty():
        return _with_lines(documents, _Count(bytes_read, total_bytes, clock))
    return _with_bar(documents, _Count(bytes_read, total_bytes, clock)) if visible else iter(documents)


class _Count:
    """What was done so far."""

    def __init__(self, bytes_read: Callable[[], int], total_bytes: int | None, clock: Callable[[], float]) -> None:
        self.bytes_read = bytes_read
        self.total_bytes = total_bytes
        self.clock = clock
        self.started = clock()
        self.documents = 0
        self.words = 0

    def add(self, document: Document) -> None:
        self.documents += 1
        self.words += sum(len(sentence) for sentence in document)

    def __str__(self) -> str:
        seconds = max(self.clock() - self.started, 1e-9)
        noun = "document" if self.documents == 1 else "documents"
        return f"{self.documents:,} {noun}, {self.words:,} words, {self.words / seconds:,.0f} words/s"

    @property
    def percent(self) -> str:
        return f"{self.bytes_read() / self.total_bytes:.0%}, " if self.total_bytes else ""


def _with_lines(documents: Iterable[Document], count: _Count) -> Iterator[Document]:
    told = count.started
    for document in documents:
        count.add(document)
        yield document
        if count.clock() - told >= _INTERVAL_S:
            told = count.clock()
            print(f"{count.percent}{count}", file=sys.stderr, flush=True)
    if told > count.started:  # a short job says nothing
        print(f"done: {count}", file=sys.stderr, flush=True)


def _with_bar(documents: Iterable[Document], count: _Count) -> Iterator[Document]:
    columns = [BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    if count.total_bytes:
        columns[1:1] = [TaskProgressColumn()]
        columns += [TextColumn("left:"), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("loading", total=count.total_bytes or None)
        for document in documents:
            count.add(document)
            yield document
            bar.update(task, description=str(count), completed=count.bytes_read())
