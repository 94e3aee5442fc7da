"""``tagline train`` and ``tagline evaluate``, as functions and as commands: files, statuses and the JSON's shape."""

import json
import logging
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import tagline
from taggers.errors import ConfigError, FormatError
from taggers.manifest import read_manifest
from taggers.pipeline import load
from training.cli import card, evaluate, train

LAYERS = {"upos", "xpos", "ufeats", "lemma"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """One thread for small networks, and the root logger as it was."""
    before = torch.get_num_threads(), logging.getLogger().level
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    logging.getLogger().setLevel(before[1])


@pytest.fixture(scope="module")
def corpus(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for path in fixtures.glob("letters.*"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as the command writes it."""
    folder = tmp_path_factory.mktemp("runs") / "letters"
    long = [f"{section}training.{key}=60" for section in ("", "segmenter.") for key in ("epochs", "patience")]
    overrides = (f"corpora={corpus}", *long)
    train(corpus / "letters.toml", output=folder, set=overrides, device="cpu")
    return folder


def scores_of(capsys: pytest.CaptureFixture[str], *arguments: Any, **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    evaluate(*arguments, json=True, device="cpu", **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def command(*tokens: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import tagline; tagline.main()", *map(str, tokens)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def status(*tokens: str | Path) -> int:
    """The exit status in this process, which spares the imports."""
    words = [str(token) for token in tokens]
    return tagline.run(tagline.build_app(words), words)


# train


def test_train_keeps_the_config_with_what_was_set_but_not_where_the_corpora_were(model: Path, corpus: Path) -> None:
    kept = tomllib.loads((model / "training.toml").read_text(encoding="utf-8"))
    given = tomllib.loads((corpus / "letters.toml").read_text(encoding="utf-8"))
    assert kept["training"]["epochs"] == 60 != given["training"]["epochs"]
    assert kept["data"] == given["data"]
    assert kept.get("corpora") == given.get("corpora")


def test_train_refuses_a_folder_with_another_training_and_leaves_it_alone(
    model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    assert status("train", corpus / "letters.toml", "-o", model, "--set", f"corpora={corpus}") == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("tagline: ")
    assert "holds a training already: --resume goes on with it" in line
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before


def test_train_resumes_from_the_config_in_the_folder(model: Path, corpus: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model, tmp_path / "copy")
    before = (folder / "training.toml").read_bytes()
    long = [f"{section}training.{key}=60" for section in ("", "segmenter.") for key in ("epochs", "patience")]
    overrides = (f"corpora={corpus}", *long)
    train(folder / "training.toml", output=folder, set=overrides, resume=True, device="cpu")
    assert (folder / "training.toml").read_bytes() == before
    assert (folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


def test_train_writes_a_card_and_leaves_one_that_was_measured(
    model: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status("models", model) == 0
    assert f"Not measured yet. This does it on the test sets of its configuration:\n\n```sh\ntagline card {model}" in (
        capsys.readouterr().out
    )
    folder = shutil.copytree(model, tmp_path / "copy")
    config = tmp_path / "tested.toml"
    text = (model / "training.toml").read_text(encoding="utf-8")
    config.write_text(text.replace("[[data]]", '[[data]]\ntest = ["letters.conllu"]', 1), encoding="utf-8")
    overrides = (f"corpora={corpus}",)
    train(config, output=folder, set=overrides, resume=True, device="cpu")  # to its end
    card(folder, set=overrides, device="cpu")
    scores, written = read_manifest(folder).scores, (folder / "README.md").read_bytes()
    assert scores
    train(config, output=folder, set=overrides, resume=True, device="cpu")
    assert (read_manifest(folder).scores, (folder / "README.md").read_bytes()) == (scores, written)
    (folder / "model.safetensors").write_bytes(b"others")
    train(config, output=folder, set=overrides, resume=True, device="cpu")
    assert read_manifest(folder).scores == {}
    assert b"Not measured yet" in (folder / "README.md").read_bytes()


def test_train_writes_runs_and_the_name_where_no_folder_is_given(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("training.epochs=1", "segmenter.training.epochs=1", f"corpora={corpus}")
    train(corpus / "letters.toml", set=small, device="cpu")
    assert load(tmp_path / "runs" / "letters", device="cpu").name == "letters"


# evaluate


def test_evaluate_prints_one_json_object_of_the_interface(
    model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = corpus / "letters.conllu"
    scores = scores_of(capsys, str(model), (gold,))
    assert (scores["model"], scores["files"]) == ("letters", [str(gold)])
    assert (scores["tokens"], scores["sentences"]) == (70, 12)
    assert scores.keys() >= LAYERS
    assert all(0.9 < scores[layer] <= 1.0 for layer in LAYERS)
    assert "ner" not in scores  # gold lacks it
    assert "segmentation" not in scores


def test_evaluate_scores_spans_by_type(model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ner = scores_of(capsys, str(model), (corpus / "letters.iob2",))["ner"]
    assert {"precision", "recall", "f1", "types"} <= ner.keys()
    assert ner["types"].keys() == {"PER", "LOC", "ORG"}
    assert all({"precision", "recall", "f1"} <= scores.keys() for scores in ner["types"].values())
    assert 0.5 < ner["f1"] <= 1.0


def test_evaluate_counts_only_the_types_asked_for(
    model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = (corpus / "letters.iob2",)
    whole = scores_of(capsys, str(model), gold)["ner"]
    assert scores_of(capsys, str(model), gold, types="PER, LOC")["ner"]["types"].keys() == {"PER", "LOC"}
    people = scores_of(capsys, str(model), gold, types="PER")["ner"]
    assert people["types"] == {"PER": whole["types"]["PER"]}
    assert people["f1"] == whole["types"]["PER"]["f1"]


def test_evaluate_raw_starts_from_the_text(model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = scores_of(capsys, str(model), (corpus / "letters.conllu",), raw=True)
    assert scores["segmentation"].keys() == {"tokens", "words", "sentences"}
    assert all(0.8 < value <= 1.0 for value in scores["segmentation"].values()), scores["segmentation"]
    assert scores.keys() >= LAYERS
    assert all(scores[layer] <= scores["segmentation"]["words"] for layer in LAYERS)
    spans = scores_of(capsys, str(model), (corpus / "letters.iob2",), raw=True, types="PER")
    assert spans["ner"]["types"].keys() <= {"PER"}


def test_evaluate_takes_several_files(model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = (corpus / "letters.conllu", corpus / "letters.iob2")
    scores = scores_of(capsys, str(model), gold)
    assert scores["tokens"] == 140
    assert {"upos", "ner"} <= scores.keys()
    assert scores["files"] == [str(path) for path in gold]


def test_a_column_of_blanks_in_one_of_several_files_is_not_scored(
    model: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "blank.conllu").write_text("1\tAda\tAda\tPROPN\t_\t_\t0\troot\t_\t_\n\n", encoding="utf-8")
    gold = corpus / "letters.conllu"
    both = scores_of(capsys, str(model), (gold, tmp_path / "blank.conllu"))
    assert both["xpos"] == scores_of(capsys, str(model), (gold,))["xpos"]


def test_evaluate_shows_a_table_to_people(model: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(str(model), (corpus / "letters.conllu",), device="cpu")
    assert "upos" in capsys.readouterr().out


def test_evaluate_knows_a_layer_by_its_tasks_name(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = (
        f"corpora={corpus}",
        "tasks={people={type='span', from='ner'}}",
        "data=[{train=['letters.iob2'], dev=['letters.iob2'], tasks=['people']}]",
        "segmenter.training.epochs=1",
        "training.epochs=1",
    )
    train(corpus / "letters.toml", output=tmp_path / "run", set=values, device="cpu")
    assert "people" in scores_of(capsys, str(tmp_path / "run"), (corpus / "letters.iob2",))


@pytest.mark.parametrize("raw", [False, True])
def test_a_file_without_sentences_is_told(model: Path, tmp_path: Path, *, raw: bool) -> None:
    (tmp_path / "empty.conllu").write_text("", encoding="utf-8")
    with pytest.raises(FormatError, match=r"empty\.conllu:1: expected sentences"):
        evaluate(str(model), (tmp_path / "empty.conllu",), raw=raw, device="cpu")


# exit statuses


def test_a_config_with_a_mistake_is_one_line_and_status_1(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = ("train", corpus / "letters.toml", "-o", tmp_path / "run", "--set", "training.epoch=3")
    assert status(*tokens) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "training.epoch: unknown key; the nearest known one is 'epochs'" in line
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError):
        status(*tokens, "--debug")


@pytest.mark.parametrize(
    ("tokens", "expected", "message"),
    [
        (["train", "none.toml"], 1, "none.toml: No such file or directory"),
        (["evaluate", "no-such-model", "x.conllu"], 1, "unknown model 'no-such-model'"),
        (["train"], 2, "tagline train --help"),
        (["evaluate", "en", "--empty-files"], 2, "tagline evaluate --help"),
        (["evaluate", "en"], 2, "tagline evaluate --help"),
        (["train", "a.toml", "--nonsense"], 2, "tagline train --help"),
        (["evaluate", "MODEL", "none.conllu"], 1, "none.conllu: No such file or directory"),
        (["evaluate", "MODEL", "letters.iob2", "--types", "PERS"], 1, "spans of 'PERS'; there are: LOC, ORG, PER"),
        (["evaluate", "MODEL", "letters.toml"], 1, "the format cannot be told from the suffix '.toml'"),
        (["evaluate", "MODEL", "letters.conllu", "--device", "cuda:99"], 1, "cuda:99"),
    ],
)
def test_failures_are_one_line_and_a_status(
    model: Path,
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tokens: list[str],
    expected: int,
    message: str,
) -> None:
    monkeypatch.chdir(corpus)
    assert status(*(model if token == "MODEL" else token for token in tokens)) == expected
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    assert message in line


def test_as_commands(corpus: Path, tmp_path: Path) -> None:
    small = ["--set", f"corpora={corpus}", "--set", "training.epochs=1", "--set", "segmenter.training.epochs=1"]
    trained = command("train", "letters.toml", "-o", tmp_path / "run", *small, "--device", "cpu", cwd=corpus)
    assert (trained.returncode, trained.stdout) == (0, "")
    assert "epoch 1/1" in trained.stderr
    scored = command("evaluate", tmp_path / "run", "letters.conllu", "--raw", "--json", cwd=corpus)
    assert scored.returncode == 0
    assert json.loads(scored.stdout)["segmentation"]
