"""A file that survives crashes: written beside its place, and noted in a journal.

``OUT.part`` takes the place of ``OUT`` when it is whole, so ``OUT`` is always the old file or the new one. How much of
``OUT.part`` counts is said by ``OUT.journal``, which is on the disk before the next part is written. For Parquet
``OUT.part`` holds Arrow streams (see ``formats/parquet.py``), from which the file is made in the end.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, replace
from io import FileIO
from pathlib import Path
from typing import Any

from taggers.bulk.chunks import TaggedChunk
from taggers.bulk.interrupts import Interrupts
from taggers.bulk.journal import Commit, Journal, check_unused, read_journal
from taggers.bulk.output import JOURNAL, MAKING, PART, beside, failures_beside
from taggers.bulk.progress import count
from taggers.bulk.rendering import OutputOptions
from taggers.bulk.streams import write_all
from taggers.errors import TaglineError
from taggers.formats.jsonl import write_line


class FileOutput:
    """A file, with its journal and its failures beside it.

    Args:
        target: The file.
        options: How it is written.
        job: What tells this job from others.
        resume: Whether to go on where the last run of this job ended.
        interrupts: What waits while a part is written.

    Raises:
        TaglineError: There is part of an output, of another job or not to be resumed.
    """

    def __init__(
        self, target: Path, options: OutputOptions, job: Mapping[str, Any], *, resume: bool, interrupts: Interrupts
    ) -> None:
        self._target = target
        self._part = beside(target, PART)
        self._journal_path = beside(target, JOURNAL)
        self._failures_path = failures_beside(target)
        self._options = options
        self._job = job
        self._interrupts = interrupts
        self._files = ExitStack()
        self._failures: FileIO | None = None  # opened with the first failure
        self._begun = False
        found = self._find_commit(resume=resume)
        self._resumed = found is not None
        self.commit = found or Commit()

    def begin(self) -> None:
        """Open the files, and cut off what no commit counts.

        Raises:
            TaglineError: Another process is at it, or the output is shorter than its journal says.
            OSError: A file cannot be written.
        """
        if self.commit.done:
            return
        journal = Journal(self._journal_path, self._job, resume=self._resumed)  # locks out any other process
        self._journal = self._files.enter_context(closing(journal))
        self._begun = True
        if not self.commit.output_bytes:  # of a run whose journal was taken away, and that may still write to its own
            self._part.unlink(missing_ok=True)
        # A crash may have come between the journal and this file, which is cut to its length below in any case.
        part = os.open(self._part, os.O_RDWR | os.O_CREAT, 0o666)
        self._output = self._files.enter_context(FileIO(part, "r+"))
        if self.commit.failure_bytes:
            self._failures = self._files.enter_context(FileIO(self._failures_path, "r+"))
        else:
            self._failures_path.unlink(missing_ok=True)
        for path, (stream, length) in zip((self._part, self._failures_path), self._counted(), strict=False):
            if stream.seek(0, os.SEEK_END) < length:
                raise TaglineError(f"{path} is shorter than {self._journal_path} says: remove both")
        self._cut_off()
        if not self.commit.output_bytes:
            write_all(self._output, self._options.head, str(self._part))

    def write(self, chunk: TaggedChunk) -> None:
        """Write a part and note it in the journal; on return it is on the disk.

        Raises:
            OSError: It cannot be written; then nothing of it is there.
        """
        lines = "".join(write_line(asdict(failure)) for failure in chunk.failures)
        with self._interrupts.held():
            try:
                self._append(chunk.content, lines.encode("utf-8"))
                commit = self.commit.after(chunk, *self._lengths())
                self._journal.add(commit)
            except OSError:
                self._cut_off()
                raise
            self.commit = commit

    def finish(self) -> None:
        """Write what comes last, and put the file in its place.

        Raises:
            OSError: It cannot be written.
        """
        with self._interrupts.held():
            if not self.commit.done:
                self._append(self._options.tail or (b"" if self._output.tell() else self._options.nothing), b"")
                self.commit = replace(self.commit, done=True, output_bytes=self._output.tell())
                self._journal.add(self.commit)
                self._files.close()
        if self._options.format == "parquet" and self._part.exists():
            self._make_parquet()
            self._part.unlink()
        elif self._part.exists():  # else a run before this one was cut off right behind this
            self._part.replace(self._target)
        self._journal_path.unlink()

    def abandon(self) -> str | None:
        """End here. Where anything was done, say where it is; else leave nothing behind."""
        self._files.close()
        if self.commit.records:
            return f"{count(self.commit.records)} done so far stay in {self._part}: --resume goes on from there"
        if self._begun and not self._resumed:
            for path in (self._part, self._journal_path, self._failures_path):
                path.unlink(missing_ok=True)
        return None

    def _find_commit(self, *, resume: bool) -> Commit | None:
        """Where the last run of this job ended; None where there is nothing to go on with."""
        if resume:
            return read_journal(self._journal_path, self._job)
        check_unused(self._journal_path)
        with suppress(TaglineError):
            commit = read_journal(self._journal_path, self._job)
            if commit is None or not commit.records:
                return None
        raise TaglineError(
            f"{self._part} is what a run that was cut off has done: --resume goes on with it; "
            f"to begin anew, remove {self._journal_path}"
        )

    def _append(self, content: bytes, failures: bytes) -> None:
        write_all(self._output, content, str(self._part))
        os.fsync(self._output.fileno())
        if failures:
            if self._failures is None:
                self._failures = self._files.enter_context(FileIO(self._failures_path, "w"))
            write_all(self._failures, failures, str(self._failures_path))
            os.fsync(self._failures.fileno())

    def _lengths(self) -> tuple[int, int]:
        return self._output.tell(), 0 if self._failures is None else self._failures.tell()

    def _counted(self) -> Iterator[tuple[FileIO, int]]:
        yield self._output, self.commit.output_bytes
        if self._failures is not None:
            yield self._failures, self.commit.failure_bytes

    def _cut_off(self) -> None:
        for stream, length in self._counted():
            stream.truncate(length)
            stream.seek(length)

    def _make_parquet(self) -> None:
        from taggers.formats.parquet import streams_to_parquet  # pyarrow takes a moment to import

        made = beside(self._target, MAKING)
        try:
            streams_to_parquet(self._part, made)
            with made.open("rb") as stream:
                os.fsync(stream.fileno())
            made.replace(self._target)
        except OSError as error:
            error.filename = error.filename or str(made)
            raise
        finally:
            made.unlink(missing_ok=True)
