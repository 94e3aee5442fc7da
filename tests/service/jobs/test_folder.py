"""The files of jobs: parts that are whole or not there, and nothing left of what belongs to no job."""

import os
import time
from pathlib import Path

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


def test_old_uploads_of_no_job_are_swept_away(folder: JobsFolder) -> None:
    known, fresh = "1" * 32, "2" * 32
    for id in (known, fresh):
        folder.add(id)
        folder.upload(id).touch()
    (folder.path / "servers").mkdir()
    long_ago = time.time() - 100_000
    for path in (folder.of(ID), folder.of(ID) / "parts", folder.of(known), folder.path / "servers"):
        os.utime(path, (long_ago, long_ago))
    folder.sweep({known})
    assert sorted(path.name for path in folder.path.iterdir()) == [known, fresh, "servers"]
