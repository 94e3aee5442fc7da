"""Upload: the body of a request -> a file, as it comes, within its limit."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from litestar.exceptions import InternalServerException

from service.errors import CameTooSlowly, ClientGone, DiskFull, JobsUnavailable, TooLarge, UnsupportedMedia
from service.exchange import AnyRequest
from service.jobs.threads import Threads

_WRITE_BYTES = 1 << 20
_DRAINED_BYTES = 64_000_000
_DRAIN_TIMEOUT_S = 10.0
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "zstd")
"""What is compressed is found by its first bytes, whether a file or the body was meant."""
_FULL = (ENOSPC, EDQUOT, EFBIG)


class Upload:
    """The body of a request that brings a file.

    Args:
        request: The request.
        max_bytes: The most bytes of it.
        idle_s: How long the client may send nothing.
    """

    def __init__(self, request: AnyRequest, *, max_bytes: int, idle_s: float) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._idle_s = idle_s
        self._pieces = request.stream()

    def check_announced(self) -> None:
        """Go on only if as much as is announced may come.

        Raises:
            TooLarge: It may not.
        """
        announced = self._request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            raise self._too_large()

    def check_packing(self, media_type: str) -> None:
        """Go on only if the body is the file itself, plain or compressed as files are.

        Args:
            media_type: What the client calls it.

        Raises:
            UnsupportedMedia: It is not.
        """
        if media_type.startswith("multipart/"):  # but what curl says of --data-binary, a form, tells nothing
            raise UnsupportedMedia(
                f"found {media_type}: send the file itself as the body, as curl --data-binary @FILE does"
            )
        encoding = self._request.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise UnsupportedMedia(f"expected Content-Encoding to be gzip, zstd or nothing, found {encoding!r}")

    async def read(self) -> bytes:
        """All of it.

        Raises:
            TooLarge: It is over the limit.
            ClientGone: The client hung up.
            CameTooSlowly: The client sent nothing for too long.
        """
        return b"".join([piece async for piece in self._within_limits()])

    async def write(self, path: Path, threads: Threads) -> None:
        """Write it to a file.

        Args:
            path: The file.
            threads: Where it is written.

        Raises:
            TooLarge: It is over the limit.
            ClientGone: The client hung up.
            CameTooSlowly: The client sent nothing for too long.
            DiskFull: There is no room for it.
            JobsUnavailable: The file cannot be written.
        """
        with writing(), path.open("xb") as file:
            waiting: list[bytes] = []
            size = 0
            async for piece in self._within_limits():
                waiting.append(piece)
                size += len(piece)
                if size >= _WRITE_BYTES:
                    await threads.run(file.writelines, waiting)
                    waiting, size = [], 0
            await threads.run(file.writelines, waiting)

    async def drain(self) -> None:
        """Read on and throw away, within limits: most clients look for an answer only when all they have is sent."""
        drained = 0
        with suppress(TimeoutError, InternalServerException):
            async with asyncio.timeout(_DRAIN_TIMEOUT_S):
                async for piece in self._pieces:  # of one that has ended there are none
                    drained += len(piece)
                    if drained > _DRAINED_BYTES:
                        return

    async def _within_limits(self) -> AsyncIterator[bytes]:
        self.check_announced()
        size = 0
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    piece = await anext(self._pieces, None)
            except TimeoutError:
                raise CameTooSlowly(f"nothing was sent for {self._idle_s:g} seconds") from None
            except InternalServerException:
                raise ClientGone("the client hung up while it was sending") from None
            if piece is None:
                return
            size += len(piece)
            if size > self._max_bytes:
                raise self._too_large()
            yield piece

    def _too_large(self) -> TooLarge:
        return TooLarge(f"expected a body of at most {self._max_bytes} bytes")


@contextmanager
def writing() -> Iterator[None]:
    """Say what is wrong with the disk in words that a client may hear.

    Raises:
        DiskFull: There is no room.
        JobsUnavailable: It cannot be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull("there is no room on the disk for this") from error
        raise JobsUnavailable(f"the folder of the jobs cannot be written to: {error.strerror}") from error
