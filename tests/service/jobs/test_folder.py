"""The files of jobs: parts that are whole or not there, and nothing left of what belongs to no job."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from service.jobs.folder import JobsFolder

ID = "0" * 32


@pytest.fixture
def folder(tmp_path: Path) -> JobsFolder:
    made = JobsFolder(tmp_path / "jobs")
    made.make()
    made.add(ID)
    return made


def test_it_is_for_nobody_else(folder: JobsFolder) -> None:
    assert folder.path.stat().st_mode & 0o077 == 0


def test_parts_have_names_of_their_own_and_those_that_do_not_count_are_removed(folder: JobsFolder) -> None:
    first, second = (folder.write_part(ID, b"x") for _ in range(2))
    assert first != second
    folder.tidy(ID, [first])
    assert [path.name for path in folder.part(ID, first).parent.iterdir()] == [first]
    folder.remove(ID)
    with pytest.raises(FileNotFoundError):
        folder.write_part(ID, b"x")
    assert list(folder.path.iterdir()) == []


def test_who_still_writes_to_a_job_that_is_removed_leaves_nothing(
    folder: JobsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_part(ID, b"x")
    unlink = os.unlink

    def write_meanwhile(*args: Any, **kwargs: Any) -> None:
        unlink(*args, **kwargs)
        with suppress(FileNotFoundError):
            folder.write_part(ID, b"y")

    monkeypatch.setattr(os, "unlink", write_meanwhile)
    folder.remove(ID)
    assert list(folder.path.iterdir()) == []


def test_old_uploads_of_no_job_are_swept_away(folder: JobsFolder, caplog: pytest.LogCaptureFixture) -> None:
    known, fresh, elsewhere = "1" * 32, "2" * 32, "3" * 32
    for id in (known, fresh, elsewhere):
        folder.add(id)
        folder.upload(id).touch()
    folder.enlist(elsewhere)  # in another database, or in one that was lost
    (folder.path / "servers").mkdir()
    age(folder, ID, known, elsewhere, "servers")
    with caplog.at_level("INFO", "tagline"):
        folder.sweep({known})
    assert sorted(path.name for path in folder.path.iterdir()) == [known, fresh, elsewhere, "servers"]
    assert [record.getMessage() for record in caplog.records] == [f"removed {ID}, of which no job came"]


def test_what_a_crash_left_unlisted_is_kept_as_long_as_there_is_a_job(folder: JobsFolder) -> None:
    age(folder, ID)
    folder.sweep({ID})
    folder.sweep(())
    assert folder.of(ID).exists()
    folder.delist(ID)
    age(folder, ID)
    folder.sweep(())
    assert not folder.of(ID).exists()


def test_whether_files_are_there(folder: JobsFolder) -> None:
    file = folder.write_part(ID, b"x")
    assert folder.holds(ID, [file])
    assert not folder.holds(ID, [file, "another"])
    folder.remove(ID)
    assert folder.holds(ID, [])
    assert not folder.holds(ID, [file])


def age(folder: JobsFolder, *names: str) -> None:
    long_ago = time.time() - 100_000
    for name in names:
        for path in (folder.of(name), *folder.of(name).iterdir()):
            os.utime(path, (long_ago, long_ago))
