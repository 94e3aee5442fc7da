"""A crew that could not renew its claim for too long, and claims the job again, works on it once."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from service.errors import JobsUnavailable
from service.jobs import crew
from service.jobs.crew import Crew
from service.jobs.desk import open_store
from service.jobs.folder import JobsFolder
from service.jobs.job import Input, Order
from service.metrics import Metrics
from service.registry import Phase
from service.settings import Settings

LEASE_S = 0.3


def test_a_claim_that_ran_out_is_left_before_the_next_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    working: list[Any] = []
    most = [0]
    begun: set[str] = set()

    class Works:
        """Takes the place of a runner, which never comes to an end here."""

        def __init__(self, job: Any, **_: Any) -> None:
            self.job = job

        async def run(self) -> None:
            working.append(self)
            begun.add(self.job.claim)
            most[0] = max(most[0], len(working))
            try:
                await asyncio.Event().wait()
            finally:
                working.remove(self)

    monkeypatch.setattr(crew, "Runner", Works)
    monkeypatch.setattr(crew, "_POLL_S", 0.05)
    settings = Settings(jobs_folder=tmp_path).model_copy(update={"jobs_at_once": 2, "job_lease_s": LEASE_S})
    store, folder = open_store(settings), JobsFolder(tmp_path)
    folder.make()

    def away(*_: Any, **__: Any) -> bool:
        raise JobsUnavailable("the database is away")

    monkeypatch.setattr(store, "renew", away)

    async def scenario() -> None:
        registry: Any = SimpleNamespace(phase=Phase.READY)
        made = Crew(store, folder, registry=registry, settings=settings, metrics=Metrics())
        store.add("a" * 32, Order("n", "m", None, (), Input()), owner="")
        async with made.working():
            async with asyncio.timeout(60):
                while len(begun) < 4:
                    await asyncio.sleep(LEASE_S / 3)
                    assert len(working) == len(made._running) or not working
            assert list(made._running) == ["a" * 32]
        assert not working

    asyncio.run(scenario())
    assert most == [1]
