"""A whole job: sources in, one output out, told how far it is, and kept where it ends early."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from taggers.bulk.engines import Engine, LocalEngine
from taggers.bulk.file_output import FileOutput
from taggers.bulk.input import Input
from taggers.bulk.interrupts import Interrupts
from taggers.bulk.journal import Commit
from taggers.bulk.output import Output, StreamOutput, failures_beside, standard_output
from taggers.bulk.progress import ProgressReport, count
from taggers.bulk.sources import Source, total_bytes
from taggers.bulk.work import Work, content_of
from taggers.errors import TaglineError


def run_job(
    sources: Sequence[Source],
    work: Work,
    target: Path | None,
    *,
    workers: int | None = None,
    resume: bool = False,
    engine: Engine | None = None,
) -> Commit:
    """Do a job to its end.

    Args:
        sources: What to read.
        work: What to do.
        target: The file to write, which appears when all is done; None for standard output.
        workers: How many processes tag; None for as many as there are cores and as the input is worth.
        resume: Whether to go on where the last run of this job ended.
        engine: Where they are; None for this machine.

    Returns:
        What was done.

    Raises:
        TaglineError: It cannot be done, or ended early; then the message says what is kept.
        FormatError: The only input lacks a column, or is not what its name says.
        OSError: The output cannot be written.
        KeyboardInterrupt: It was interrupted; what is kept was told.
    """
    engine = engine or LocalEngine()
    engine.look_into(sources, work.reading)
    size = total_bytes(sources)
    interrupts = Interrupts()
    output = _find_output(target, work, sources, resume=resume, interrupts=interrupts)
    if output.commit.done:
        output.finish()
        return output.commit
    opened = engine.open_workers(work, count=workers, size=size)
    with opened as tag_input, interrupts.listening():
        try:
            output.begin()
            visible = target is not None or not sys.stdout.isatty()
            with ProgressReport(output.commit, total_bytes=size, visible=visible) as progress:
                for chunk in tag_input(Input(tuple(sources), work.reading, output.commit.position)):
                    output.write(chunk)
                    progress.update(output.commit)
            output.finish()
            progress.finish(output.commit)
        except KeyboardInterrupt:
            if kept := output.abandon():
                print(f"tagline: interrupted; {kept}", file=sys.stderr)
            raise
        except (TaglineError, OSError) as error:
            kept = output.abandon()
            if kept is None:
                raise
            raise TaglineError(f"{_said(error)}; {kept}") from error
    return output.commit


def describe_failures(commit: Commit, target: Path | None) -> str:
    """One line on the records that gave nothing."""
    named = f"named in {failures_beside(target)}" if target is not None and target.is_file() else "named above"
    return f"{commit.failures:,} of {count(commit.records)} failed, {named}"


def describe_job(sources: Sequence[Source], work: Work) -> Mapping[str, Any]:
    """What tells a job from others: what it reads, and all that its output depends on."""
    names = json.dumps([(source.name, source.format, source.version) for source in sources])
    return {
        "input": hashlib.sha256(names.encode("utf-8")).hexdigest(),
        "model": [work.model, content_of(work.model)],
        "precision": work.precision,
        "tasks": None if work.tasks is None else ",".join(work.tasks),
        "max_batch_tokens": work.max_batch_tokens,
        "reading": asdict(work.reading),
        "output": asdict(work.output),
    }


def _find_output(
    target: Path | None, work: Work, sources: Sequence[Source], *, resume: bool, interrupts: Interrupts
) -> Output:
    if target is None:
        return StreamOutput(standard_output(), "<stdout>", work.output, interrupts)
    if target.exists() and not target.is_file():  # nothing may take the place of a device or a pipe
        return StreamOutput(None, str(target), work.output, interrupts)
    # A link stays a link.
    job = describe_job(sources, work)
    return FileOutput(target.resolve(), work.output, job, resume=resume, interrupts=interrupts)


def _said(error: TaglineError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
