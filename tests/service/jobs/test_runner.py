"""What ends a job early, and what it waits for."""

import json
import threading
from errno import ENOSPC
from pathlib import Path

import pytest
from litestar.testing import TestClient

from service.app import create_app
from service.jobs import threads
from service.jobs.folder import JobsFolder
from service.jobs.job import Input, Order
from service.jobs.store import Store
from service.settings import Settings
from tests.service.clients import wait_until_ready
from tests.service.jobs.clients import results, send, show, wait, words

ID = "a" * 32


def test_it_fails_with_one_line(tiny: Path, tmp_path: Path) -> None:
    folder = JobsFolder(tmp_path)
    store = Store(f"sqlite:///{tmp_path}/jobs.sqlite3")
    folder.add(ID)
    folder.upload(ID).write_bytes(b"Ada\n")
    store.add(ID, Order("in", "tiny", None, ("ner",), Input("text")), owner="")
    for _ in range(10):
        assert store.claim(models=["tiny"], holder="h", machine="m", lease_s=600)
        assert store.take_back("m", lambda _: True) == 1
    store.close()
    with TestClient(create_app(Settings(models=(str(tiny),), jobs_folder=tmp_path))) as client:
        wait_until_ready(client)
        killed = wait(client, ID)
        assert (killed["state"], killed["documents"]) == ("failed", 0)
        assert killed["error"] == "the service ended 10 times while it worked on the records behind record 0"
        assert results(client, ID) == b""


def test_on_a_full_disk_jobs_wait_and_then_go_on(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = threading.Event()
    tries = threading.Semaphore(0)
    write_part = JobsFolder.write_part

    def write(folder: JobsFolder, id: str, content: bytes) -> str:
        if full.is_set():
            tries.release()
            raise OSError(ENOSPC, "No space left on device", "/secret")
        return write_part(folder, id, content)

    monkeypatch.setattr(JobsFolder, "write_part", write)
    monkeypatch.setattr(threads, "_RETRY_S", 0.1)
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path)
    with caplog.at_level("INFO", "tagline"), TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        full.set()
        first, second = (send(client, words(1200))["id"] for _ in range(2))
        for _ in range(5):
            assert tries.acquire(timeout=60)
        assert [show(client, id)["state"] for id in (first, second)] == ["running", "queued"]
        full.clear()
        for id in (first, second):
            job = wait(client, id)
            assert (job["state"], job["documents"]) == ("done", 1200)
            assert [json.loads(line)["k"] for line in results(client, id).splitlines()] == list(range(1200))
    waits = [record.getMessage() for record in caplog.records if "waits" in record.getMessage()]
    assert waits == [f"job {first} waits: No space left on device"]
