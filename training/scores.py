"""Scores: what an evaluation found, as the JSON object of ``tagline evaluate --json`` and as a table for people.

Every score is a fraction in [0, 1] and says which convention it follows. 0 of 0 counts as 0, as in conlleval.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from rich.table import Table


class SpanConvention(StrEnum):
    """When a predicted span counts as right; it must have the gold span's label and both its edges in each."""

    STRICT = "strict"
    """seqeval with ``mode="strict", scheme=IOB2``: an ``I-`` that continues nothing is no span."""
    CONLLEVAL = "conlleval"
    """seqeval's default mode, the habit of the script conlleval: an ``I-`` that continues nothing opens a span."""
    OFFSETS = "offsets"
    """The edges are character offsets into the text, for predictions with words of their own."""


GOLD_TOKENS: Mapping[str, str] = {
    "upos": "accuracy",
    "xpos": "accuracy",
    "ufeats": "accuracy of the whole FEATS column",
    "ufeats_universal": "accuracy of the universal features (CoNLL 2018)",
    "lemma": "accuracy",
}
"""The convention of each token score on gold tokens."""

RAW_TEXT: Mapping[str, str] = {
    "upos": "F1 (CoNLL 2018)",
    "xpos": "F1 (CoNLL 2018)",
    "ufeats": "F1 of the universal features (CoNLL 2018)",
    "lemma": "F1 (CoNLL 2018)",
    "tokens": "F1 (CoNLL 2018)",
    "words": "F1 (CoNLL 2018)",
    "sentences": "F1 (CoNLL 2018)",
}
"""The convention of each token and segmentation score from raw text."""


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and their harmonic mean; ``support`` counts the gold spans."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def from_counts(cls, *, correct: int, predicted: int, gold: int) -> Self:
        """From the numbers of correct, predicted and gold spans."""
        return cls(
            precision=correct / predicted if predicted else 0.0,
            recall=correct / gold if gold else 0.0,
            f1=2 * correct / (predicted + gold) if predicted + gold else 0.0,
            support=gold,
        )

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


@dataclass(frozen=True, slots=True)
class SpanScores:
    """The scores of one span layer: over all spans (micro average), and of each type seen in gold or prediction."""

    total: PRF
    types: Mapping[str, PRF]
    convention: SpanConvention

    @property
    def precision(self) -> float:
        """Of the predicted spans, the fraction that is right."""
        return self.total.precision

    @property
    def recall(self) -> float:
        """Of the gold spans, the fraction that was found."""
        return self.total.recall

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return self.total.f1

    def to_json(self) -> dict[str, Any]:
        """A JSON object with the types in it."""
        types = {label: scores.to_json() for label, scores in self.types.items()}
        return {**self.total.to_json(), "types": types, "convention": self.convention.value}


@dataclass(frozen=True, slots=True)
class RawScores:
    """F1 of the CoNLL 2018 scorer from raw text; the keys of ``segmentation`` and ``layers`` are those of the JSON."""

    segmentation: Mapping[str, float]
    layers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """All the scores of one model on some gold files.

    Attributes:
        tokens: The gold (syntactic) words.
        sentences: The gold sentences.
        layers: Accuracies on gold tokens, F1 from raw text: ``upos``, ``xpos``, ``ufeats``, ``lemma``. A layer that
            model or gold lacks is absent.
        spans: Under the key they have in the JSON object: ``ner``, and ``ner_conlleval`` for the other reading.
        segmentation: F1 of ``tokens``, ``words`` and ``sentences`` from raw text; None on gold tokens.
        model: The model's name or folder.
        files: The gold files.
    """

    tokens: int
    sentences: int
    layers: Mapping[str, float] = field(default_factory=dict)
    spans: Mapping[str, SpanScores] = field(default_factory=dict)
    segmentation: Mapping[str, float] | None = None
    model: str = ""
    files: tuple[str, ...] = ()

    @property
    def conventions(self) -> dict[str, str]:
        """What each token and segmentation score measures; a span score carries its own."""
        known = GOLD_TOKENS if self.segmentation is None else RAW_TEXT
        return {key: known[key] for key in (*(self.segmentation or ()), *self.layers)}

    def rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Rows for people: layer, precision, recall, score (in percent; empty where there is none), convention."""
        for key, value in (*(self.segmentation or {}).items(), *self.layers.items()):
            yield key, "", "", f"{value:.2%}", self.conventions[key]
        for key, scores in self.spans.items():
            for label, prf in ((key, scores.total), *((f"{key} {label}", prf) for label, prf in scores.types.items())):
                convention = f"F1 ({scores.convention})"
                yield label, f"{prf.precision:.2%}", f"{prf.recall:.2%}", f"{prf.f1:.2%}", convention

    def to_json(self) -> dict[str, Any]:
        """The object that ``tagline evaluate --json`` prints."""
        made: dict[str, Any] = {"model": self.model, "files": list(self.files)}
        made |= {"tokens": self.tokens, "sentences": self.sentences}
        made |= self.layers
        made |= {key: scores.to_json() for key, scores in self.spans.items()}
        if self.segmentation is not None:
            made["segmentation"] = dict(self.segmentation)
        return {**made, "conventions": self.conventions}


def scores_table(scores: Scores) -> Table:
    """The scores in percent, one row each, with the convention that each follows."""
    table = Table(title=f"{scores.model} {' '.join(scores.files)}".strip() or None)
    table.add_column("layer")
    for name in ("precision", "recall", "score"):
        table.add_column(name, justify="right")
    table.add_column("convention")
    for row in scores.rows():
        table.add_row(*row)
    table.caption = f"{scores.tokens} tokens, {scores.sentences} sentences"
    return table
