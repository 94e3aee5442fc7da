"""The journal: the last whole line counts, of this job and of no other."""

import pytest

from taggers.bulk.chunks import Position, TaggedChunk
from taggers.bulk.journal import Commit, Journal, read_journal
from taggers.bulk.pieces import Failure
from taggers.errors import TaglineError

JOB = {"model": "en", "reading": {"per_line": False}}


def chunk(number: int) -> TaggedChunk:
    return TaggedChunk(b"abc", (Failure("a:1", "x"),), 2, 10, Position(number, 5, 6, 3 * number), 7 * number)


def test_commits_add_up() -> None:
    commit = Commit().after(chunk(1), 3, 9).after(chunk(2), 6, 18)
    assert commit == Commit(Position(2, 5, 6, 6), 6, 18, 4, 20, 2, 14)
    assert commit.records == 6


def test_last_commit_comes_back(tmp_path) -> None:
    path = tmp_path / "journal"
    assert read_journal(path, JOB) is None
    journal = Journal(path, JOB, resume=False)
    assert read_journal(path, JOB) == Commit()
    for number in (1, 2):
        journal.add(Commit().after(chunk(number), number, 0))
    journal.close()
    assert read_journal(path, JOB) == Commit().after(chunk(2), 2, 0)
    journal = Journal(path, JOB, resume=True)
    journal.add(Commit(done=True))
    journal.close()
    assert read_journal(path, JOB) == Commit(done=True)


def test_line_that_a_crash_cut_off_does_not_count_at_any_of_its_bytes(tmp_path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, JOB, resume=False)
    journal.add(Commit().after(chunk(1), 1, 0))
    first = path.stat().st_size
    journal.add(Commit().after(chunk(2), 2, 0))
    journal.close()
    whole = path.read_bytes()
    for length in range(first, len(whole)):
        path.write_bytes(whole[:length])
        assert read_journal(path, JOB) == Commit().after(chunk(1), 1, 0)
        again = Journal(path, JOB, resume=True)
        again.add(Commit().after(chunk(2), 2, 0))
        again.close()
        assert path.read_bytes() == whole
    path.write_bytes(whole[:5])  # not even the first line
    assert read_journal(path, JOB) is None


def test_journal_of_another_job_is_refused_and_says_why(tmp_path) -> None:
    path = tmp_path / "journal"
    Journal(path, JOB, resume=False).close()
    with pytest.raises(TaglineError, match="is the journal of another job: its model is not the one asked for"):
        read_journal(path, {**JOB, "model": "vi"})


def test_two_processes_at_one_job_are_told(tmp_path) -> None:
    path = tmp_path / "journal"
    first = Journal(path, JOB, resume=False)
    with pytest.raises(TaglineError, match="another process is at this job"):
        Journal(path, JOB, resume=False)
    assert read_journal(path, JOB) == Commit()
    first.close()
    Journal(path, JOB, resume=True).close()
