"""Tagged records -> bytes of the output, in a format: each chunk for itself, whatever came before it."""

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from taggers.bulk.compression import Compression, compressor, file_compressor, split_suffix
from taggers.bulk.pieces import Failure
from taggers.document import Document
from taggers.errors import TaglineError
from taggers.formats.answer import document_to_json
from taggers.formats.columns import write_columns
from taggers.formats.conllu import write_conllu
from taggers.formats.html import HTML_TAIL, html_head, html_section
from taggers.formats.jsonl import write_line

OutputFormat = Literal["jsonl", "conllu", "parquet", "iob2", "html", "table"]

_SUFFIXES: dict[str, OutputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conllu": "conllu",
    ".iob2": "iob2",
    ".parquet": "parquet",
    ".html": "html",
}
_NAMES_OF_WORDS = {"conllu": "CoNLL-U", "iob2": "IOB2"}
"""Formats that consist of words, and what people call them."""
UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError, NotImplementedError)
"""What writers raise for what their format cannot hold; Arrow's errors are among them."""
_WIDE = 1000  # columns of a table that no terminal cuts


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tagged document with what is written beside it.

    Attributes:
        document: The document.
        number: How many records of the input come before it, good or bad.
        place: Where it stands in the input.
        extra: The other columns.
        schema: The Arrow schema that tells their types, if they come from Parquet.
    """

    document: Document
    number: int
    place: str
    extra: Mapping[str, Any]
    schema: Any = None


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How the output is written.

    Attributes:
        format: Its format.
        compression: That of the whole file.
        title: That of a page.
        terminal_width: The columns of the terminal that shows it; None if no terminal does.
    """

    format: OutputFormat
    compression: Compression | None = None
    title: str = ""
    terminal_width: int | None = None

    @property
    def head(self) -> bytes:
        """What comes before the first document."""
        return self._compressed(html_head(self.title)) if self.format == "html" else b""

    @property
    def tail(self) -> bytes:
        """What comes after the last document."""
        return self._compressed(HTML_TAIL) if self.format == "html" else b""

    @property
    def nothing(self) -> bytes:
        """The whole of an output without documents, head or tail."""
        return file_compressor(self.compression)(b"")

    def _compressed(self, text: str) -> bytes:
        return compressor(self.compression)(text.encode("utf-8"))

    def problem_with(self, document: Document) -> str | None:
        """Why the format cannot hold a document; None if it can."""
        name = _NAMES_OF_WORDS.get(self.format)
        if name is None or any(map(len, document)):
            return None
        return f"has no words, and {name} has no place for what has none"


Render = Callable[[Sequence[Tagged]], bytes]
"""The documents of a chunk -> its part of the output."""


def choose_output(output: Path | None, to: OutputFormat | None, *, title: str) -> OutputOptions:
    """How an output is written: as told, else a table on a terminal, else by the suffix of the file, else JSONL.

    Args:
        output: The file; None for standard output.
        to: The format, if one was told.
        title: That of a page.

    Raises:
        TaglineError: Parquet cannot be written there.
    """
    inner, compression = (None, None) if output is None else split_suffix(output.name)
    terminal = output is None and sys.stdout.isatty()
    found = "table" if terminal else "jsonl" if inner is None else _SUFFIXES.get(Path(inner).suffix.lower(), "jsonl")
    format: OutputFormat = to or found
    if format == "parquet" and (output is None or (output.exists() and not output.is_file())):
        raise TaglineError("Parquet needs a file of its own: name one, -o OUT.parquet")
    if format == "parquet" and compression is not None:
        raise TaglineError(f"{output}: Parquet is compressed inside: name it without .{compression}")
    return OutputOptions(format, compression, title, shutil.get_terminal_size().columns if terminal else None)


def render_good(render: Render, chunk: Sequence[Tagged], options: OutputOptions) -> tuple[bytes, Mapping[int, Failure]]:
    """The part of those documents that a format can hold, and by their numbers what is wrong with the others."""
    failures = {one.number: Failure(one.place, why) for one in chunk if (why := options.problem_with(one.document))}
    good = [one for one in chunk if one.number not in failures]
    try:
        return render(good), failures
    except UNWRITABLE:
        failures |= {one.number: Failure(one.place, why) for one in good if (why := _problem_of(render, one))}
    return render([one for one in good if one.number not in failures]), failures


def _problem_of(render: Render, tagged: Tagged) -> str | None:
    try:
        render([tagged])
    except UNWRITABLE as error:
        return f"cannot be written: {str(error).partition(chr(10))[0]}"
    return None


def find_renderer(options: OutputOptions, *, span_tasks: Sequence[str]) -> Render:
    """What writes a format, not yet compressed.

    Args:
        options: Which one.
        span_tasks: The span layers that are filled; IOB2 holds one of them, ``ner`` if it is there.

    Raises:
        TaglineError: There are no spans to write in it.
    """
    match options.format:
        case "jsonl":
            return _jsonl
        case "parquet":
            return _arrow(span_tasks)
        case "conllu":
            return _each(lambda tagged: write_conllu([tagged.document], first=tagged.number))
        case "iob2":
            if not span_tasks:
                raise TaglineError("IOB2 holds a layer of spans, but the tasks asked for fill none")
            layer = "ner" if "ner" in span_tasks else span_tasks[0]
            return _each(lambda tagged: write_columns([tagged.document], layer=layer, first=tagged.number))
        case "html":
            return _each(lambda tagged: [html_section(tagged.document, number=tagged.number)])
        case "table":
            from taggers.formats.terminal import write_table  # rich takes a moment to import

            width, color = options.terminal_width or _WIDE, options.terminal_width is not None
            return _each(lambda tagged: write_table([tagged.document], width=width, color=color))


def _each(write: Callable[[Tagged], Iterable[str]]) -> Render:
    return lambda chunk: "".join(piece for tagged in chunk for piece in write(tagged)).encode("utf-8")


def _jsonl(chunk: Sequence[Tagged]) -> bytes:
    lines = (write_line({**document_to_json(tagged.document), **tagged.extra}) for tagged in chunk)
    return "".join(lines).encode("utf-8")


def _arrow(span_tasks: Sequence[str]) -> Render:
    from taggers.formats.arrow import documents_to_table
    from taggers.formats.parquet import table_to_stream

    def render(chunk: Sequence[Tagged]) -> bytes:
        types = {field.name: field.type for tagged in chunk for field in tagged.schema or ()}
        table = documents_to_table(
            [tagged.document for tagged in chunk], [tagged.extra for tagged in chunk], layers=span_tasks, types=types
        )
        return table_to_stream(table) if chunk else b""

    return render
