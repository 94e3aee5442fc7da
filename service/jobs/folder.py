"""The folder of the jobs: of each its upload, the files of its chunks, and results that were made once.

``<id>/input``, ``<id>/parts/<file>``, ``<id>/results.parquet``; servers that share a database share this folder, too.
Until the database knows of a job, and once it is to forget it, there is ``<id>/unlisted``. Whatever else no row tells
of may belong to another database, or to one that was lost, and stays.
"""

import logging
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from time import time
from uuid import uuid4

logger = logging.getLogger("tagline")

_UNLISTED = "unlisted"
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
        """Make that of a new job, which is not in the database yet.

        Raises:
            OSError: It cannot be made.
        """
        (self.of(id) / "parts").mkdir(parents=True)
        (self.of(id) / _UNLISTED).touch()

    def enlist(self, id: str) -> None:
        """The job is in the database."""
        with suppress(OSError):  # the next sweep does it
            (self.of(id) / _UNLISTED).unlink(missing_ok=True)

    def delist(self, id: str) -> None:
        """The job is about to leave the database."""
        with suppress(OSError):  # on a full disk jobs can still be removed
            (self.of(id) / _UNLISTED).touch()

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

    def holds(self, id: str, files: Collection[str]) -> bool:
        """Whether these files of a job's chunks are there."""
        with suppress(FileNotFoundError):
            files = set(files).difference(os.listdir(self.of(id) / "parts"))  # noqa: PTH208  names are enough
        return not files

    def remove(self, id: str) -> None:
        """Remove all that there is of a job."""
        parts = self.of(id) / "parts"
        with suppress(OSError):  # whoever has lost the job may still write to it, and a folder that is not empty stays
            parts.rename(parts.with_name("removed"))
        shutil.rmtree(self.of(id), ignore_errors=True)

    def sweep(self, ids: Collection[str]) -> None:
        """Remove what a crash left: uploads that never became jobs, and jobs that were being deleted.

        Args:
            ids: The jobs that there are.
        """
        for mark in self.path.glob(f"{'[0-9a-f]' * 32}/{_UNLISTED}"):
            id = mark.parent.name
            if id in ids:  # the crash came just then
                self.enlist(id)
                continue
            with suppress(OSError):  # another server does the same
                newest = max(item.stat().st_mtime for item in (mark.parent, *mark.parent.iterdir()))
                if newest < time() - _ABANDONED_S:
                    self.remove(id)
                    logger.info("removed %s, of which no job came", id)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
