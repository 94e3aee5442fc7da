"""Where the parts of the output go, in order: a stream that they are simply written to, or a file (``file_output``)."""

import sys
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any, Protocol

from taggers.bulk.chunks import TaggedChunk
from taggers.bulk.interrupts import Interrupts
from taggers.bulk.journal import Commit
from taggers.bulk.rendering import OutputOptions
from taggers.bulk.streams import write_all

PART, JOURNAL, MAKING = ".part", ".journal", ".making"
"""What is beside a file until it is whole: its beginning, how much of that counts, and its last form."""


class Output(Protocol):
    """What takes the parts of the output, in order."""

    commit: Commit
    """How far the job is."""

    def begin(self) -> None:
        """Open it, to write behind what is there already."""
        ...

    def write(self, chunk: TaggedChunk) -> None:
        """Take the next part. An interrupt waits until it is taken whole."""
        ...

    def finish(self) -> None:
        """The output is whole: put it in its place."""
        ...

    def abandon(self) -> str | None:
        """The job ends here; what was done is kept, and where it is is told, if anything was done."""
        ...


class StreamOutput:
    """Standard output, a pipe or a device. Failures are told on standard error.

    Args:
        stream: Has no buffer, which would try again, when it closes, to write what a full disk refused; None to open
            the file of this name.
        name: What errors call it.
        options: How the output is written.
        interrupts: What waits while a part is written.
    """

    def __init__(self, stream: RawIOBase | None, name: str, options: OutputOptions, interrupts: Interrupts) -> None:
        self.commit = Commit()
        self._ours = stream is None
        self._stream = stream
        self._name = name
        self._options = options
        self._interrupts = interrupts

    def begin(self) -> None:
        """Open the stream."""
        if self._stream is None:
            self._stream = FileIO(self._name, "w")
        self._write(self._options.head)

    def write(self, chunk: TaggedChunk) -> None:
        """Pass a part on."""
        with self._interrupts.held():
            self._write(chunk.content)
            self.commit = self.commit.after(chunk)
            for failure in chunk.failures:
                print(f"tagline: {failure.place}: {failure.reason}", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Write what comes last."""
        self._write(self._options.tail)
        self.abandon()

    def abandon(self) -> None:
        """Close what was opened here; there is nothing to keep."""
        if self._ours and self._stream is not None:
            self._stream.close()

    def _write(self, content: bytes) -> None:
        assert self._stream is not None, "an output is begun before it is written to"
        write_all(self._stream, content, self._name)


def standard_output() -> RawIOBase:
    """Standard output without a buffer."""
    sys.stdout.flush()
    buffer: Any = sys.stdout.buffer
    stream: RawIOBase = getattr(buffer, "raw", buffer)  # output that is captured has no raw stream
    return stream


def files_of(target: Path) -> list[Path]:
    """All that a job writes, also what is there only until it is whole."""
    place = target.resolve()
    return [place, failures_beside(place), *(beside(place, suffix) for suffix in (PART, JOURNAL, MAKING))]


def failures_beside(target: Path) -> Path:
    """The file that names the records that gave nothing."""
    return beside(target, ".errors.jsonl")


def beside(target: Path, suffix: str) -> Path:
    """A file of the job, next to its output."""
    return target.with_name(target.name + suffix)
