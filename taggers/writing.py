"""Where tagged documents go: a format, and a file or standard output that only ever holds whole chunks of it."""

import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import RawIOBase
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from taggers.document import Document
from taggers.errors import TaglineError
from taggers.formats.columns import write_columns
from taggers.formats.conllu import write_conllu
from taggers.formats.jsonl import write_jsonl

OutputFormat = Literal["jsonl", "conllu", "parquet", "iob2", "html", "table"]

Writer = Callable[[Iterable[Document]], Iterator[str]]
"""Documents -> chunks of text, as they come."""

_SUFFIXES: dict[str, OutputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conllu": "conllu",
    ".iob2": "iob2",
    ".parquet": "parquet",
    ".html": "html",
}
_WIDE = 1000  # columns of a table that no terminal cuts


def is_terminal(output: Path | None) -> bool:
    """Whether an output (None: standard output) is a terminal."""
    return output is None and sys.stdout.isatty()


def choose_format(output: Path | None) -> OutputFormat:
    """The format of an output for which none was told: a table on a terminal, else by suffix, else JSONL."""
    if is_terminal(output):
        return "table"
    return "jsonl" if output is None else _SUFFIXES.get(output.suffix.lower(), "jsonl")


def find_writer(format: OutputFormat, *, span_tasks: Sequence[str], terminal: bool) -> Writer:
    """What writes a format.

    Args:
        format: The format.
        span_tasks: The span layers that are filled; IOB2 holds one of them, ``ner`` if it is there.
        terminal: Whether the output is a terminal.

    Raises:
        TaglineError: The format cannot be written yet, or there are no spans to write in it.
    """
    match format:
        case "jsonl":
            return write_jsonl
        case "conllu":
            return write_conllu
        case "iob2":
            if not span_tasks:
                raise TaglineError("IOB2 holds a layer of spans, but the tasks asked for fill none")
            return partial(write_columns, layer="ner" if "ner" in span_tasks else span_tasks[0])
        case "table":
            from taggers.formats.terminal import write_table  # rich takes a moment to import

            width = shutil.get_terminal_size().columns if terminal else _WIDE
            return partial(write_table, width=width, color=terminal)
        case _:
            raise TaglineError(
                f"the output format {format} cannot be written yet; there are: jsonl, conllu, iob2, table"
            )


class Output:
    """Takes chunks of text and passes each on at once, whole: an interrupt (Ctrl-C) waits until a chunk is written.

    Args:
        stream: Has no buffer, which would try again, when it closes, to write what a full disk refused.
        name: What errors call it.
    """

    def __init__(self, stream: RawIOBase, name: str) -> None:
        self.bytes_written = 0
        self._stream = stream
        self._name = name
        self._writing = False
        self._interrupted = False

    def write(self, chunk: str) -> None:
        """Write one chunk, in UTF-8.

        Raises:
            OSError: It cannot be written; the error names the output.
            KeyboardInterrupt: An interrupt came meanwhile.
        """
        self._writing = True
        try:
            left = memoryview(chunk.encode("utf-8"))
            while left:
                written = self._stream.write(left) or 0
                self.bytes_written += written
                left = left[written:]
        except OSError as error:
            error.filename = self._name
            raise
        finally:
            self._writing = False
        if self._interrupted:
            raise KeyboardInterrupt

    def interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Handle the signal; a second one does not wait."""
        if not self._writing or self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True


@contextmanager
def open_output(path: Path | None) -> Iterator[Output]:
    """Open an output for as long as the block lasts.

    A file is written beside its place under the name ``OUT.part`` and takes its place at the end; when the block
    fails, what was written before stays there, and an error of ours says so.

    Args:
        path: The file; None for standard output.

    Raises:
        OSError: It cannot be written.
    """
    target = path and path.resolve()  # a link stays a link
    if target is None:
        with _waiting_interrupts(Output(_stdout(), "<stdout>")) as output:
            yield output
    elif target.exists() and not target.is_file():  # nothing may take the place of a device or a pipe
        with target.open("wb", buffering=0) as stream, _waiting_interrupts(Output(stream, str(path))) as output:
            yield output
    else:
        with _replacing(target) as output:
            yield output


@contextmanager
def _replacing(target: Path) -> Iterator[Output]:
    part = target.with_name(f"{target.name}.part")
    with part.open("wb", buffering=0) as stream:
        output = Output(stream, str(part))
        try:
            with _waiting_interrupts(output):
                yield output
        except BaseException as error:
            if not output.bytes_written:
                part.unlink()
            elif isinstance(error, TaglineError):
                raise TaglineError(f"{error}; what was tagged before is in {part}") from error
            raise
    part.replace(target)


@contextmanager
def _waiting_interrupts(output: Output) -> Iterator[Output]:
    # Where interrupts are ignored (nohup) or somebody else's, they stay so; only the main thread may set a handler.
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield output
        return
    signal.signal(signal.SIGINT, output.interrupt)
    try:
        yield output
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stdout() -> RawIOBase:
    sys.stdout.flush()
    buffer: Any = sys.stdout.buffer
    stream: RawIOBase = getattr(buffer, "raw", buffer)  # output that is captured has no raw stream
    return stream
