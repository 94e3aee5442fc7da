"""Compressed files: gzip and Zstandard, told by the suffix, or by the first bytes, which no text has."""

import gzip
import zlib
from collections.abc import Callable
from io import BufferedReader
from typing import Literal

from taggers.bulk.streams import Steps

Compression = Literal["gz", "zst"]

BROKEN_STREAM = (OSError, EOFError, zlib.error)
"""What the reading of a file may raise that is cut off or damaged, compressed or not."""

_SUFFIXES: dict[str, Compression] = {".gz": "gz", ".gzip": "gz", ".zst": "zst", ".zstd": "zst"}
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}


def split_suffix(name: str) -> tuple[str, Compression | None]:
    """A file's name without the suffix of a compression, and which one it is."""
    for suffix, compression in _SUFFIXES.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], compression
    return name, None


def guess_compression(head: bytes) -> Compression | None:
    """The compression of what begins like this."""
    return next((compression for magic, compression in _MAGIC.items() if head.startswith(magic)), None)


def tells_compression(head: bytes) -> bool:
    """Whether no more is needed to guess it."""
    return bool(head) and not any(len(head) < len(magic) and magic.startswith(head) for magic in _MAGIC)


def decompressed(stream: BufferedReader, compression: Compression | None) -> BufferedReader:
    """The content of a stream; reading it raises one of ``BROKEN_STREAM`` where the stream is damaged or cut off.

    What comes before that place is read first, and always the same of it.
    """
    match compression:
        case None:
            return stream
        case "gz":
            return BufferedReader(Steps(gzip.GzipFile(fileobj=stream).read1))
        case "zst":
            import pyarrow

            # not pyarrow's own reader of a path: it knows no remote ones
            return BufferedReader(
                Steps(pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd").read)
            )


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
