"""The folder of the jobs: of each its upload, the files of its chunks, and results that were made once.

``<id>/input``, ``<id>/parts/<file>``, ``<id>/results.parquet``; servers that share a database share this folder, too.
"""

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from time import time
from uuid import uuid4

_ABANDONED_S = 3_600
"""An upload into which nothing was written for so long belongs to a server that died."""


class JobsFolder:
    """The folder.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make it where it is not there yet; what clients send is nobody else's business.

        Raises:
            OSError: It cannot be made.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of(self, id: str) -> Path:
        """That of a job."""
        return self.path / id

    def upload(self, id: str) -> Path:
        """The upload of a job."""
        return self.of(id) / "input"

    def add(self, id: str) -> None:
        """Make that of a new job.

        Raises:
            OSError: It cannot be made.
        """
        (self.of(id) / "parts").mkdir(parents=True)

    def settle(self, id: str) -> None:
        """See to it that what is in the folder of a new job is on the disk."""
        for path in (self.upload(id), self.of(id), self.path):
            if path.exists():
                _sync(path)

    def part(self, id: str, file: str) -> Path:
        """A file of a chunk."""
        return self.of(id) / "parts" / file

    def write_part(self, id: str, content: bytes) -> str:
        """Write a file of a chunk; on return it is on the disk.

        Returns:
            Its name, which no other has: who has lost the claim on a job may still be writing to it.

        Raises:
            OSError: It cannot be written; then nothing of it is there.
        """
        file = uuid4().hex
        path = self.part(id, file)
        try:
            with path.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            _sync(path.parent)
        except OSError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return file

    def tidy(self, id: str, files: Collection[str]) -> None:
        """Remove what was written for chunks that never counted.

        Args:
            id: The job.
            files: The files of its chunks that do count.
        """
        for path in (self.of(id) / "parts").glob("*"):
            if path.name not in files:
                path.unlink(missing_ok=True)

    def remove(self, id: str) -> None:
        """Remove all that there is of a job."""
        shutil.rmtree(self.of(id), ignore_errors=True)

    def sweep(self, ids: Collection[str]) -> None:
        """Remove what belongs to no job: uploads that were cut off by a crash.

        Args:
            ids: The jobs that there are.
        """
        for path in self.path.glob("[0-9a-f]" * 32):
            with suppress(OSError):  # another server does the same
                newest = max(item.stat().st_mtime for item in (path, *path.iterdir()))
                if path.name not in ids and newest < time() - _ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
