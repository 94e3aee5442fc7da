"""A model's card: every test set measured on what it annotates, each by a command that gives the figure again."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from taggers.errors import ConfigError, FormatError
from taggers.manifest import read_manifest
from taggers.pipeline import load
from training.build import build_model
from training.cards import write_measured_card
from training.config import Recipe, read_recipe
from training.corpora import read_documents
from training.evaluation import evaluate

CPU = torch.device("cpu")
DATA = """[
    {name="Tags", train=["letters.conllu"], dev=["letters.conllu"], test=["letters.conllu"],
     tasks=["upos", "xpos", "feats", "lemma"], license="CC0", url="https://example.org/tags", attribution="By us."},
    {name="Names", train=["letters.iob2"], test=["letters.iob2"], tasks=["ner"]},
    {name="People", test=["letters.iob2"], tasks=["ner"], unannotated=["LOC", "ORG"]},
    {name="Renamed", test=["letters.iob2"], tasks=["ner"], labels={ORG="LOC"}},
    {name="Names", train=["letters.iob2"], tasks=["ner"]},
]"""


pytestmark = pytest.mark.usefixtures("one_thread")


def recipe_of(fixtures: Path, data: str) -> Recipe:
    values = [f"corpora={json.dumps(str(fixtures))}", f"data={data.replace(chr(10), ' ')}", "training.epochs=2"]
    return read_recipe(fixtures / "letters.toml", values).model_copy(update={"segmenter": None})


@pytest.fixture(scope="module")
def measured(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    recipe, folder = recipe_of(fixtures, DATA), tmp_path_factory.mktemp("runs") / "letters"
    build_model(recipe, folder, resume=False, device=CPU)
    write_measured_card(recipe, folder, device=CPU)
    return recipe, folder


def test_the_scores_are_in_the_card_and_in_the_manifest(measured: tuple[Recipe, Path]) -> None:
    _, folder = measured
    scores = read_manifest(folder).scores
    assert list(scores) == [
        "Tags test, gold tokens",
        "Names test, gold tokens",
        "People test, gold tokens; PER only",
        "Renamed test, gold tokens",
    ]
    card = (folder / "README.md").read_text(encoding="utf-8")
    for key in scores:
        data, conditions = key.split(" test, ")
        assert f"### {data}, test: {conditions}\n" in card
    assert card.count("- [Tags](https://example.org/tags), CC0. By us.\n") == 1
    assert card.count("- Names.\n") == 1


def test_a_set_is_scored_on_the_labels_that_it_annotates(measured: tuple[Recipe, Path]) -> None:
    scores = read_manifest(measured[1]).scores
    names, people, renamed = (
        next(value["ner"] for key, value in scores.items() if key.startswith(name))
        for name in ("Names", "People", "Renamed")
    )
    assert people["types"] == {"PER": names["types"]["PER"]}
    assert people["support"] == names["types"]["PER"]["support"] < names["support"] == renamed["support"]
    assert renamed["types"]["LOC"]["support"] == sum(names["types"][label]["support"] for label in ("LOC", "ORG"))


def test_the_command_of_each_figure_gives_it_again(measured: tuple[Recipe, Path], fixtures: Path) -> None:
    recipe, folder = measured
    card = (folder / "README.md").read_text(encoding="utf-8")
    commands = [line for line in card.splitlines() if line.startswith(("tagline evaluate", "tagline card"))]
    assert commands == [
        f"tagline evaluate {folder} corpora/letters.conllu",
        f"tagline evaluate {folder} corpora/letters.iob2",
        f"tagline evaluate {folder} corpora/letters.iob2 --types PER",
        f"tagline card {folder}",  # an evaluation of the files does not rename
    ]
    tagger = load(folder, device="cpu")
    gold = read_documents(recipe.data[1], ["letters.iob2"], fixtures, {"ner": "ner"})
    again = evaluate(tagger.tag, gold, types=["PER"]).spans["ner"].to_json()
    assert again == read_manifest(folder).scores["People test, gold tokens; PER only"]["ner"]


def test_a_bundled_model_is_called_by_its_name_and_no_other_by_its(
    measured: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(measured[1], tmp_path / "letters")
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path)
    card = write_measured_card(measured[0], tmp_path / "letters", device=CPU).read_text(encoding="utf-8")
    assert "tagline evaluate letters corpora/letters.conllu\n" in card
    other = shutil.copytree(measured[1], tmp_path.parent / "other")
    card = write_measured_card(measured[0], other, device=CPU).read_text(encoding="utf-8")
    assert f"tagline evaluate {other} corpora/letters.conllu\n" in card


def test_sets_without_a_name_are_called_by_their_files(
    measured: tuple[Recipe, Path], fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(measured[1], tmp_path / "copy")
    data = """[{train=["letters.conllu"], dev=["letters.conllu"], test=["letters.conllu"],
        tasks=["upos", "xpos", "feats", "lemma"]}, {train=["letters.iob2"], test=["letters.iob2"], tasks=["ner"]}]"""
    monkeypatch.chdir(fixtures)
    recipe = recipe_of(fixtures, data).model_copy(update={"corpora": "."})
    card = write_measured_card(recipe, folder, device=CPU).read_text(encoding="utf-8")
    assert list(read_manifest(folder).scores) == ["letters.conllu test, gold tokens", "letters.iob2 test, gold tokens"]
    assert f"tagline evaluate {folder} letters.iob2\n" in card


def test_without_test_files_there_is_nothing_to_measure(measured: tuple[Recipe, Path], fixtures: Path) -> None:
    data = '[{train=["letters.conllu"], dev=["letters.conllu"], tasks=["upos", "xpos", "feats", "lemma"]}, \
        {train=["letters.iob2"], tasks=["ner"]}]'
    with pytest.raises(ConfigError, match="names a test file"):
        write_measured_card(recipe_of(fixtures, data), measured[1], device=CPU)


@pytest.mark.parametrize("content", ['{"epoch": 1, "sec', '{"epoch": 1}', "[]"])
def test_a_log_that_was_cut_off_is_told_with_its_line(
    measured: tuple[Recipe, Path], tmp_path: Path, content: str
) -> None:
    folder = shutil.copytree(measured[1], tmp_path / "copy")
    (folder / "checkpoints" / "tagger" / "log.jsonl").write_text(f'{{"seconds": 1}}\n{content}', encoding="utf-8")
    with pytest.raises(FormatError, match=r"log\.jsonl:2: expected a JSON object with seconds, found "):
        write_measured_card(measured[0], folder, device=CPU)
