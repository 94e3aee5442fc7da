"""What a job reads, as chunks that can be asked for again from any place between two of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from taggers.bulk.chunks import Chunk, Position, read_chunks
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.sources import Source


@dataclass(frozen=True, slots=True)
class Input:
    """Sources, and from where on they are read.

    Attributes:
        sources: What is read.
        options: How it is read.
        start: A place between two chunks.
    """

    sources: tuple[Source, ...]
    options: ReadOptions
    start: Position = field(default_factory=Position)

    def __iter__(self) -> Iterator[Chunk]:
        """Read the chunks."""
        return read_chunks(self.sources, self.options, self.start)

    def behind(self, place: Position) -> Self:
        """The same from another place on: the ``end`` of a chunk."""
        return replace(self, start=place)
