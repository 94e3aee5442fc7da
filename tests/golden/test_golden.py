"""Every bundled model answers as it did when it was committed: labels and offsets exactly, scores to 5e-3."""

import json
from typing import Any

import pytest

from taggers.catalog import bundled_models
from tests.golden.texts import TEXTS
from tests.golden.write import FOLDER, answers


def without_scores(answer: dict[str, Any]) -> tuple[dict[str, Any], list[float]]:
    spans = {layer: [dict(span) for span in found] for layer, found in answer["spans"].items()}
    scores = [span.pop("score") for found in spans.values() for span in found]
    return {**answer, "spans": spans}, scores


@pytest.mark.parametrize("name", list(bundled_models()))
def test_bundled_model_answers_as_before(name: str) -> None:
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    found = json.loads(json.dumps(answers(name)))
    assert len(expected) == len(found) == len(TEXTS)
    for before, now in zip(expected, found, strict=True):
        (labels_before, scores_before), (labels_now, scores_now) = without_scores(before), without_scores(now)
        assert labels_now == labels_before
        assert scores_now == pytest.approx(scores_before, abs=5e-3)


def test_there_is_a_bundled_model_that_finds_what_the_readme_promises() -> None:
    (answer, *_) = answers("en")
    tokens = answer["sentences"][0]["tokens"]
    assert [token["upos"] for token in tokens][:4] == ["PROPN", "PROPN", "VERB", "ADP"]
    assert all(answer["text"][token["start"] : token["end"]] == token["text"] for token in tokens)
    spans = {(span["text"], span["label"], span["start"], span["end"]) for span in answer["spans"]["ner"]}
    assert {("Ada Lovelace", "PER", 0, 12), ("London", "LOC", 33, 39)} <= spans
    assert tokens[0]["feats"] == {"Number": "Sing"}
