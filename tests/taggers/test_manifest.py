"""What a ``config.json`` may say: nothing that contradicts itself, nothing too large for any machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.folders import change, refusal


def task_of(name: str, **values: object) -> Callable[[Any], object]:
    return lambda config: config["tagger"]["tasks"][name].update(values)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (task_of("upos", labels=["A", "A"]), "tagger.tasks.upos: label 'A' occurs twice"),
        (task_of("upos", labels=[]), "tagger.tasks.upos: a label set needs at least one label"),
        (task_of("upos", labels=["A"]), "model.safetensors does not fit"),
        (task_of("upos", labels=[str(n) for n in range(20_001)]), "at most 20000 items"),
        (task_of("upos", kind="poetry"), "tagger.tasks.upos.kind: Input should be"),
        (task_of("upos", kind="lemma"), "tagger.tasks.upos: expected a lemma rule"),
        (task_of("lemma", labels=["l;|-1", "l;-"]), "tagger.tasks.lemma: expected the edit of a lemma rule, found '-'"),
        (task_of("ner", scheme="IOB7"), "tagger.tasks.ner.scheme: Input should be"),
        (
            task_of("ner", labels=["B-PER", "O", "I-PER"]),
            "expected the labels of spans to begin with 'O', found 'B-PER'",
        ),
        (task_of("ner", labels=["O", "PER"]), "tagger.tasks.ner: "),
        (
            task_of("ner", labels=["O", *(f"B-{n}" for n in range(2000))]),
            "at most 2000 labels in a sequence, found 2001",
        ),
        (task_of("ner", kind="token"), "tagger: expected task 'ner' to be of type 'span', found 'token'"),
        (lambda config: config["tagger"]["tasks"].pop("xpos"), "tagger: expected the tasks "),
        (lambda config: config["tagger"]["network"]["tasks"].pop("xpos"), "tagger: expected the tasks "),
        (lambda config: config["tagger"].update(vector_width=-1), "tagger.vector_width: Input should be"),
        (lambda config: config["tagger"].update(vector_width=6), "model.safetensors does not fit"),
        (
            lambda config: config["tagger"].update(pieces={"prefix": [], "suffix": [], "padding": 0}),
            "expected pieces with",
        ),
        (
            lambda config: config.update(segmenter=config["tagger"]),
            "expected the segmenter's one task to be 'boundaries'",
        ),
        (lambda config: config.update(tagger=config["segmenter"]), "task 'boundaries' finds boundaries"),
        (
            lambda config: config["segmenter"]["tasks"]["boundaries"].update(labels=["O", "Z"]),
            "segmenter.tasks.boundaries: unknown boundary labels ['Z']",
        ),
    ],
)
def test_a_config_that_contradicts_itself(folder: Path, edit: Callable[[Any], object], problem: str) -> None:
    assert problem in refusal(change(folder, edit))


@pytest.mark.parametrize(
    "sizes",
    [
        {"encoder": {"type": "cnn", "width": 10**12}},
        {"encoder": {"type": "cnn", "width": 10**30}},
        {"encoder": {"type": "cnn", "width": 16, "dilations": [10**9]}},
        {"encoder": {"type": "cnn", "width": 16, "kernel": 10**9 + 1}},
        {"encoder": {"type": "bilstm", "width": 10**6}},
        {"encoder": {"type": "bilstm", "width": 16, "layers": 10**9}},
        {"encoder": {"type": "transformer", "width": 16, "heads": 2, "layers": 10**9}},
        {"features": {"words": {"width": 10**12}}},
        {"features": {"characters": {"width": 10**9, "filters": 10**9}}},
    ],
)
def test_sizes_beyond_any_machine_are_refused_before_memory_is_taken(folder: Path, sizes: dict[str, Any]) -> None:
    problem = refusal(change(folder, lambda config: config["tagger"]["network"].update(sizes)))
    assert "does not fit" in problem or "less than or equal to" in problem or "integer" in problem or "shape" in problem
