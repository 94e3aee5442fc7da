"""How far a long job is: a bar on a terminal, else a plain line now and then; both go to standard error."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from taggers.bulk.journal import Commit

_INTERVAL_S = 10.0


class ProgressReport:
    """Tells how far a job is, for as long as it is entered.

    Args:
        start: How far it was when this run of it began; rates count from there.
        total_bytes: How much there is to read; None if nobody knows.
        visible: Whether a bar may be shown: it would spoil tables on the same terminal.
        clock: Seconds.
    """

    def __init__(
        self,
        start: Commit,
        *,
        total_bytes: int | None,
        visible: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._total = total_bytes
        self._clock = clock
        self._began = self._told = clock()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._silent = False
        if sys.stderr.isatty():
            self._silent = not visible
            self._bar = _bar(percent=bool(total_bytes)) if visible else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("loading", total=self._total or None, completed=self._start.bytes_read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, commit: Commit) -> None:
        """Tell how far the job is by now."""
        if self._bar is not None:
            self._bar.update(self._task, description=self._said(commit, left=True), completed=commit.bytes_read)
        elif not self._silent and self._clock() - self._told >= _INTERVAL_S:
            self._told = self._clock()
            percent = f"{commit.bytes_read / self._total:.0%}, " if self._total else ""
            print(f"{percent}{self._said(commit, left=True)}", file=sys.stderr, flush=True)

    def finish(self, commit: Commit) -> None:
        """Tell what was done; of a short job nothing is told."""
        if self._told > self._began:
            print(f"done: {self._said(commit, left=False)}", file=sys.stderr, flush=True)

    def _said(self, commit: Commit, *, left: bool) -> str:
        seconds = max(self._clock() - self._began, 1e-9)
        rate = (commit.words - self._start.words) / seconds
        said = [count(commit.documents), f"{commit.words:,} words", f"{rate:,.0f} words/s"]
        if commit.failures:
            said.append(f"{commit.failures:,} failed")
        read = commit.bytes_read - self._start.bytes_read
        if left and self._total and read > 0:
            rest = timedelta(seconds=round(seconds * (self._total - commit.bytes_read) / read))
            said.append(f"{rest} left")
        return ", ".join(said)


def count(number: int) -> str:
    """So many documents."""
    return f"{number:,} document" if number == 1 else f"{number:,} documents"


def _bar(*, percent: bool) -> Progress:
    columns = [BarColumn(), TaskProgressColumn()] if percent else [BarColumn()]
    return Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True))
