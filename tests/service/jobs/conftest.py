"""Databases of both kinds, and jobs that end when they are let."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.jobs.folder import JobsFolder

MANY = 1000


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.sqlite3'}"
    made: str = request.getfixturevalue("postgres").new_database()
    return made


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """A job writes one chunk for each leave that is given: until there are ``MANY``, none ends unobserved."""
    given = threading.Semaphore(0)
    write_part = JobsFolder.write_part

    def write(folder: JobsFolder, id: str, content: bytes) -> str:
        assert given.acquire(timeout=60)
        return write_part(folder, id, content)

    monkeypatch.setattr(JobsFolder, "write_part", write)
    yield given
    given.release(MANY)
