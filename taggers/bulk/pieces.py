"""Pieces: what makes one document each, found in a source but not parsed, and what is wrong in the place of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from taggers.errors import FormatError
from taggers.formats.tables import DEFAULT_ID_FIELD

MAX_RECORD_BYTES = 16 << 20
"""The most bytes that one document may have: tagged it takes some hundred times as much memory."""

PieceKind = Literal["text", "jsonl", "row", "conllu"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What makes one document.

    Attributes:
        source: What errors call its source.
        kind: How it is to be read.
        line: Where it begins, counted from 1; in Parquet its row.
        offset: Where it begins, in bytes from the start of the uncompressed source; unused for rows.
        content: Its bytes, or a row by its columns.
        id: The id of a text.
        schema: The Arrow schema of a row of Parquet.
    """

    source: str
    kind: PieceKind
    line: int
    offset: int
    content: bytes | Mapping[str, Any]
    id: str | None = None
    schema: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that gives no tagged document: where it stands, and why not."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """A piece, or what is wrong in its place; and where reading goes on behind it.

    Attributes:
        item: The piece or the failure.
        offset: The bytes of the uncompressed source, or the rows of Parquet, up to its end.
        line: The lines up to its end.
        size: Its bytes.
        last: Whether nothing of this source can come behind it.
        read: The bytes of the source, as it lies there, up to its end; None if they are those read so far.
    """

    item: Piece | Failure
    offset: int
    line: int
    size: int
    last: bool = False
    read: int | None = None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How sources are read.

    Attributes:
        per_line: Whether each line of a text is a document.
        text_field: The field of JSONL, or the column of CSV and Parquet, that holds the text.
        id_field: The one that holds the id.
        max_record_bytes: The most bytes that one document may have; a longer one is a failure.
    """

    per_line: bool = False
    text_field: str = "text"
    id_field: str = DEFAULT_ID_FIELD
    max_record_bytes: int = MAX_RECORD_BYTES


def too_long(place: str, what: str, length: int, limit: int) -> Failure:
    """A document past the limit."""
    return Failure(place, f"expected {what} of at most {limit:,} bytes, found {length:,}")


def as_failure(error: FormatError) -> Failure:
    """A malformed record."""
    return Failure(f"{error.path}:{error.line}", error.problem)
