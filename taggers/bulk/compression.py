"""Compressed files: gzip and Zstandard, told by the suffix, or of a pipe by its first bytes."""

import gzip
import zlib
from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import Any, Literal

Compression = Literal["gz", "zst"]

BROKEN_STREAM = (OSError, EOFError, zlib.error)
"""What the reading of a file may raise that is cut off or damaged, compressed or not."""

_STEP_BYTES = 1 << 13
_SUFFIXES: dict[str, Compression] = {".gz": "gz", ".gzip": "gz", ".zst": "zst", ".zstd": "zst"}
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}


def split_suffix(name: str) -> tuple[str, Compression | None]:
    """A file's name without the suffix of a compression, and which one it is."""
    for suffix, compression in _SUFFIXES.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], compression
    return name, None


def guess_compression(stream: BufferedReader) -> Compression | None:
    """The compression of a stream whose name tells nothing."""
    head = stream.peek(4)
    return next((compression for magic, compression in _MAGIC.items() if head.startswith(magic)), None)


def decompressed(stream: BufferedReader, compression: Compression | None) -> BufferedReader:
    """The content of a stream; reading it raises one of ``BROKEN_STREAM`` where the stream is damaged or cut off.

    What comes before that place is read first, and always the same of it.
    """
    match compression:
        case None:
            return stream
        case "gz":
            return BufferedReader(_Steps(gzip.GzipFile(fileobj=stream).read1))
        case "zst":
            import pyarrow

            # not pyarrow's own reader of a path: it knows no remote ones
            return BufferedReader(
                _Steps(pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd").read)
            )


class _Steps(RawIOBase):
    """Reads in steps of one size, whatever is asked for.

    A reader that is asked for much and fails on the way gives nothing of what it had read. So what could be read of a
    damaged stream would depend on how it was asked for, and be another after a job has gone on in the middle of it.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = memoryview(self._read(_STEP_BYTES))
        length = min(len(buffer), len(self._left))
        buffer[:length] = self._left[:length]
        self._left = self._left[length:]
        return length


def compressor(compression: Compression | None) -> Callable[[bytes], bytes]:
    """What compresses one chunk, and nothing to nothing; compressed chunks may stand one behind the other."""
    compress = file_compressor(compression)
    return lambda content: compress(content) if content else b""


def file_compressor(compression: Compression | None) -> Callable[[bytes], bytes]:
    """What compresses a whole file, of which even one without content has some bytes."""
    match compression:
        case None:
            return bytes
        case "gz":
            return lambda content: gzip.compress(content, 6, mtime=0)
        case "zst":
            import pyarrow

            codec = pyarrow.Codec("zstd")
            return lambda content: codec.compress(content, asbytes=True)
