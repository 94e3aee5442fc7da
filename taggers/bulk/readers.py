"""A source -> pieces, whatever its format; told by its name, or by its first line."""

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BufferedReader

from taggers.bulk.compression import BROKEN_STREAM, decompressed, guess_compression, tells_compression
from taggers.bulk.conllu_documents import read_conllu_documents
from taggers.bulk.csv_rows import read_csv_rows
from taggers.bulk.lines import Line, Lines, skip_bytes
from taggers.bulk.pieces import Failure, Found, Piece, PieceKind, ReadOptions, too_long
from taggers.bulk.sources import Source, SourceFormat
from taggers.bulk.streams import look_ahead
from taggers.errors import FormatError

_JSON_OBJECT = re.compile(rb'\s*\{\s*"')
_JSON_ARRAY = re.compile(rb"\s*\[\s*(\{|\Z)")
_CONLLU_ROW = re.compile(rb"1(-[0-9]+)?(\t[^\t]+){9}\r?\Z")
_COMMENT = b"# "
_SKIP_BYTES = 1 << 20


def read_pieces(
    source: Source, raw: BufferedReader, options: ReadOptions, *, offset: int = 0, line: int = 0
) -> Iterator[Found]:
    """The pieces of a source, one after the other.

    Args:
        source: Which it is.
        raw: Its bytes as they lie there, from the start.
        options: How it is read.
        offset: Where to begin: the ``offset`` of a piece that was found before.
        line: The ``line`` of that piece.

    Raises:
        FormatError: The source as a whole cannot be read: it lacks a column, is no Parquet, or looks like a JSON array
            where nothing tells what it is.
        OSError: Reading fails; so do ``EOFError`` and ``zlib.error`` (see ``compression.BROKEN_STREAM``).
    """
    if source.format == "parquet":
        from taggers.bulk.parquet_rows import read_parquet  # pyarrow takes a moment to import

        yield from read_parquet(source, raw, options, row=offset)
        return
    compression = source.compression
    if compression is None:
        head, raw = look_ahead(raw, tells_compression)
        compression = guess_compression(head)
    stream = decompressed(raw, compression)
    if source.format is None:
        head, stream = look_ahead(stream, _tells_format)
    format = source.format or _guess(head, source.label)
    if format == "csv":
        yield from read_csv_rows(source, stream, options, offset=offset, line=line)
        return
    skip_bytes(stream, offset, name=source.label)
    if format == "text" and not options.per_line:
        yield _whole_text(source, stream, options)
        return
    lines = Lines(stream, limit=options.max_record_bytes, offset=offset, number=line)
    match format:
        case "jsonl":
            yield from _json_lines(source, lines)
        case "conllu":
            yield from read_conllu_documents(source, lines)
        case _:
            yield from _text_lines(source, lines)


def look_into(sources: Sequence[Source], options: ReadOptions) -> None:
    """Go on unless the only input is none: a table without the column must not end as an output without a document.

    Raises:
        FormatError: That is so.
    """
    if len(sources) == 1 and sources[0].size is not None:  # what was read of a pipe is gone
        with suppress(*BROKEN_STREAM):
            read_first(sources[0], options)


def read_first(source: Source, options: ReadOptions) -> Found | None:
    """The first piece of a source; None if it has none.

    Raises:
        FormatError: As of ``read_pieces``.
        OSError: As of ``read_pieces``.
    """
    with source.open() as raw:
        return next(read_pieces(source, raw, options), None)


def _whole_text(source: Source, stream: BufferedReader, options: ReadOptions) -> Found:
    limit = options.max_record_bytes
    content = stream.read(limit + 1)
    length = len(content)
    if length <= limit:
        return Found(Piece(source.label, "text", 1, 0, content, source.document_id), length, 0, length, last=True)
    while piece := stream.read(_SKIP_BYTES):
        length += len(piece)
    failure = too_long(source.label, "a text (or texts: --per-line)", length, limit)
    return Found(failure, length, 0, 0, last=True)


def _text_lines(source: Source, lines: Lines) -> Iterator[Found]:
    for line in lines:
        name = f"{line.number}" if source.document_id is None else f"{source.document_id}:{line.number}"
        yield _of_line(source, lines, line, "text", id=name)


def _json_lines(source: Source, lines: Lines) -> Iterator[Found]:
    for line in lines:
        if line.content is None or not line.content.isspace():
            yield _of_line(source, lines, line, "jsonl")


def _of_line(source: Source, lines: Lines, line: Line, kind: PieceKind, *, id: str | None = None) -> Found:
    item: Piece | Failure
    if line.content is None:
        item = too_long(f"{source.label}:{line.number}", "a line", line.length, lines.limit)
    else:
        content = line.content if kind == "jsonl" else line.content.removesuffix(b"\n").removesuffix(b"\r")
        item = Piece(source.label, kind, line.number, line.offset, content, id)
    return Found(item, lines.offset, lines.number, line.length)


def _guess(head: bytes, name: str) -> SourceFormat:
    """The format of what begins like this and whose name tells nothing: what its first line (no comment) looks like."""
    lines = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    first = next((line for line in lines if not line.startswith(_COMMENT)), b"")
    if _JSON_OBJECT.match(first):
        return "jsonl"
    if _JSON_ARRAY.match(first):
        problem = "expected documents, found a JSON array: write an object a line (JSON Lines), or say that it is text"
        raise FormatError(name, 1, problem)
    return "conllu" if _CONLLU_ROW.match(first) else "text"


def _tells_format(head: bytes) -> bool:
    """Whether no more is needed to guess it."""
    *lines, unfinished = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return any(not line.startswith(_COMMENT) for line in lines) or bool(_JSON_OBJECT.match(unfinished))
