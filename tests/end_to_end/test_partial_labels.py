"""A label that a small set annotates and a large one does not: learned, unless the gap is read as ``O``."""

import json
from itertools import product
from pathlib import Path

import pytest
import torch

from taggers.formats.files import read_file
from taggers.pipeline import Tagger
from training.build import build_model
from training.config import read_recipe
from training.evaluation import span_scores

PEOPLE, THINGS = ("Ada", "Bob", "Eve", "Max"), ("Linux", "Rust", "Emacs", "Perl")
RECIPE = """
[model]
name = "names"
language = "en"
encoder = { type = "cnn", width = 24, dilations = [1, 1] }
window = 64
margin = 4
[model.features]
words = { width = 16, min_count = 1 }
[tasks.ner]
type = "span"
[training]
max_batch_tokens = 60
epochs = 12
patience = 12
learning_rate = 2e-2
[[data]]
train = ["all.iob2"]
dev = ["all.iob2"]
tasks = ["ner"]
[[data]]
train = ["people.iob2"]
tasks = ["ner"]
"""


def write_names(folder: Path) -> None:
    """``all.iob2`` annotates both labels in four sentences, ``people.iob2`` only PER in the 48 of all other pairs."""
    everything, people = [], []
    for index, (person, thing) in enumerate(product(PEOPLE, THINGS)):
        for verb in ("uses", "likes", "writes"):
            rows = [(person, "B-PER"), (verb, "O"), (thing, "B-MISC"), ("daily", "O")]
            people.append([(form, "O" if tag == "B-MISC" else tag) for form, tag in rows])
        if index % 5 == 0:
            everything.append(rows)
    for name, sentences in (("all", everything), ("people", people)):
        text = "\n".join("".join(f"{form}\t{tag}\n" for form, tag in rows) for rows in sentences)
        (folder / f"{name}.iob2").write_text(text, encoding="utf-8")


def scores_after(folder: Path, decoder: str, unannotated: str) -> dict[str, float]:
    """F1 of each label after training on both sets."""
    (folder / "names.toml").write_text(f"{RECIPE}unannotated = {unannotated}\n", encoding="utf-8")
    overrides = [f"corpora={json.dumps(str(folder))}", f"tasks.ner.decoder={decoder}"]
    recipe = read_recipe(folder / "names.toml", overrides)
    model = build_model(recipe, folder / f"{decoder}{len(unannotated)}", resume=False, device=torch.device("cpu"))
    gold = [sentence for document in read_file(folder / "all.iob2") for sentence in document]
    answers = Tagger(model).tag(read_file(folder / "all.iob2"))
    scores = span_scores(gold, [sentence for document in answers for sentence in document])
    return {label: prf.f1 for label, prf in scores.types.items()}


@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_a_gap_in_the_annotation_teaches_nothing(tmp_path: Path, decoder: str) -> None:
    write_names(tmp_path)
    masked, unmasked = (scores_after(tmp_path, decoder, labels) for labels in ("['MISC']", "[]"))
    assert min(masked["PER"], masked["MISC"], unmasked["PER"]) > 0.9
    assert unmasked["MISC"] < 0.1, "the control: O taught as O"
