"""A recipe and small files in, a model folder out: whole, judged on every task, and the same after an interruption."""

import json
import logging
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from taggers.checkpoint import Model, load_model
from taggers.errors import ConfigError, FormatError, ModelError
from taggers.formats.files import read_file
from taggers.pipeline import Tagger, load
from tests.tiny import write_tiny_bert
from training.build import build_model
from training.config import Recipe, read_recipe
from training.pretrained import load_pretrained

CPU = torch.device("cpu")
TASKS = ["upos", "xpos", "feats", "lemma", "ner"]
TEXT = "Ada lived in London. Babbage didn't answer."


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="session")
def corpus(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The letters in a folder to which tests may add files."""
    folder = tmp_path_factory.mktemp("corpus")
    for path in fixtures.glob("letters.*"):
        shutil.copy(path, folder)
    (folder / "empty.conllu").write_text("", encoding="utf-8")
    ids = [document.id for document in read_file(folder / "letters.conllu")]
    table = "".join(f"{row}\n" for row in ("doc\tuse", *(f"{name}\tno" for name in ids), "another\tyes"))
    (folder / "documents.tsv").write_text(table, encoding="utf-8")
    return folder


def recipe_of(corpus: Path, *overrides: str, segmenter: bool = True) -> Recipe:
    recipe = read_recipe(corpus / "letters.toml", [f"corpora={json.dumps(str(corpus))}", *overrides])
    return recipe if segmenter else recipe.model_copy(update={"segmenter": None})


def build(recipe: Recipe, folder: Path, *, resume: bool = False) -> Model:
    return build_model(recipe, folder, resume=resume, device=CPU)


@pytest.fixture(scope="module")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    folder = tmp_path_factory.mktemp("runs") / "letters"
    return build(recipe_of(corpus), folder), folder


def contents(folder: Path) -> dict[str, bytes]:
    """The model's files, and the logs but for the seconds."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for log in folder.glob("checkpoints/*/log.jsonl"):
        entries = map(json.loads, log.read_text(encoding="utf-8").splitlines())
        files[log.parent.name] = json.dumps([{**entry, "seconds": 0} for entry in entries]).encode()
    return files


def log_of(folder: Path, network: str) -> list[dict[str, Any]]:
    lines = (folder / "checkpoints" / network / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


# what is written


def test_the_folder_loads_and_answers_as_the_model_in_memory(built: tuple[Model, Path]) -> None:
    model, folder = built
    tagger = load(folder, device="cpu")
    assert (tagger.name, list(tagger.tasks)) == ("letters", TASKS)
    assert tagger.manifest.license == "Apache-2.0"
    document = tagger(TEXT)
    document.check()
    assert document.text == TEXT
    (first, *_) = document
    assert first.tags.keys() == {"upos", "xpos", "feats", "lemma"}
    assert first.spans.keys() == {"ner"}
    expected = Tagger(model)(TEXT)
    assert [s.tags for s in document] == [s.tags for s in expected]


def test_the_model_knows_what_it_learned_from(built: tuple[Model, Path]) -> None:
    tagger = load(built[1], device="cpu")
    assert tagger.tasks["ner"].span_labels == ("LOC", "ORG", "PER")
    assert {"PROPN", "INTJ"} <= set(tagger.tasks["upos"].labels)


def test_the_logs_have_losses_and_dev_scores_of_every_epoch(built: tuple[Model, Path]) -> None:
    tagger, segmenter = (log_of(built[1], network) for network in ("tagger", "segmenter"))
    assert [entry["epoch"] for entry in tagger] == [entry["epoch"] for entry in segmenter] == [1, 2, 3]
    for entry in tagger:
        assert entry["loss"].keys() == set(TASKS)
        assert entry["dev"].keys() == {"score", "upos", "xpos", "ufeats", "lemma", "ner"}
        assert entry["dev"]["score"] == pytest.approx(sum(list(entry["dev"].values())[1:]) / 5, abs=1e-4)
    for entry in segmenter:
        assert entry["loss"].keys() == {"boundaries"}
        assert entry["dev"].keys() == {"score", "tokens", "words", "sentences"}
    assert tagger[-1]["dev"]["score"] > tagger[0]["dev"]["score"]
    assert all(0 <= value <= 1 for entry in tagger + segmenter for value in entry["dev"].values())


def test_a_sentence_of_two_sets_is_learned_from_once(corpus: Path, tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    build(recipe_of(corpus, "training.epochs=1", segmenter=False), tmp_path / "run")
    assert "training sentences: 12, joined from 24" in caplog.text


# going on


def test_resuming_after_the_end_gives_the_same_folder(
    built: tuple[Model, Path], corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = shutil.copytree(built[1], tmp_path / "again")
    build(recipe_of(corpus), folder, resume=True)
    assert contents(folder) == contents(built[1])
    assert "epoch 1/3" not in caplog.text  # nothing was trained


def test_resuming_after_the_end_may_store_the_weights_otherwise(
    built: tuple[Model, Path], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taggers.checkpoint._LARGE", 100)  # no matrix is large here
    folder = shutil.copytree(built[1], tmp_path / "again")
    build(recipe_of(corpus, "model.storage=int8"), folder, resume=True)
    sizes = [(path / "model.safetensors").stat().st_size for path in (built[1], folder)]
    assert sizes[1] < 0.75 * sizes[0]
    answers = [load(path, device="cpu")(TEXT) for path in (built[1], folder)]
    assert [sentence.tags for sentence in answers[0]] == [sentence.tags for sentence in answers[1]]


class InterruptAt(logging.Handler):
    """Presses Ctrl-C when the log tells of an epoch: deterministic, and still a real signal."""

    def __init__(self, message: str, times: int) -> None:
        super().__init__()
        self.message, self.times = message, times

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self.message):
            self.times -= 1
            if self.times == 0:
                signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("message", "times", "begun"),
    [("epoch 2/3", 1, ["segmenter"]), ("epoch 3/3", 1, ["segmenter"]), ("epoch 1/3", 2, ["segmenter", "tagger"])],
)
def test_an_interrupted_build_ends_as_an_uninterrupted_one(
    built: tuple[Model, Path], corpus: Path, tmp_path: Path, message: str, times: int, begun: list[str]
) -> None:
    handler = InterruptAt(message, times)
    logger = logging.getLogger("training.loop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with pytest.raises(KeyboardInterrupt):
            build(recipe_of(corpus), tmp_path / "run")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert sorted(path.parent.name for path in (tmp_path / "run").glob("checkpoints/*/last.pt")) == begun
    assert not (tmp_path / "run" / "config.json").exists()
    build(recipe_of(corpus), tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(built[1])


def test_a_folder_with_a_training_is_not_trained_over(built: tuple[Model, Path], corpus: Path) -> None:
    before = contents(built[1])
    with pytest.raises(ConfigError, match="holds a training already"):
        build(recipe_of(corpus), built[1])
    with pytest.raises(ConfigError, match=r"training\.seed was 1 and is now 2"):
        build(recipe_of(corpus, "training.seed=2"), built[1], resume=True)
    assert contents(built[1]) == before


# the segmenter


def test_a_segmenter_is_taken_from_another_model(built: tuple[Model, Path], corpus: Path, tmp_path: Path) -> None:
    lender = load(built[1], device="cpu")
    recipe = recipe_of(corpus, f"segmenter={{model={json.dumps(str(built[1]))}}}", "training.epochs=1")
    build(recipe, tmp_path / "run")
    borrower = load(tmp_path / "run", device="cpu")
    assert borrower.segment([TEXT]) == lender.segment([TEXT])
    assert borrower.manifest.segmenter == lender.manifest.segmenter
    assert borrower.manifest.expansions == lender.manifest.expansions


def test_a_model_may_have_no_segmenter(corpus: Path, tmp_path: Path) -> None:
    recipe = recipe_of(corpus, "training.epochs=1", segmenter=False)
    build(recipe, tmp_path / "run")
    with pytest.raises(ModelError, match="has no segmenter"):
        load(tmp_path / "run", device="cpu").segment([TEXT])
    lent = recipe_of(corpus, f"segmenter={{model={json.dumps(str(tmp_path / 'run'))}}}")
    with pytest.raises(ConfigError, match=r"segmenter\.model: the model .* has no segmenter"):
        build(lent, tmp_path / "other")


# pretrained encoders


def test_a_pretrained_encoder_is_trained_and_saved(corpus: Path, tmp_path: Path) -> None:
    """With a sentence longer than the encoder's 64 positions, which is cut as it will be in use."""
    write_tiny_bert(tmp_path / "bert")
    rows = "".join(f"{i}\tword\tword\tNOUN\tNN\t_\t0\troot\t_\t_\n" for i in range(1, 101))
    (corpus / "long.conllu").write_text(f"{rows}\n", encoding="utf-8")
    encoder = f"{{type='transformer', pretrained={json.dumps(str(tmp_path / 'bert'))}, max_pieces=64}}"
    data = "[{train=['letters.conllu', 'long.conllu'], dev=['long.conllu'], tasks=['upos', 'xpos', 'feats', 'lemma']}, \
        {train=['letters.iob2'], tasks=['ner']}]"
    recipe = recipe_of(corpus, f"model.encoder={encoder}", f"data={data}", "training.epochs=1", segmenter=False)
    model = build(recipe, tmp_path / "run")
    shutil.rmtree(tmp_path / "bert")  # the folder is whole without it
    documents = read_file(corpus / "letters.conllu") + read_file(corpus / "long.conllu")
    answers = [made.tag(documents) for made in (Tagger(model), load(tmp_path / "run", device="cpu"))]
    assert [s.tags["upos"] for d in answers[0] for s in d] == [s.tags["upos"] for d in answers[1] for s in d]


def test_a_segmenter_of_syllables_has_a_pretrained_encoder_of_its_own(
    corpus: Path, tmp_path: Path, caplog: Any
) -> None:
    write_tiny_bert(tmp_path / "bert")
    encoder = f"{{type='transformer', pretrained={json.dumps(str(tmp_path / 'bert'))}, max_pieces=64}}"
    changes = ["units=syllables", f"encoder={encoder}", "pretrained_layers=1", "pieces={}", "lookahead=0"]
    changes += ["training.epochs=1"]
    caplog.set_level(logging.WARNING)
    build(recipe_of(corpus, *(f"segmenter.{change}" for change in changes), "training.epochs=1"), tmp_path / "run")
    assert not caplog.messages  # "did|n't", whose boundary lies inside a unit, is looked up
    model = load_model(tmp_path / "run", device=CPU)
    assert model.segmenter is not None
    assert model.segmenter.units == "syllables"
    assert model.tagger.featurizer.tokenizer is None
    assert model.segmenter.labeler.featurizer.tokenizer is not None
    assert model.segmenter.labeler.network.encoder.model.config.num_hidden_layers == 1
    assert model.segmenter.segment([TEXT])[0].text == TEXT


def test_a_pruned_encoder_is_trained_and_saved(corpus: Path, tmp_path: Path) -> None:
    write_tiny_bert(tmp_path / "bert")
    (corpus / "texts").mkdir(exist_ok=True)
    (corpus / "texts" / "one.txt").write_text("a quick fox", encoding="utf-8")
    encoder = f"{{type='transformer', pretrained={json.dumps(str(tmp_path / 'bert'))}, max_pieces=64}}"
    pieces = "model.pieces={min_count=1000, texts=['texts']}"
    changes = [f"model.encoder={encoder}", pieces, "model.pretrained_layers=1", "training.epochs=1"]
    model = build(recipe_of(corpus, *changes, segmenter=False), tmp_path / "run")
    whole = load_pretrained(str(tmp_path / "bert"))[1].tokenizer.get_vocab_size()
    again = load(tmp_path / "run", device="cpu")
    documents = read_file(corpus / "letters.conllu")
    answers = [made.tag(documents) for made in (Tagger(model), again)]
    assert [s.tags["upos"] for d in answers[0] for s in d] == [s.tags["upos"] for d in answers[1] for s in d]
    tokenizer = model.tagger.featurizer.tokenizer
    assert tokenizer is not None
    assert tokenizer.tokenizer.get_vocab_size() < whole
    assert not [name for name in model.tagger.network.state_dict() if "layer.1." in name]


# what fails fails before anything is trained


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data=[{train=['none.conllu'], dev=['letters.conllu'], tasks=['upos','xpos','feats','lemma','ner']}]"],
            "no such file",
        ),
        (
            ["data=[{train=['letters.conllu'], dev=['empty.conllu'], tasks=['upos','xpos','feats','lemma','ner']}]"],
            r"empty\.conllu:1: expected sentences, found none",
        ),
        (
            ["data=[{train=['letters.iob2', 'empty.conllu'], dev=['letters.iob2'], tasks=['ner']}]", "tasks={ner={}}"],
            r"empty\.conllu:1: expected sentences, found none",
        ),
        (
            ["data=[{train=['letters.conllu'], dev=['letters.conllu'], tasks=['upos','xpos','feats','lemma','ner']}]"],
            "tasks.ner: no training sentence",
        ),
        (
            [
                "segmenter.data=[{train=['letters.conllu']}, \
                {dev=['letters.conllu'], documents={table='documents.tsv', column='use', value='yes'}}]"
            ],
            "the dev files hold no sentence",
        ),
        (["segmenter.data=[{train=['empty.conllu'], dev=['letters.conllu']}]"], r"empty\.conllu:1: expected sentences"),
        (["segmenter={model='no-such-model'}"], "unknown model 'no-such-model'"),
        (["model.features.vectors={source='none.txt'}"], "no such file of word vectors"),
        (["model.encoder={type='transformer', pretrained='package:no_such/x'}"], "is not installed"),
    ],
)
def test_what_is_wrong_shows_before_anything_is_trained(
    corpus: Path, tmp_path: Path, overrides: Sequence[str], message: str
) -> None:
    with pytest.raises((ConfigError, FormatError, ModelError), match=message):
        build(recipe_of(corpus, *overrides), tmp_path / "run")
    assert not list((tmp_path / "run").glob("checkpoints/*/*.pt"))


# what is told before anything is trained


def test_a_column_of_blanks_is_not_learned(corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [line.split("\t") for line in (corpus / "letters.conllu").read_text(encoding="utf-8").splitlines()]
    blank = "".join("\t".join([*row[:4], *("_" for _ in row[4:5]), *row[5:]]) + "\n" for row in rows)
    (corpus / "blank.conllu").write_text(blank, encoding="utf-8")
    data = "[{train=['letters.conllu'], dev=['letters.conllu'], tasks=['upos', 'xpos']}, \
        {train=['blank.conllu'], tasks=['upos', 'xpos']}]"
    recipe = recipe_of(corpus, "tasks={upos={}, xpos={}}", f"data={data}", "training.epochs=1", segmenter=False)
    model = build(recipe, tmp_path / "run")
    assert "_" not in model.tagger.tasks["xpos"].labels
    assert caplog.messages == ["blank.conllu: tasks names what no word is annotated with: 'xpos'"]


def test_labels_that_do_not_occur_and_tasks_that_are_not_judged_are_told(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = "[{train=['letters.conllu'], dev=['letters.conllu'], tasks=['upos']}, \
        {train=['letters.iob2'], tasks=['ner'], labels={DRUGS='MED', ORG='O'}}]"
    tasks = "tasks={upos={}, ner={type='span'}}"
    build(recipe_of(corpus, tasks, f"data={data}", "training.epochs=1", segmenter=False), tmp_path / "run")
    assert caplog.messages == [
        "letters.iob2: labels renames what no span is: 'DRUGS'; there are: 'LOC', 'ORG', 'PER'",
        "no dev file carries 'ner', so it is not judged",
    ]


# dev scores


def test_every_task_counts_whatever_its_name_and_its_layer(corpus: Path, tmp_path: Path) -> None:
    tasks = "{fine={from='conllu:xpos'}, people={type='span', from='ner'}, places={type='span', from='ner'}}"
    data = "[{train=['letters.conllu'], dev=['letters.conllu'], tasks=['fine']}, \
        {train=['letters.iob2'], dev=['letters.iob2'], tasks=['people'], labels={LOC='O', ORG='O'}}, \
        {train=['letters.iob2'], dev=['letters.iob2'], tasks=['places'], labels={PER='O', ORG='O'}}]"
    recipe = recipe_of(corpus, f"tasks={tasks}", f"data={data}", "training.epochs=40", segmenter=False)
    build(recipe, tmp_path / "run")
    best = [entry["dev"] for entry in log_of(tmp_path / "run", "tagger") if entry["best"]][-1]
    assert best.keys() == {"score", "fine", "people", "places"}
    assert min(best.values()) > 0.5
    tagger = load(tmp_path / "run", device="cpu")
    assert {name: tagger.tasks[name].span_labels for name in ("people", "places")} == {
        "people": ("PER",),
        "places": ("LOC",),
    }
