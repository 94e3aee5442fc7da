"""Where documents come from: files and standard input, read as a stream, in a format told or found out.

Input is UTF-8. Nothing in a text is translated, line ends neither, so that offsets point into the text as it was
received. A byte order mark at the start of a file is the sign of its encoding and no part of its text: offsets count
from the character behind it.
"""

import codecs
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from io import BufferedReader
from pathlib import Path
from typing import Literal

from taggers.document import Document
from taggers.errors import FormatError, TaglineError
from taggers.formats.conllu import read_conllu
from taggers.formats.jsonl import read_jsonl
from taggers.formats.lines import strip_mark
from taggers.formats.raw import RawDocument
from taggers.formats.tables import DEFAULT_ID_FIELD, read_csv

InputFormat = Literal["auto", "text", "jsonl", "csv", "parquet", "conllu"]

STDIN = "-"
"""The name that stands for standard input."""

_SUFFIXES: dict[str, InputFormat] = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".conllu": "conllu",
}
_NO_FORMAT_IN_NAME = ("", STDIN)
_JSON_OBJECT = re.compile(rb'\s*\{\s*"')
_CONLLU_ROW = re.compile(rb"1(-[0-9]+)?(\t[^\t]+){9}\r?\Z")


class Inputs:
    """The documents of several inputs, one input after the other; each is opened when its turn comes.

    Text gives one document an input, whose id is the file's name as it was given; JSONL and CSV give one a row, CoNLL-U
    one a ``# newdoc``.

    Args:
        names: Files; ``-`` is standard input.
        format: ``auto`` goes by a file's suffix, and by the first line where there is none.
        text_field: The field of JSONL, or the column of CSV, that holds the text.
        id_field: The one that holds the id.

    Raises:
        TaglineError: A file's suffix tells no format, or its format cannot be read yet.
        OSError: A file is not there, or is a folder.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        format: InputFormat = "auto",
        text_field: str = "text",
        id_field: str = DEFAULT_ID_FIELD,
    ) -> None:
        self.names = tuple(names)
        self.bytes_read = 0
        self._text_field = text_field
        self._id_field = id_field
        # All are looked at now: hours into a job is too late to hear that its last file is misspelled.
        self._formats = tuple(_format_of(name, format) for name in self.names)
        sizes = [_size(name) for name in self.names]
        self.total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        """How much there is to read; None where a pipe does not tell."""

    def __iter__(self) -> Iterator[Document | RawDocument]:
        for name, format in zip(self.names, self._formats, strict=True):
            # Standard input is not ours to close.
            with nullcontext(_stdin()) if name == STDIN else Path(name).open("rb") as stream:
                yield from self._read(stream, name, _guess(stream) if format == "auto" else format)

    def _read(self, stream: BufferedReader, name: str, format: InputFormat) -> Iterator[Document | RawDocument]:
        path = "<stdin>" if name == STDIN else name
        match format:
            case "jsonl":
                yield from read_jsonl(
                    self._lines(stream, path), path, text_field=self._text_field, id_field=self._id_field
                )
            case "csv":
                yield from read_csv(
                    self._lines(stream, path), path, text_field=self._text_field, id_field=self._id_field
                )
            case "conllu":
                yield from read_conllu(self._lines(stream, path), path)
            case _:
                content = stream.read()
                self.bytes_read += len(content)
                yield RawDocument(strip_mark(_decode(content, path, 1, 0)), None if name == STDIN else name)

    def _lines(self, stream: Iterable[bytes], path: str) -> Iterator[str]:
        """The lines with their line ends, one at a time: a line ends at LF alone."""
        offset = 0
        for number, line in enumerate(stream, 1):
            self.bytes_read += len(line)
            yield _decode(line, path, number, offset)
            offset += len(line)


def _format_of(name: str, format: InputFormat) -> InputFormat:
    """The format of an input; ``auto`` where only its content can tell."""
    if name != STDIN and Path(name).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    suffix = STDIN if name == STDIN else Path(name).suffix.lower()
    chosen = _SUFFIXES.get(suffix) if format == "auto" else format
    if chosen == "parquet":
        raise TaglineError(f"{name}: Parquet cannot be read yet; there are: text, jsonl, csv, conllu")
    if chosen is None and suffix not in _NO_FORMAT_IN_NAME:
        raise TaglineError(f"{name}: the suffix tells no format; say which: --from text, jsonl, csv or conllu")
    return chosen or "auto"


def _size(name: str) -> int | None:
    """The bytes of an input; None if it is no regular file."""
    if name == STDIN:
        return None
    path = Path(name)
    size = path.stat().st_size  # raises where there is no such file
    return size if path.is_file() else None


def _guess(stream: BufferedReader) -> InputFormat:
    """The format of a stream whose name tells nothing: what its first line (no comment) looks like."""
    head = stream.peek().removeprefix(codecs.BOM_UTF8)
    first = next((line for line in head.split(b"\n") if not line.startswith(b"# ")), b"")
    if _JSON_OBJECT.match(first):
        return "jsonl"
    return "conllu" if _CONLLU_ROW.match(first) else "text"


def _decode(content: bytes, path: str, line: int, offset: int) -> str:
    """Bytes that begin on ``line``, ``offset`` bytes into the file."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        found = f"byte 0x{content[error.start]:02X} at byte offset {offset + error.start}"
        raise FormatError(path, line, f"expected UTF-8, found {found}") from None


def _stdin() -> BufferedReader:
    stream = sys.stdin.buffer
    return stream if isinstance(stream, BufferedReader) else BufferedReader(stream)  # type: ignore[arg-type]
