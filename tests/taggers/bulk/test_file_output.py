"""Files: old or new and nothing between, what no commit counts is cut off, a full disk loses nothing."""

import json
import resource
from pathlib import Path

import pytest

from taggers.bulk.chunks import Position, TaggedChunk
from taggers.bulk.file_output import FileOutput
from taggers.bulk.interrupts import Interrupts
from taggers.bulk.journal import Commit
from taggers.bulk.pieces import Failure
from taggers.bulk.rendering import OutputOptions
from taggers.errors import TaglineError

JOB = {"model": "en"}


def chunk(content: bytes, number: int, *failures: Failure) -> TaggedChunk:
    return TaggedChunk(content, failures, 1, 2, Position(records=number), number)


def output(target: Path, *, resume: bool = False, format="jsonl") -> FileOutput:
    made = FileOutput(target, OutputOptions(format, title="t"), JOB, resume=resume, interrupts=Interrupts())
    made.begin()
    return made


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "out"


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_file_takes_its_place_at_the_end(target) -> None:
    target.write_text("old")
    made = output(target)
    made.write(chunk(b"one\n", 1))
    assert target.read_text() == "old"
    assert target.with_name("out.part").read_bytes() == b"one\n"  # at once
    made.write(chunk(b"two\n", 2))
    made.finish()
    assert target.read_bytes() == b"one\ntwo\n"
    assert names(target) == ["out"]


def test_failures_lie_beside_it_and_old_ones_go(target) -> None:
    failures = target.with_name("out.errors.jsonl")
    made = output(target)
    made.write(chunk(b"", 1, Failure("a:1", "é"), Failure("a:2", "y")))
    made.finish()
    assert [json.loads(line) for line in failures.read_text("utf-8").splitlines()] == [
        {"place": "a:1", "reason": "é"},
        {"place": "a:2", "reason": "y"},
    ]
    output(target).finish()
    assert names(target) == ["out"]
    assert target.read_bytes() == b""


def test_what_was_done_stays_and_is_gone_on_with(target) -> None:
    made = output(target, format="html")
    made.write(chunk(b"one", 1, Failure("a:1", "x")))
    assert "1 document done so far" in made.abandon().replace("2 documents", "1 document")
    for name in ("out.part", "out.errors.jsonl", "out.journal"):  # what a crash may leave behind the last commit
        with target.with_name(name).open("ab") as stream:
            stream.write(b"half a part")
    again = output(target, resume=True, format="html")
    assert again.commit.position == Position(records=1)
    again.write(chunk(b"two", 2))
    again.finish()
    options = OutputOptions("html", title="t")
    assert target.read_bytes() == options.head + b"onetwo" + options.tail
    assert target.with_name("out.errors.jsonl").read_text() == '{"place":"a:1","reason":"x"}\n'
    assert names(target) == ["out", "out.errors.jsonl"]


def test_what_was_done_is_not_lost_by_beginning_anew(target) -> None:
    made = output(target)
    made.write(chunk(b"one", 1))
    made.abandon()
    with pytest.raises(TaglineError, match=r"--resume goes on with it; to begin anew, remove .*out\.journal"):
        output(target)
    target.with_name("out.journal").unlink()
    output(target).finish()
    assert target.read_bytes() == b""


def test_nothing_done_leaves_nothing(target) -> None:
    assert output(target).abandon() is None
    assert names(target) == []
    made = output(target)
    made._files.close()  # as a crash does
    output(target).finish()
    assert names(target) == ["out"]


def test_crash_between_the_journal_and_the_file_it_tells_of(target) -> None:
    output(target)._files.close()
    target.with_name("out.part").unlink()
    again = output(target, resume=True)
    again.write(chunk(b"one", 1))
    again.finish()
    assert target.read_bytes() == b"one"


@pytest.mark.parametrize("gone", [True, False])
def test_crash_between_the_last_commit_and_the_end(target, gone) -> None:
    made = output(target)
    made.write(chunk(b"one", 1))
    replace = Path.replace
    with pytest.MonkeyPatch.context() as patch:

        def crash(path: Path, to: Path) -> None:
            if gone:
                replace(path, to)
            raise KeyboardInterrupt

        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            made.finish()
    again = output(target, resume=True)
    assert again.commit.done
    again.finish()
    assert target.read_bytes() == b"one"
    assert names(target) == ["out"]


def test_without_a_journal_there_is_nothing_to_resume(target) -> None:
    made = output(target, resume=True)
    assert made.commit == Commit()
    made.abandon()


def test_output_that_is_shorter_than_its_journal_is_refused(target) -> None:
    made = output(target)
    made.write(chunk(b"one", 1))
    made.abandon()
    target.with_name("out.part").write_bytes(b"o")
    again = FileOutput(target, OutputOptions("jsonl"), JOB, resume=True, interrupts=Interrupts())
    with pytest.raises(TaglineError, match=r"out\.part is shorter than .*out\.journal says"):
        again.begin()
    again.abandon()
    assert target.with_name("out.part").read_bytes() == b"o"


def test_second_process_is_refused_and_harms_nothing(target) -> None:
    other = FileOutput(target, OutputOptions("jsonl"), JOB, resume=False, interrupts=Interrupts())
    made = output(target)
    with pytest.raises(TaglineError, match="another process is at this job"):
        other.begin()
    assert other.abandon() is None
    made.write(chunk(b"one", 1))
    with pytest.raises(TaglineError, match="another process is at this job"):  # not that its journal may be removed
        output(target)
    made.finish()
    assert target.read_bytes() == b"one"


def test_process_whose_journal_was_removed_writes_to_no_other_output(target) -> None:
    stale = output(target)
    stale.write(chunk(b"one", 1))
    target.with_name("out.journal").unlink()
    made = output(target)
    made.write(chunk(b"two", 1))
    stale.write(chunk(b"three", 2))
    made.finish()
    assert target.read_bytes() == b"two"
    stale.abandon()


def test_full_disk_at_the_beginning_names_the_file_and_leaves_nothing(target) -> None:
    made = FileOutput(target, OutputOptions("jsonl"), JOB, resume=False, interrupts=Interrupts())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            made.begin()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(target.with_name("out.journal"))
    assert made.abandon() is None
    assert names(target) == []


def test_full_disk_keeps_whole_parts_and_names_the_file(target) -> None:
    made = output(target)
    made.write(chunk(b"a" * 1000, 1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            made.write(chunk(b"b" * 1000, 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(target.with_name("out.part"))
    assert target.with_name("out.part").read_bytes() == b"a" * 1000
    made.abandon()
    again = output(target, resume=True)
    again.write(chunk(b"b" * 1000, 2))
    again.finish()
    assert target.read_bytes() == b"a" * 1000 + b"b" * 1000
