"""A crew claims each job once at a time, goes on to the next one whatever became of the last, and tells of trouble."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from service.errors import JobsUnavailable, ModelLost
from service.jobs import crew
from service.jobs.crew import Crew
from service.jobs.desk import open_store
from service.jobs.folder import JobsFolder
from service.jobs.job import Input, Job, Order
from service.jobs.store import Store
from service.jobs.threads import JobThreads
from service.metrics import Metrics
from service.registry import Phase
from service.settings import Settings

LEASE_S = 0.3
FIRST, SECOND = "a" * 32, "b" * 32


class Works:
    """Takes the place of a runner, which never comes to an end here."""

    begun: ClassVar[list[Job]] = []
    working: ClassVar[list["Works"]] = []
    most: ClassVar[int] = 0
    waits: ClassVar[bool] = False

    def __init__(self, job: Job, **_: Any) -> None:
        self.job = job

    async def run(self) -> None:
        self.begun.append(self.job)
        if self.job.order.model == "lost":
            raise ModelLost("load it again")
        self.working.append(self)
        Works.most = max(Works.most, len(self.working))
        try:
            await asyncio.Event().wait()
        finally:
            self.working.remove(self)


@pytest.fixture(autouse=True)
def works(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(crew, "Runner", Works)
    monkeypatch.setattr(crew, "_POLL_S", 0.05)
    for name, value in (("begun", []), ("working", []), ("most", 0), ("waits", False)):
        monkeypatch.setattr(Works, name, value)
    yield
    assert not Works.working


class Set:
    """What a crew works with.

    Args:
        folder: Where all of it is.
        at_once: How many jobs it works on at once.
    """

    def __init__(self, folder: Path, *, at_once: int = 1) -> None:
        settings = Settings(jobs_folder=folder, jobs_at_once=at_once, job_lease_s=LEASE_S)
        self.store: Store = open_store(settings)
        self.folder = JobsFolder(folder)
        self.folder.make()
        self.registry: Any = SimpleNamespace(phase=Phase.READY, usable_names=("m",))
        self.threads = JobThreads()
        self.crew = Crew(
            self.store, self.folder, self.threads, registry=self.registry, settings=settings, metrics=Metrics()
        )

    def add(self, id: str, model: str = "m") -> None:
        self.store.add(id, Order("n", model, None, (), Input()), owner="")

    async def work_until(self, enough: Callable[[], bool]) -> None:
        async with self.crew.working(), asyncio.timeout(60):
            while not enough():
                await asyncio.sleep(0.01)
        self.store.close()
        self.threads.close()


def begun() -> set[str]:
    return {job.id for job in Works.begun}


def test_a_claim_that_ran_out_is_left_before_the_next_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Set(tmp_path, at_once=2)

    def away(*_: Any, **__: Any) -> bool:
        raise JobsUnavailable("the database is away")

    monkeypatch.setattr(made.store, "renew", away)
    made.add(FIRST)
    asyncio.run(made.work_until(lambda: len({job.claim for job in Works.begun}) >= 4))
    assert begun() == {FIRST}
    assert Works.most == 1


def test_a_job_that_is_left_before_it_begins_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Set(tmp_path)
    made.add(FIRST)
    made.add(SECOND)

    async def leave_at_once(id: str) -> None:
        """Asked just before the job is begun, so that this comes before its first step."""
        if id == FIRST:
            asyncio.get_running_loop().call_soon(lambda: made.crew._running[id].task.cancel())

    monkeypatch.setattr(made.crew, "stop", leave_at_once)
    asyncio.run(made.work_until(lambda: SECOND in begun()))
    assert begun() == {SECOND}


def test_a_job_waits_for_its_model_and_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Set(tmp_path)
    made.add(FIRST, model="other")
    made.add(SECOND)
    turns = iter(range(30))

    def has_it_after_some_turns() -> bool:
        if SECOND in begun():
            made.store.cancel(SECOND, keep_s=60)
            if caplog.records and next(turns, None) is None:
                made.registry.usable_names = ("m", "other")
        return FIRST in begun()

    with caplog.at_level("WARNING", "tagline"):
        asyncio.run(made.work_until(has_it_after_some_turns))
    assert [job.id for job in Works.begun] == [SECOND, FIRST]
    told = [record.getMessage() for record in caplog.records]
    assert told == ["jobs wait for the model 'other', which this server does not have"]


def test_while_a_job_waits_for_the_disk_no_other_is_claimed(tmp_path: Path) -> None:
    made = Set(tmp_path, at_once=2)
    made.add(FIRST)
    made.add(SECOND)
    Works.waits = True
    turns = iter(range(30))

    def room_after_some_turns() -> bool:
        if next(turns, None) is None:
            Works.waits = False
        assert not Works.waits or SECOND not in begun()
        return SECOND in begun()

    asyncio.run(made.work_until(room_after_some_turns))


def test_expired_jobs_are_removed_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_FORGOTTEN_AT_ONCE", 2)
    made = Set(tmp_path)
    for n in range(5):
        id = f"{n:032x}"
        made.add(id)
        made.folder.add(id)
        made.store.cancel(id, keep_s=0)
    made.add(FIRST)
    asyncio.run(made.work_until(lambda: made.store.ids() == {FIRST}))
    assert list(tmp_path.glob("0*")) == []


def test_clearing_up_that_fails_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = Set(tmp_path)
    made.add(FIRST)

    def fail(**_: Any) -> None:
        raise ValueError("too many")

    monkeypatch.setattr(made.store, "expired", fail)
    asyncio.run(made.work_until(lambda: FIRST in begun() and "jobs are not cleared up: too many" in caplog.text))


def test_a_job_whose_model_is_lost_is_put_back_and_holds_up_no_other(tmp_path: Path) -> None:
    made = Set(tmp_path)
    made.registry.usable_names = ("m", "lost")
    made.add(FIRST, model="lost")
    made.add(SECOND)

    def begun_both() -> bool:
        if FIRST in begun():
            made.registry.usable_names = ("m",)
        return SECOND in begun()

    asyncio.run(made.work_until(begun_both))
    found = made.store.find(FIRST)
    assert found is not None
    assert (found.state, found.claim, found.attempts) == ("queued", None, 0)
