"""Several processes of a service, here as several registries that meet in one folder."""

import asyncio
import shutil
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from service.errors import RefusedModel, Reloading
from service.registry import Registry
from service.settings import Settings
from service.siblings import Siblings
from tests.tiny import tiny_folder

Scenario = Callable[[Siblings, Registry, Siblings, Registry], Coroutine[Any, Any, None]]


@pytest.fixture
def served(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "served")


def together(served: Path, meeting: Path, scenario: Scenario) -> None:
    """Two processes that are ready."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            both: list[Any] = []
            for _ in range(2):
                registry = Registry(Settings(models=(str(served),)))
                siblings = Siblings(registry, folder=meeting)
                await stack.enter_async_context(siblings.meeting())
                await registry.load()
                stack.push_async_callback(registry.close)
                both += [siblings, registry]
            await scenario(*both)

    meeting.mkdir(exist_ok=True)
    asyncio.run(run())


def test_a_reload_reaches_all(served: Path, tmp_path: Path) -> None:
    async def scenario(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        before = first.find("tiny"), second.find("tiny")
        made = await two.reload("tiny", None)
        assert made.name == "tiny"
        assert first.find("tiny") is not before[0]
        assert second.find("tiny") is not before[1]

    together(served, tmp_path / "meeting", scenario)
    assert not list((tmp_path / "meeting").glob("*.sock"))


def test_whoever_starts_later_loads_from_where_the_others_did(served: Path, tmp_path: Path) -> None:
    async def move(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        await one.reload("tiny", tiny_folder(tmp_path / "other"))
        shutil.rmtree(served / "README.md", ignore_errors=True)
        (served / "model.safetensors").write_bytes(b"x")
        await two.reload("tiny", None)

    together(served, tmp_path / "meeting", move)

    async def check(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        assert first.find("tiny")

    together(served, tmp_path / "meeting", check)  # though the first folder is damaged by now


def test_one_at_a_time_whoever_is_asked(served: Path, tmp_path: Path) -> None:
    async def scenario(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        answers = await asyncio.gather(
            one.reload("tiny", None), two.reload("tiny", None), one.reload("tiny", None), return_exceptions=True
        )
        assert sum(isinstance(answer, Reloading) for answer in answers) == 2
        assert await two.reload("tiny", None)

    together(served, tmp_path / "meeting", scenario)


def test_what_is_damaged_is_refused_before_others_are_told(served: Path, tmp_path: Path) -> None:
    async def scenario(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        before = first.find("tiny"), second.find("tiny")
        (served / "model.safetensors").write_bytes(b"x")
        with pytest.raises(RefusedModel, match=r"model\.safetensors"):
            await one.reload("tiny", None)
        assert (first.find("tiny"), second.find("tiny")) == before

    together(served, tmp_path / "meeting", scenario)


def test_another_that_cannot_is_told_of(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        async def refuse(*_: object) -> None:
            raise RefusedModel("no memory")

        monkeypatch.setattr(second, "reload", refuse)
        with pytest.raises(RefusedModel, match="another worker goes on with the old model: no memory"):
            await one.reload("tiny", None)

    together(served, tmp_path / "meeting", scenario)


def test_one_that_has_died_is_not_waited_for(served: Path, tmp_path: Path) -> None:
    async def scenario(one: Siblings, first: Registry, two: Siblings, second: Registry) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "meeting" / "dead.sock"))
        assert await one.reload("tiny", None)

    together(served, tmp_path / "meeting", scenario)


def test_alone(served: Path) -> None:
    async def run() -> None:
        registry = Registry(Settings(models=(str(served),)))
        siblings = Siblings(registry, folder=None)
        async with siblings.meeting():
            await registry.load()
            assert await siblings.reload("tiny", None)
            await registry.close()

    asyncio.run(run())
