"""Reloading a model: nobody notices but by the answers, which are wholly those of one model."""

import asyncio
import gc
import multiprocessing
import shutil
import weakref
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.registry import Registry
from service.settings import Settings
from taggers.checkpoint import Model, save_model
from taggers.labels import LabelSet
from taggers.manifest import Manifest
from taggers.tasks import Task
from tests.service.clients import tag, with_service
from tests.service.jobs.clients import OVER
from tests.tiny import tiny_model

TEXT = "Ada Lovelace wrote to Babbage in London. Paris is larger than Lyon!"


def relabelled(suffix: str, seed: int) -> Model:
    """A tiny model each of whose tags ends in a suffix, so that every answer says whose it is."""
    made = tiny_model(seed=seed)
    tasks = {
        name: Task(name, task.kind, task.layer, LabelSet(f"{label}{suffix}" for label in task.labels), task.scheme)
        if name in ("upos", "xpos")
        else task
        for name, task in made.tagger.tasks.items()
    }
    stored = made.manifest.model_dump()
    for name in ("upos", "xpos"):
        stored["tagger"]["tasks"][name]["labels"] = tuple(tasks[name].labels)
    made.tagger.tasks = tasks
    return Model(Manifest.model_validate(stored), made.tagger, made.segmenter)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model folders ``one`` and ``two``, both of a model named tiny."""
    base = tmp_path_factory.mktemp("versions")
    for seed, name in enumerate(["one", "two"]):
        save_model(base / name, relabelled(f"-{name}", seed))
    return base


@pytest.fixture
def served(versions: Path, tmp_path: Path) -> Path:
    """The folder that a service loads from, first with version one."""
    return shutil.copytree(versions / "one", tmp_path / "served")


def put(version: Path, folder: Path) -> None:
    shutil.copytree(version, folder, dirs_exist_ok=True)


def makers(answer: httpx.Response) -> set[str]:
    """The versions that made an answer's tags."""
    assert answer.status_code == 200, answer.text
    return {
        token[task].rpartition("-")[2]
        for document in answer.json()["documents"]
        for sentence in document["sentences"]
        for token in sentence["tokens"]
        for task in ("upos", "xpos")
    }


async def reload(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/v1/models/tiny/reload", json=body)


def test_what_is_in_the_folder_by_now_is_served(served: Path, versions: Path) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        assert makers(await tag(client, text=TEXT)) == {"one"}
        put(versions / "two", served)
        assert makers(await tag(client, text=TEXT)) == {"one"}
        answer = await client.post("/v1/models/tiny/reload")
        assert answer.status_code == 200, answer.text
        assert answer.json() == (await client.get("/v1/models/tiny")).json()
        assert all(label.endswith("-two") for label in answer.json()["tasks"]["upos"]["labels"])
        assert makers(await tag(client, text=TEXT)) == {"two"}

    with_service(Settings(models=(str(served),)), scenario)


def test_a_damaged_folder_is_refused_and_the_old_model_goes_on(
    served: Path, versions: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        damages = {
            "config.json": b"{",
            "vocabulary.json": b"\xff",
            "model.safetensors": b"x",
        }
        for name, content in damages.items():
            put(versions / "two", served)
            (served / name).write_bytes(content)
            answer = await reload(client)
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            assert name in answer.json()["detail"]
            assert str(served.parent) not in answer.text
            assert makers(await tag(client, text=TEXT)) == {"one"}
        shutil.rmtree(served)
        answer = await reload(client)
        assert (answer.status_code, str(served.parent) in answer.text) == (422, False)
        assert makers(await tag(client, text=TEXT)) == {"one"}
        put(versions / "two", served)
        assert (await reload(client)).status_code == 200
        assert makers(await tag(client, text=TEXT)) == {"two"}

    with_service(Settings(models=(str(served),)), scenario)
    assert str(served) in caplog.text


def test_another_folder_must_lie_below_the_root(served: Path, versions: Path, tmp_path: Path) -> None:
    outside = tmp_path / "root"
    outside.mkdir()
    (outside / "link").symlink_to(versions / "two")
    shutil.copytree(versions / "two", outside / "two")

    async def scenario(client: httpx.AsyncClient) -> None:
        for folder in (
            "../served",
            str(served),
            "link",
            "none",
            "/etc",
            "",
            "..",
            "a" * 5_000,
            "a\0b",
            "two/config.json",
        ):
            answer = await reload(client, folder=folder)
            assert answer.status_code == (422 if folder == "" else 400), folder
            assert folder == "" or [field["path"] for field in answer.json()["errors"]] == ["folder"]
            assert str(tmp_path) not in answer.text
        assert makers(await tag(client, text=TEXT)) == {"one"}
        for folder in ("two", str(outside / "two")):
            assert (await reload(client, folder=folder)).status_code == 200
            assert makers(await tag(client, text=TEXT)) == {"two"}
        assert (await reload(client)).status_code == 200  # from where the model came from, which is there now
        assert makers(await tag(client, text=TEXT)) == {"two"}

    with_service(Settings(models=(str(served),), models_root=outside), scenario)


def test_what_is_wrong_with_a_request(served: Path) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await reload(client, folder=".")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "folder")
        assert "takes no folder" in answer.json()["detail"]
        answer = await reload(client, where=".")
        assert answer.json()["errors"] == [{"path": "where", "message": "unknown field; there are: folder"}]
        assert (await client.post("/v1/models/tiny/reload", content=b"{")).status_code == 400
        assert (await client.post("/v1/models/none/reload")).status_code == 404

    with_service(Settings(models=(str(served),)), scenario)


def test_one_reload_of_a_model_at_a_time(served: Path) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(reload(client) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert {answer.json().get("type") for answer in answers} == {None, "urn:tagline:problem:reloading"}
        assert (await reload(client)).status_code == 200

    with_service(Settings(models=(str(served),)), scenario)


def test_chaos_no_request_fails_and_no_answer_is_mixed(served: Path, versions: Path) -> None:
    body = {"documents": [{"text": TEXT}, {"text": "cats were sleeping " * 20}, {"tokens": [["Ada", "wrote"]]}]}

    async def scenario(client: httpx.AsyncClient) -> None:
        found: list[set[str]] = []
        reloading = True

        async def ask() -> None:
            while reloading:
                found.append(makers(await tag(client, **body)))

        asking = [asyncio.create_task(ask()) for _ in range(8)]
        for number in range(12):
            put(versions / ("two", "one")[number % 2], served)
            assert (await reload(client)).status_code == 200
            before = len(found)
            while len(found) <= before + len(asking):  # so that one at least was asked after the reload
                await asyncio.sleep(0.01)
                assert not any(task.done() for task in asking)
        reloading = False
        await asyncio.gather(*asking)
        assert all(len(makers) == 1 for makers in found)
        assert set.union(*found) == {"one", "two"}

    with_service(Settings(models=(str(served),), max_batch_tokens=64), scenario)


def test_the_old_model_is_gone_when_its_last_request_is(served: Path) -> None:
    async def run() -> None:
        registry = Registry(Settings(models=(str(served),)))
        await registry.load()
        held = registry.find("tiny")
        network = weakref.ref(held.tagger._labeler.network)
        await registry.reload("tiny")
        gc.collect()
        assert network() is not None
        assert registry.find("tiny") is not held
        from service.stopwatch import Stopwatch
        from taggers.document import Document

        (document,) = await held.tag([Document(TEXT)], tasks=None, stopwatch=Stopwatch())
        assert document.sentences[0].tags["upos"][0].endswith("-one")
        del held
        async with asyncio.timeout(60):
            while network() is not None:
                await asyncio.sleep(0.01)
                gc.collect()
        await registry.close()

    asyncio.run(run())


def test_a_model_that_is_lost_is_told_of_and_waited_for_until_it_is_loaded_again(
    served: Path, versions: Path, tmp_path: Path
) -> None:
    others = set(multiprocessing.active_children())

    async def scenario(client: httpx.AsyncClient) -> None:
        assert makers(await tag(client, text=TEXT)) == {"one"}
        put(versions / "two", served)
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        sent = await client.post("/v1/jobs?name=a.txt", content=b"Ada sings.\nBob sings.\n")
        job = f"/v1/jobs/{sent.json()['id']}"
        while (health := await client.get("/health/ready")).status_code == 200:  # until the job has found it out
            await asyncio.sleep(0.02)
        for answer in (health, await tag(client, text=TEXT)):
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:tagline:problem:model-lost")
            assert answer.json()["detail"].endswith("load it again; its folder has changed since it was loaded")
        assert (await client.get("/v1/models/tiny")).status_code == 200
        while (await client.get(job)).json()["state"] != "queued":  # put back, for who has the model
            await asyncio.sleep(0.02)
        assert (await reload(client)).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        assert makers(await tag(client, text=TEXT)) == {"two"}
        while (done := (await client.get(job)).json())["state"] not in OVER:
            await asyncio.sleep(0.02)
        assert (done["state"], done["documents"], done["failures"]) == ("done", 2, 0)

    with_service(Settings(models=(str(served),), network_processes=2, jobs_folder=tmp_path / "jobs"), scenario)


def test_shutting_down_meanwhile(served: Path) -> None:
    async def run() -> None:
        from service.errors import NotReady

        registry = Registry(Settings(models=(str(served),)))
        await registry.load()
        held = registry.find("tiny")
        await registry.reload("tiny")
        reloading = asyncio.create_task(registry.reload("tiny"))
        await asyncio.sleep(0)
        await registry.close()
        with pytest.raises(NotReady, match="shutting down"):
            await reloading
        with pytest.raises(NotReady, match="shutting down"):  # one that was replaced is closed, too
            await held._labelling.submit([])

    asyncio.run(run())
