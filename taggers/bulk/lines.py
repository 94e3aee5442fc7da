"""The lines of a stream of bytes: each with its number and its place, and none longer than memory allows."""

import os
from dataclasses import dataclass
from io import BufferedReader

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: Counted from 1.
        offset: Where it begins, in bytes from the start of the stream.
        content: Its bytes with the LF that ends it; None if they are too many.
        length: The number of its bytes.
    """

    number: int
    offset: int
    content: bytes | None
    length: int


class Lines:
    """Iterates over the lines of a stream. A line ends at LF alone.

    Args:
        stream: The stream, which stands at ``offset``.
        limit: The most bytes of a line; of a longer one only the length is told.
        offset: How many bytes come before.
        number: How many lines come before.
    """

    def __init__(self, stream: BufferedReader, *, limit: int, offset: int = 0, number: int = 0) -> None:
        self.offset = offset
        self.number = number
        self._stream = stream
        self.limit = limit

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> Line:
        content = self._stream.readline(self.limit + 1)
        if not content:
            raise StopIteration
        start, length = self.offset, len(content)
        if length > self.limit and not content.endswith(b"\n"):
            while piece := self._stream.readline(_PIECE_BYTES):
                length += len(piece)
                if piece.endswith(b"\n"):
                    break
        self.offset += length
        self.number += 1
        return Line(self.number, start, content if length <= self.limit else None, length)


def skip_bytes(stream: BufferedReader, distance: int) -> None:
    """Pass over bytes, reading them where the stream cannot be moved."""
    if distance and stream.seekable():
        stream.seek(distance, os.SEEK_CUR)
        return
    while distance and (piece := stream.read(min(distance, _PIECE_BYTES))):
        distance -= len(piece)
