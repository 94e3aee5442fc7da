"""Sources -> chunks: a few hundred documents that are tagged, written and noted together, always the same ones.

Where a chunk ends depends on what is in it alone, so that a job that goes on behind one finds the same chunks that it
would have found without a break, and packs the same sentences together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader

from taggers.bulk.compression import BROKEN_STREAM
from taggers.bulk.pieces import Failure, Found, Piece, ReadOptions, as_failure
from taggers.bulk.readers import read_pieces
from taggers.bulk.sources import Source
from taggers.errors import FormatError

CHUNK_BYTES = 400_000
"""A chunk ends with the document that brings it to this: enough for full batches, and a few seconds of one core."""

CHUNK_RECORDS = 1_000
"""A chunk ends with this many documents, if they are very short."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records of the input.

    Attributes:
        source: The sources before it that are done.
        offset: The bytes of the current one that are done, uncompressed; in Parquet its rows.
        line: The lines of the current one that are done.
        records: The records that are done, of all sources.
    """

    source: int = 0
    offset: int = 0
    line: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that stay together.

    Attributes:
        items: What was found, in order.
        first: How many records come before them.
        end: Where reading goes on behind them.
        bytes_read: How much of the input was read by then, as it lies there, compressed or not.
    """

    items: tuple[Piece | Failure, ...]
    first: int
    end: Position
    bytes_read: int


@dataclass(frozen=True, slots=True)
class TaggedChunk:
    """What became of a chunk.

    Attributes:
        content: Its part of the output.
        failures: The records that gave nothing.
        documents: How many gave something.
        words: The words in those.
        end: Where reading goes on behind it.
        bytes_read: How much of the input was read by then.
    """

    content: bytes
    failures: tuple[Failure, ...]
    documents: int
    words: int
    end: Position
    bytes_read: int


@dataclass(slots=True)
class _Gathered:
    items: list[Piece | Failure] = field(default_factory=list)
    size: int = 0

    def add(self, found: Found) -> None:
        self.items.append(found.item)
        self.size += found.size

    @property
    def full(self) -> bool:
        return self.size >= CHUNK_BYTES or len(self.items) >= CHUNK_RECORDS


def read_chunks(sources: Sequence[Source], options: ReadOptions, start: Position = Position()) -> Iterator[Chunk]:
    """The chunks of all sources, from a place between two of them on. What cannot be read is a failure among them."""
    gathered = _Gathered()
    end, done = start, 0
    for index, source in enumerate(sources):
        if index < start.source:
            done += source.size or 0
            continue
        begin = start if index == start.source else Position(index)
        end = Position(index, begin.offset, begin.line, end.records)
        for found, read in _read(source, options, begin):
            gathered.add(found)
            after = Position(index, found.offset, found.line, end.records + 1)
            end = Position(index + 1, records=after.records) if found.last else after
            if gathered.full:
                yield Chunk(tuple(gathered.items), end.records - len(gathered.items), end, done + read)
                gathered = _Gathered()
        done += source.size or 0
    if gathered.items:
        yield Chunk(tuple(gathered.items), end.records - len(gathered.items), end, done)


def _read(source: Source, options: ReadOptions, begin: Position) -> Iterator[tuple[Found, int]]:
    """What is found in a source, and the bytes read so far."""
    line = begin.line
    try:
        with source.open() as raw:
            for found in read_pieces(source, raw, options, offset=begin.offset, line=begin.line):
                line = found.line
                yield found, _place(raw, source) if found.read is None else found.read
    except FormatError as error:
        yield _ended(as_failure(error)), source.size or 0
    except BROKEN_STREAM as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{source.label}:{line + 1}" if line else source.label
        yield _ended(Failure(place, f"reading ended here: {reason}")), source.size or 0


def _ended(failure: Failure) -> Found:
    return Found(failure, 0, 0, 0, last=True)


def _place(raw: BufferedReader, source: Source) -> int:
    return 0 if source.size is None else raw.tell()
