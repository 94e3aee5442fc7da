"""Streams of bytes: looked at before they are read, read in steps, and written to the last byte."""

import os
from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import Any

_STEP_BYTES = 1 << 13
_MOST_AHEAD = 1 << 20


def look_ahead(stream: BufferedReader, enough: Callable[[bytes], bool]) -> tuple[bytes, BufferedReader]:
    """What a stream begins with, however slowly that comes, and the stream as if nothing had been read of it.

    Args:
        stream: The stream; from now on the other one is read.
        enough: Whether this much will do. If never, it is all, or some 1 MB.
    """
    head = b""
    while len(head) < _MOST_AHEAD and not enough(head) and (piece := stream.read1(_STEP_BYTES)):
        head += piece
    if stream.seekable():
        stream.seek(-len(head), os.SEEK_CUR)
        return head, stream
    return head, BufferedReader(Steps(stream.read1, head))


class Steps(RawIOBase):
    """Reads in steps of one size, whatever is asked for.

    A reader that is asked for much and fails on the way gives nothing of what it had read. So what could be read of a
    damaged stream would depend on how it was asked for, and be another after a job has gone on in the middle of it.

    Args:
        read: Reads as many bytes as it is told, or fewer.
        head: What comes before those.
    """

    def __init__(self, read: Callable[[int], bytes], head: bytes = b"") -> None:
        self._read = read
        self._left = memoryview(head)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what is there, at most; 0 at the end."""
        if not self._left:
            self._left = memoryview(self._read(_STEP_BYTES))
        length = min(len(buffer), len(self._left))
        buffer[:length] = self._left[:length]
        self._left = self._left[length:]
        return length


def write_all(stream: RawIOBase, content: bytes, name: str) -> None:
    """Write all of it; an error names the file."""
    left = memoryview(content)
    try:
        while left:
            left = left[stream.write(left) or 0 :]
    except OSError as error:
        error.filename = name
        raise
