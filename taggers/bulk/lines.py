"""The lines of a stream of bytes: each with its number and its place, and none longer than memory allows."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader

from taggers.errors import TaglineError

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
        watch: Given all bytes as they are read, also of lines that are too long.
    """

    def __init__(
        self,
        stream: BufferedReader,
        *,
        limit: int,
        offset: int = 0,
        number: int = 0,
        watch: Callable[[bytes], object] = len,
    ) -> None:
        self.offset = offset
        self.number = number
        self._stream = stream
        self.limit = limit
        self._watch = watch

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> Line:
        content = self._stream.readline(self.limit + 1)
        if not content:
            raise StopIteration
        self._watch(content)
        start, length = self.offset, len(content)
        if length > self.limit and not content.endswith(b"\n"):
            while piece := self._stream.readline(_PIECE_BYTES):
                self._watch(piece)
                length += len(piece)
                if piece.endswith(b"\n"):
                    break
        self.offset += length
        self.number += 1
        return Line(self.number, start, content if length <= self.limit else None, length)


def skip_bytes(stream: BufferedReader, distance: int, *, name: str) -> None:
    """Pass over bytes that were read before, reading them again where the stream cannot be moved.

    Args:
        stream: The stream.
        distance: How many.
        name: What errors call it.

    Raises:
        TaglineError: It ends before that.
    """
    if distance and stream.seekable():
        place = stream.tell() + distance
        left = place - stream.seek(0, os.SEEK_END)
        stream.seek(place)
    else:
        left = distance
        while left and (piece := stream.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
    if left > 0:
        raise ends_too_soon(name)


def ends_too_soon(name: str) -> TaglineError:
    """What is wrong with an input that is shorter than it was."""
    return TaglineError(f"{name} ends before the place where this job left off: it is not what it was")
