"""What ends a job early, and what it waits for."""

import gzip
import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from errno import ENOSPC, ESTALE
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.app import create_app
from service.errors import JobsUnavailable
from service.jobs import desk, runner, threads
from service.jobs.folder import JobsFolder
from service.jobs.job import Input, Order
from service.jobs.part import read_version
from service.jobs.store import Store
from service.settings import Settings
from taggers.bulk.sources import Source
from taggers.errors import InputUnreachable, TaglineError
from taggers.fingerprint import fingerprint
from tests.folders import change
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


class Reads(FileIO):
    """A file that may break off, or never answer."""

    def __init__(self, path: str, before: Callable[[int], None]) -> None:
        super().__init__(path)
        self._before = before

    def readinto(self, buffer: Any) -> int:
        self._before(self.tell())
        return super().readinto(buffer)


def reading(monkeypatch: pytest.MonkeyPatch, before: Callable[[int, int], None]) -> None:
    """Ask before a source is read what becomes of that: how often it was opened, and where the reading is."""
    times = itertools.count()

    @contextmanager
    def opened(source: Source) -> Iterator[BufferedReader]:
        time = next(times)
        with BufferedReader(Reads(source.name, lambda place: before(time, place))) as stream:
            yield stream

    monkeypatch.setattr(Source, "open", opened)


@pytest.fixture
def client(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient[Litestar]]:
    """A service that may read ``in.jsonl``."""
    monkeypatch.setattr(runner, "_PAUSE_S", 0.01)
    (tmp_path / "in.jsonl").write_bytes(words(2500))
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path / "jobs", job_sources=(str(tmp_path),))
    with TestClient(create_app(settings)) as made:
        wait_until_ready(made)
        yield made


def ask(client: TestClient[Litestar], tmp_path: Path, *, status: int = 201) -> Any:
    answer = client.post("/v1/jobs", json={"source": str(tmp_path / "in.jsonl")})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_source_that_breaks_off_is_read_on_where_the_last_chunk_ends(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    size = (tmp_path / "in.jsonl").stat().st_size

    def break_off(time: int, place: int) -> None:
        if time == 1 and place > size * 0.6:
            raise InputUnreachable("it broke off")
        if time == 2:
            raise InputUnreachable("it does not answer")

    reading(monkeypatch, break_off)
    with caplog.at_level("WARNING", "tagline"):
        job = wait(client, ask(client, tmp_path)["id"])
    assert (job["state"], job["documents"], job["failures"]) == ("done", 2500, 0)
    assert [json.loads(line)["k"] for line in results(client, job["id"]).splitlines()] == list(range(2500))
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"job {job['id']} waits: it broke off", f"job {job['id']} waits: it does not answer"]


def test_a_source_that_stays_away_is_given_up_and_what_was_read_is_kept(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (tmp_path / "in.jsonl").stat().st_size

    def break_off(time: int, place: int) -> None:
        if time and place > size * 0.6:
            raise InputUnreachable("it broke off")

    reading(monkeypatch, break_off)
    monkeypatch.setattr(runner, "_GIVE_UP_S", 0.1)
    job = wait(client, ask(client, tmp_path)["id"])
    assert (job["state"], job["error"], job["documents"]) == ("failed", "it broke off", 1000)


def test_a_source_whose_disk_is_away_holds_up_no_other_job(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = ask(client, tmp_path)["id"]
    assert wait(client, id)["state"] == "done"
    find = runner.open_input

    def away(order: Order, upload: Path) -> Any:
        if order.input.source is not None:
            raise OSError(ESTALE, "Stale file handle")
        return find(order, upload)

    monkeypatch.setattr(runner, "open_input", away)
    monkeypatch.setattr(runner, "_GIVE_UP_S", 0.5)
    waits = ask(client, tmp_path)["id"]
    assert wait(client, send(client, words(10))["id"])["state"] == "done"
    job = wait(client, waits)
    assert (job["state"], job["error"]) == ("failed", f"{tmp_path}/in.jsonl: Stale file handle")


def test_a_source_that_does_not_answer_makes_no_job(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: int) -> None:
        raise InputUnreachable("it does not answer")

    reading(monkeypatch, break_off)
    problem = ask(client, tmp_path, status=503)
    assert problem["type"] == "urn:tagline:problem:unreachable-source"
    assert problem["errors"] == [{"path": "source", "message": "it does not answer"}]
    monkeypatch.setattr(desk, "open_input", break_off)
    assert ask(client, tmp_path, status=503) == problem


def test_a_source_that_may_not_be_read_makes_no_job(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise TaglineError("403, Forbidden")

    reading(monkeypatch, refuse)
    problem = ask(client, tmp_path, status=400)
    assert problem["errors"] == [{"path": "source", "message": "403, Forbidden"}]


def test_a_source_that_never_answers_keeps_no_service_from_ending(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(time: int, _: int) -> None:
        if time:
            hangs.set()
            goes_on.wait()

    reading(monkeypatch, hang)
    (tmp_path / "in.jsonl").write_bytes(words(10))
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path / "jobs", job_sources=(str(tmp_path),))
    try:
        with TestClient(create_app(settings)) as client:
            wait_until_ready(client)
            ask(client, tmp_path)
            assert hangs.wait(60)
        assert not goes_on.is_set()
    finally:
        goes_on.set()


def test_a_source_that_ended_badly_is_told_of_after_a_crash(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path)
    reached = threading.Event()

    def away(*_: Any, **__: Any) -> bool:
        reached.set()
        raise JobsUnavailable("away")

    with monkeypatch.context() as patched, TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        patched.setattr(Store, "finish", away)
        content = gzip.compress(words(1200))
        id = send(client, content[: len(content) - 100], name="in.jsonl.gz")["id"]
        assert reached.wait(60)
        before = show(client, id)
        assert (before["state"], before["failures"]) == ("running", 1)
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        job = wait(client, id)
        assert (job["state"], job["documents"], job["failures"]) == ("failed", before["documents"], 1)
        assert "reading ended here" in job["error"]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_job_whose_model_changes_begins_anew(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, restarted: bool
) -> None:
    model = shutil.copytree(tiny, tmp_path / "model")
    held, reached, written = threading.Event(), threading.Event(), itertools.count()
    write_part = JobsFolder.write_part

    def write(folder: JobsFolder, id: str, content: bytes) -> str:
        if next(written) == 1:  # one chunk is done
            reached.set()
            assert held.wait(60)
            if restarted:
                raise OSError("it ended with the service")
        return write_part(folder, id, content)

    monkeypatch.setattr(JobsFolder, "write_part", write)
    settings = Settings(models=(str(model),), jobs_folder=tmp_path / "jobs")
    with caplog.at_level("INFO", "tagline"), ExitStack() as stack:
        client = stack.enter_context(TestClient(create_app(settings)))
        wait_until_ready(client)
        id = send(client, words(6000))["id"]
        assert reached.wait(60)
        change(model, lambda config: config.update(expansions={"dont": ["do", "nt"]}))
        if restarted:
            stack.close()
            held.set()
            client = stack.enter_context(TestClient(create_app(settings)))
            wait_until_ready(client)
        else:
            assert client.post("/v1/models/tiny/reload").status_code == 200
            held.set()
        job = wait(client, id)
        assert (job["state"], job["documents"], job["error"]) == ("done", 6000, None)
        assert [json.loads(line)["k"] for line in results(client, id).splitlines()] == list(range(6000))
    parts = list((tmp_path / "jobs" / id / "parts").iterdir())
    assert len(parts) == 6
    assert {read_version(part) for part in parts} == {fingerprint(model)}
    assert f"job {id} begins anew: its model has changed" in caplog.messages
