"""Model folders for tests: changed in one place, and the line in which they are refused."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from taggers.checkpoint import Model, load_model
from taggers.errors import ModelFolderError
from taggers.labeler import Labeler
from taggers.pipeline import Tagger
from tests.tiny import tiny_corpus

CPU = torch.device("cpu")
SENTENCES = [sentence.words for document in tiny_corpus() for sentence in document]


def load(folder: Path) -> Model:
    return load_model(folder, device=CPU)


def refusal(folder: Path) -> str:
    """The problem for which the folder is refused: one line that names the folder."""
    with pytest.raises(ModelFolderError) as caught:
        load(folder)
    text = str(caught.value)
    assert text == f"{folder}: {caught.value.problem}"
    assert "\n" not in text
    assert text.isprintable()
    return caught.value.problem


def change(folder: Path, edit: Callable[[Any], object], name: str = "config.json") -> Path:
    content = json.loads((folder / name).read_text("utf-8"))
    edit(content)
    (folder / name).write_text(json.dumps(content), "utf-8")
    return folder


def change_weights(folder: Path, edit: Callable[[dict[str, Tensor]], object]) -> Path:
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors")
    return folder


@torch.inference_mode()
def scores(labeler: Labeler, sentences: Sequence[Sequence[str]] = SENTENCES) -> dict[str, Tensor]:
    return labeler.network(labeler.featurizer.batch(sentences))


def use(folder: Path) -> None:
    """Loads and works, or is refused in one line."""
    try:
        model = load(folder)
    except ModelFolderError:
        refusal(folder)
        return
    tagger = Tagger(model)
    if model.segmenter is not None:
        next(tagger.pipe(["Ada doesn't like Paris!\n\ncats"])).check()
    else:
        tagger.tag(tiny_corpus())
