"""The journal of a job: which job it is, and after each chunk how far, on the disk before anybody relies on it.

A file of JSON lines. The first describes the job; each other one is a commit: where reading goes on, how long the
output and the file of failures are by then, and what there is to tell. A line that a crash cut off does not count.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import IO, Any, Self

from taggers.bulk.chunks import Position, TaggedChunk
from taggers.bulk.streams import write_all
from taggers.errors import TaglineError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Commit:
    """How far a job is.

    Attributes:
        position: Where reading goes on.
        output_bytes: The length of the output.
        failure_bytes: The length of the file of failures.
        documents: How many were tagged.
        words: The words in those.
        failures: How many records gave nothing.
        bytes_read: How much of the input was read.
        done: Whether the output is whole.
    """

    position: Position = field(default_factory=Position)
    output_bytes: int = 0
    failure_bytes: int = 0
    documents: int = 0
    words: int = 0
    failures: int = 0
    bytes_read: int = 0
    done: bool = False

    @property
    def records(self) -> int:
        """How many records were done, good or bad."""
        return self.documents + self.failures

    def after(self, chunk: TaggedChunk, output_bytes: int = 0, failure_bytes: int = 0) -> Self:
        """The commit behind a chunk, with which the files have these lengths."""
        return replace(
            self,
            position=chunk.end,
            output_bytes=output_bytes,
            failure_bytes=failure_bytes,
            documents=self.documents + chunk.documents,
            words=self.words + chunk.words,
            failures=self.failures + len(chunk.failures),
            bytes_read=chunk.bytes_read,
        )


class Journal:
    """An open journal, to which commits are added.

    Args:
        path: Where it is.
        job: What tells this job from others: a mapping that JSON can hold.
        resume: Whether to add to the one that is there; else it begins anew.

    Raises:
        TaglineError: Another process has it open.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, job: Mapping[str, Any], *, resume: bool) -> None:
        self._file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        self._path = path
        try:
            _lock(self._file, path, fcntl.LOCK_EX)
        except TaglineError:
            self._file.close()
            raise
        kept = self._file.readall().rfind(b"\n") + 1 if resume else 0
        self._file.truncate(kept)  # what a crash cut off
        self._file.seek(kept)
        if kept:
            return
        try:
            self._add({"version": VERSION, **job})
        except OSError:
            self.close()
            path.unlink(missing_ok=True)
            raise

    def add(self, commit: Commit) -> None:
        """Note how far the job is; on return it is on the disk.

        Raises:
            OSError: It cannot be written.
        """
        self._add(asdict(commit))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, entry: Mapping[str, Any]) -> None:
        write_all(self._file, json.dumps(entry).encode("ascii") + b"\n", str(self._path))
        os.fsync(self._file.fileno())


def check_unused(path: Path) -> None:
    """Go on only if no process has a journal open, which may also not be there.

    Raises:
        TaglineError: One has.
    """
    with suppress(FileNotFoundError), path.open("rb") as file:
        _lock(file, path, fcntl.LOCK_SH)  # all that NFS lets those do who only read


def _lock(file: IO[bytes] | FileIO, path: Path, kind: int) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TaglineError(f"{path}: another process is at this job") from None


def read_journal(path: Path, job: Mapping[str, Any]) -> Commit | None:
    """The last commit in the journal of a job; None if there is no journal, or it does not even say of which job.

    Raises:
        TaglineError: It is the journal of another job.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    if not lines:
        return None
    begun = json.loads(lines[0])
    for name, value in {"version": VERSION, **job}.items():
        if begun.get(name) != value:
            raise TaglineError(f"{path} is the journal of another job: its {name} is not the one asked for")
    if len(lines) == 1:
        return Commit()
    last = json.loads(lines[-1])
    return Commit(**{**last, "position": Position(**last["position"])})
