import asyncio
import signal
from pathlib import Path

import pytest

from service.errors import NotReady
from service.registry import Phase, Registry
from service.settings import Settings
from service.stopwatch import Stopwatch
from taggers.checkpoint import Model, save_model
from taggers.document import Document
from taggers.errors import ModelError, ModelFolderError, ModelNotFound
from tests.service.stopped import stop
from tests.tiny import tiny_folder, tiny_model


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two models, one of which answers to ``en``."""
    made = {}
    base = tmp_path_factory.mktemp("several")
    for seed, name in enumerate(["tiny", "en"]):
        model = tiny_model(seed=seed)
        made[name] = base / name
        manifest = model.manifest.model_copy(update={"name": name, "scores": {"EWT": {"upos": 0.5}}})
        save_model(made[name], Model(manifest, model.tagger, model.segmenter))
    return made


def loaded(settings: Settings, check: object) -> None:
    async def run() -> None:
        registry = Registry(settings)
        await registry.load()
        check(registry)  # type: ignore[operator]
        await registry.close()

    asyncio.run(run())


def test_models_are_found_by_name_and_alias(folders: dict[str, Path]) -> None:
    def check(registry: Registry) -> None:
        assert registry.names == ("tiny", "en")
        assert registry.default == "tiny"
        assert registry.find("english") is registry.find("en")
        assert registry.find("tiny") is not registry.find("english")
        with pytest.raises(ModelNotFound, match="there are: en, english, tiny"):
            registry.find("de")

    loaded(Settings(models=tuple(map(str, folders.values()))), check)


def test_descriptions_say_what_clients_may_know(folders: dict[str, Path]) -> None:
    def check(registry: Registry) -> None:
        english, tiny = registry.describe("english"), registry.describe("tiny")
        assert (english.name, english.aliases, english.default) == ("en", ["english"], True)
        assert (tiny.aliases, tiny.default) == ([], False)
        assert english.scores == {"EWT": {"upos": 0.5}}
        assert english.tasks["ner"].labels == ["LOC", "ORG", "PER"]
        assert (english.tasks["lemma"].labels, english.tasks["lemma"].num_rules) == (None, 7)
        assert english.segments
        assert [found.name for found in registry.describe_all()] == ["en", "tiny"]
        for found in registry.describe_all():
            assert str(folders["tiny"].parent) not in found.model_dump_json()

    loaded(Settings(models=(str(folders["en"]), str(folders["tiny"]))), check)


def test_without_a_choice_every_bundled_model_is_served_and_en_is_the_default(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taggers.catalog.PRETRAINED", folders["tiny"].parent)
    registry = Registry(Settings())
    assert registry.names == ("en", "tiny")
    assert registry.default == "en"
    assert Registry(Settings(models=("tiny", "english"))).default == "tiny"
    assert Registry(Settings(models=("english",))).names == ("en",)


def test_the_same_model_twice_is_one_but_two_of_one_name_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    same = str(folders["tiny"])
    assert Registry(Settings(models=(same, same))).names == ("tiny",)
    other = tiny_folder(tmp_path / "other")
    with pytest.raises(ModelError, match="two models have the name 'tiny'"):
        Registry(Settings(models=(same, str(other))))


def test_what_is_not_there_is_told_before_anything_is_loaded(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ModelNotFound, match="unknown model '/nowhere'"):
        Registry(Settings(models=("/nowhere",)))
    with pytest.raises(ModelError, match="unknown device 'abacus'"):
        Registry(Settings(models=(str(folders["tiny"]),), device="abacus"))
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path)
    with pytest.raises(ModelNotFound, match="unknown model 'en'; there are: none"):
        Registry(Settings())


def test_phases(folders: dict[str, Path]) -> None:
    async def run() -> None:
        registry = Registry(Settings(models=(str(folders["tiny"]),)))
        with pytest.raises(NotReady, match="still loading"):
            registry.find("tiny")
        with pytest.raises(NotReady, match="still loading"):
            registry.describe_all()
        await registry.load()
        assert registry.phase is Phase.READY
        await registry.close()
        with pytest.raises(NotReady, match="shutting down"):
            registry.find("tiny")

    asyncio.run(run())


def test_closing_before_it_is_loaded(folders: dict[str, Path]) -> None:
    registry = Registry(Settings(models=(str(folders["tiny"]),)))
    asyncio.run(registry.close())
    assert registry.phase is Phase.CLOSING


def test_a_network_that_hangs_does_not_keep_it_from_closing(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("service.registry._FINISHING_S", 1)

    async def run() -> None:
        registry = Registry(Settings(models=(str(folders["tiny"]),), network_processes=2))
        await registry.load()
        networks = registry._placement._processes
        assert networks is not None
        for process in networks._processes:
            stop(process._process.pid or 0)
        tagging = asyncio.create_task(registry.find("tiny").tag([Document("Ada")], tasks=None, stopwatch=Stopwatch()))
        async with asyncio.timeout(60):
            while not any(process.running for process in networks._processes):
                await asyncio.sleep(0.01)
        tagging.cancel()
        async with asyncio.timeout(60):
            await registry.close()
        assert all(process._process.exitcode == -signal.SIGKILL for process in networks._processes)

    asyncio.run(run())
    assert "what was begun is not over after 1 s, and is given up" in caplog.text


def test_a_damaged_folder_is_not_loaded(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFolderError, match=r"model\.safetensors"):
        asyncio.run(Registry(Settings(models=(str(folder),))).load())


def test_a_model_without_a_segmenter_takes_split_words_only(tmp_path: Path) -> None:
    model = tiny_model()
    save_model(
        tmp_path / "bare", Model(model.manifest.model_copy(update={"segmenter": None}), model.tagger, segmenter=None)
    )

    def check(registry: Registry) -> None:
        assert not registry.describe("tiny").segments

    loaded(Settings(models=(str(tmp_path / "bare"),), threads=1), check)
