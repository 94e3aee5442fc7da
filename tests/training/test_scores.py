import io
import json

import pytest
from rich.console import Console

from training.scores import PRF, Scores, SpanConvention, SpanScores, scores_table

NER = SpanScores(
    PRF.from_counts(correct=1, predicted=2, gold=4),
    {"PER": PRF.from_counts(correct=1, predicted=1, gold=4), "LOC": PRF.from_counts(correct=0, predicted=1, gold=0)},
    SpanConvention.STRICT,
)


def test_precision_recall_and_f1_by_hand():
    scores = PRF.from_counts(correct=3, predicted=4, gold=6)
    assert (scores.precision, scores.recall, scores.f1, scores.support) == (0.75, 0.5, pytest.approx(0.6), 6)


def test_nothing_of_nothing_counts_as_zero():
    assert PRF.from_counts(correct=0, predicted=0, gold=0) == PRF(0.0, 0.0, 0.0, 0)


def test_json_on_gold_tokens():
    scores = Scores(9, 2, {"upos": 0.5, "ufeats": 1.0}, {"ner": NER}, None, "en", ("test.conllu",))
    per = {"precision": 1.0, "recall": 0.25, "f1": 0.4, "support": 4}
    loc = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    made = json.loads(json.dumps(scores.to_json()))
    assert made.pop("conventions") == {"upos": "accuracy", "ufeats": "accuracy of the whole FEATS column"}
    assert made.pop("ner") == {
        "precision": 0.5,
        "recall": 0.25,
        "f1": pytest.approx(1 / 3),
        "support": 4,
        "types": {"PER": per, "LOC": loc},
        "convention": "strict",
    }
    assert made == {"model": "en", "files": ["test.conllu"], "tokens": 9, "sentences": 2, "upos": 0.5, "ufeats": 1.0}


def test_json_from_raw_text_has_the_segmentation_and_says_that_all_of_it_is_f1():
    segmentation = {"tokens": 0.9, "words": 0.8, "sentences": 0.7}
    made = Scores(9, 2, {"upos": 0.5}, segmentation=segmentation).to_json()
    assert made["segmentation"] == segmentation
    assert set(made["conventions"]) == {"tokens", "words", "sentences", "upos"}
    assert all(convention.startswith("F1") for convention in made["conventions"].values())


def test_the_table_shows_percent_and_convention():
    console = Console(file=io.StringIO(), width=120)
    console.print(scores_table(Scores(9, 2, {"upos": 0.51234}, {"ner": NER}, None, "en", ("test.conllu",))))
    shown = console.file.getvalue()
    for expected in ("en test.conllu", "upos", "51.23%", "ner PER", "40.00%", "F1 (strict)", "9 tokens, 2 sentences"):
        assert expected in shown
