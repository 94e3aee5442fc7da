"""NDJSON: pieces of a body -> lines, as they arrive, never holding more than one line that is not over the limit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK = re.compile(rb"(?:\r?\n)+")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank.

    Attributes:
        number: Counted from 1, blank lines too.
        content: Its bytes without its line end; None if it was over the limit and thrown away.
    """

    number: int
    content: bytes | None

    @property
    def size(self) -> int:
        """The bytes that it holds."""
        return 0 if self.content is None else len(self.content)


class LineSplitter:
    """Cuts a stream of bytes into lines at LF; a CR before it, and a byte order mark at the start, are dropped.

    Args:
        max_bytes: The most bytes in one line.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._number = 1
        self._begun = bytearray()  # the line whose end has not come
        self._over = False  # whether that line is over the limit: then nothing of it is held

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in the next piece of the stream; it must be read to its end."""
        start = self._skip_blank(piece, 0)
        while (end := piece.find(b"\n", start)) >= 0:
            self._append(memoryview(piece)[start:end])
            yield from self._take()
            self._number += 1
            start = self._skip_blank(piece, end + 1)
        self._append(memoryview(piece)[start:])

    def finish(self) -> Iterator[Line]:
        """The last line, if the stream did not end in a line end."""
        yield from self._take()

    def _skip_blank(self, piece: bytes, start: int) -> int:
        """Where blank lines end; many at once, or nothing but line ends would keep everybody waiting."""
        if self._begun or self._over:
            return start
        found = _BLANK.match(piece, start)
        if found is None:
            return start
        self._number += found[0].count(b"\n")
        return found.end()

    def _append(self, part: memoryview) -> None:
        # A byte order mark and a CR may come on top, and are no reason to refuse a line.
        if self._over or len(self._begun) + len(part) > self.max_bytes + len(BYTE_ORDER_MARK) + 1:
            self._over = True
            self._begun.clear()
        else:
            self._begun += part

    def _take(self) -> Iterator[Line]:
        content, over = bytes(self._begun), self._over
        self._begun.clear()
        self._over = False
        content = content.removesuffix(b"\r")
        if self._number == 1:
            content = content.removeprefix(BYTE_ORDER_MARK)
        if over or len(content) > self.max_bytes:
            yield Line(self._number, None)
        elif content.strip():
            yield Line(self._number, content)
