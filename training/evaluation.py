"""Evaluation: (gold, predicted) -> scores on gold tokens, and the one call that scores a tagger on gold documents.

Conventions, where the field has more than one:

- ``ufeats`` is the accuracy of the whole FEATS column, its pairs sorted; ``ufeats_universal`` compares only what the
  CoNLL 2018 scorer compares, the universal features, and is the figure to hold against published UFeats.
  ``_`` (no feature) is a value like any other in both.
- ``lemma`` compares the strings as they are, ``_`` too (the CoNLL 2018 scorer accepts anything for a gold ``_``).
- A column that is ``_`` on every gold word is not annotated (XPOS in some treebanks), so it isn't scored.
- Spans are scored by seqeval twice, strict and as conlleval does. The two differ on tags that break the scheme
  (``I-PER`` after ``O``) and only there. We write tags from spans, so ours never do: both figures agree for every
  tagger that answers with spans, and ``tag_scores`` shows the difference for those that answer with tags.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from seqeval.metrics import classification_report
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.metrics.v1 import unique_labels
from seqeval.scheme import IOB2
from udtools.udeval import UNIVERSAL_FEATURES

from taggers.document import NO_VALUE, Document, Sentence
from taggers.spans import Scheme, encode_spans
from training.conll18 import raw_scores, raw_span_scores
from training.scores import PRF, RawScores, Scores, SpanConvention, SpanScores, scores_table

__all__ = [
    "Confusion",
    "RawScores",
    "Scores",
    "SpanConvention",
    "SpanScores",
    "evaluate",
    "most_confused",
    "raw_scores",
    "raw_span_scores",
    "scores_table",
    "span_scores",
    "tag_scores",
    "token_accuracy",
]

TOKEN_SCORES = ("upos", "xpos", "ufeats", "ufeats_universal", "lemma")

Column = TypeVar("Column")


@dataclass(frozen=True, slots=True)
class Confusion:
    """``count`` words that are ``gold`` were predicted as ``predicted``."""

    gold: str
    predicted: str
    count: int


def evaluate(
    tag: Callable[[Sequence[Document]], Sequence[Document]],
    gold: Sequence[Document],
    *,
    raw: bool = False,
    types: Collection[str] | None = None,
    model: str = "",
    files: Sequence[str] = (),
) -> Scores:
    """Score a tagger on gold documents; it sees their words, or with ``raw`` their text alone.

    Args:
        tag: Fills documents: adds annotation to the sentences there are, or finds sentences where there are none.
        gold: Annotated documents.
        raw: Start from the raw text (CoNLL 2018 metric) instead of the gold tokens.
        types: Only spans with these labels count, in gold and in prediction; None counts all.
        model: The model's name, for the report.
        files: The gold files' names, for the report.

    Raises:
        ValueError: The answer doesn't fit gold: other texts, or on gold tokens other words.
    """
    sentences = _sentences(gold)
    made = Scores(sum(map(len, sentences)), len(sentences), model=model, files=tuple(files))
    if raw:
        answer = tag([Document(document.text, id=document.id) for document in gold])
        found = raw_scores(gold, answer)
        layers = _span_layers(sentences, _sentences(answer))
        offset_scores = {layer: raw_span_scores(gold, answer, layer=layer, types=types) for layer in layers}
        return replace(made, layers=found.layers, spans=offset_scores, segmentation=found.segmentation)
    answer = tag([replace(document, sentences=tuple(sentence.bare() for sentence in document)) for document in gold])
    predicted = _sentences(answer)
    spans = {}
    for layer in _span_layers(sentences, predicted):
        for key, convention in ((layer, SpanConvention.STRICT), (f"{layer}_conlleval", SpanConvention.CONLLEVAL)):
            spans[key] = span_scores(sentences, predicted, layer=layer, types=types, convention=convention)
    return replace(made, layers=token_accuracy(sentences, predicted), spans=spans)


def token_accuracy(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
    """Accuracies ``upos``, ``xpos``, ``ufeats``, ``ufeats_universal``, ``lemma`` over the gold words.

    A layer that gold or prediction lacks is absent; sentences whose gold lacks it don't count.

    Raises:
        ValueError: The words differ, or a prediction has a layer in some sentences only.
    """
    _check_same_words(gold, predicted)
    made = {}
    for key in TOKEN_SCORES:
        layer = "feats" if key.startswith("ufeats") else key
        values = _value_pairs(gold, predicted, layer)
        if any(value != NO_VALUE for value, _ in values):
            right = sum(a == b or _comparable(a, key) == _comparable(b, key) for a, b in values)
            made[key] = right / len(values)
    return made


def span_scores(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    *,
    layer: str = "ner",
    types: Collection[str] | None = None,
    convention: SpanConvention | Literal["strict", "conlleval"] = SpanConvention.STRICT,
) -> SpanScores:
    """Score one span layer by seqeval; sentences whose gold lacks the layer don't count.

    Args:
        gold: Annotated sentences.
        predicted: The same words, tagged.
        layer: The span layer.
        types: Only these labels count, in gold and in prediction; None counts all.
        convention: How seqeval reads the tags.

    Raises:
        ValueError: The words differ, spans overlap, gold or prediction lacks the layer, or a prediction has it in
            some sentences only.
    """
    _check_same_words(gold, predicted)
    rows = _annotated(layer, *(_bio_columns(sentences, layer, types) for sentences in (gold, predicted)))
    if not rows:
        raise ValueError(f"gold and prediction have no sentence with spans of layer {layer!r} in common")
    return tag_scores([a for a, _ in rows], [b for _, b in rows], convention=convention)


def tag_scores(
    gold: Sequence[list[str]],
    predicted: Sequence[list[str]],
    *,
    convention: SpanConvention | Literal["strict", "conlleval"] = SpanConvention.STRICT,
) -> SpanScores:
    """Score BIO tags by seqeval, one list for each sentence.

    Raises:
        ValueError: The lengths differ, or the convention isn't one for tags.
    """
    convention = SpanConvention(convention)
    if convention is SpanConvention.OFFSETS:
        raise ValueError("tags are read by the convention 'strict' or 'conlleval', found 'offsets'")
    # seqeval fails on no sentence and on no span at all (the mean of an empty slice): both are 0 of 0
    gold, predicted = list(gold), list(predicted)
    strict = convention is SpanConvention.STRICT
    if not gold and not predicted:
        labels = []
    elif strict:
        labels = unique_labels(gold, predicted, scheme=IOB2)
    else:
        labels = sorted({label for label, *_ in get_entities(gold) + get_entities(predicted)})
    if not labels:
        return SpanScores(PRF.from_counts(correct=0, predicted=0, gold=0), {}, convention)
    reading: dict[str, Any] = {"mode": "strict", "scheme": IOB2} if strict else {}
    report = classification_report(gold, predicted, output_dict=True, zero_division=0, **reading)
    return SpanScores(_prf(report["micro avg"]), {label: _prf(report[label]) for label in labels}, convention)


def most_confused(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str, *, top: int = 10
) -> list[Confusion]:
    """The most frequent mistakes in a layer, by words: of a span layer the word's label counts, ``O`` outside.

    Raises:
        ValueError: The words differ, or a prediction has the layer in some sentences only.
    """
    _check_same_words(gold, predicted)
    values = _value_pairs(gold, predicted, layer)
    for a, b in _annotated(layer, *(_bio_columns(sentences, layer, None) for sentences in (gold, predicted))):
        values += [(x.partition("-")[2] or x, y.partition("-")[2] or y) for x, y in zip(a, b, strict=True)]
    counts = Counter((a, b) for a, b in values if a != b)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(a, b, count) for (a, b), count in ranked[:top]]


def _sentences(documents: Sequence[Document]) -> list[Sentence]:
    return [sentence for document in documents for sentence in document]


def _check_same_words(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"expected {len(gold)} predicted sentences, found {len(predicted)}")
    for index, (expected, found) in enumerate(zip(gold, predicted, strict=True)):
        if expected.words != found.words:
            raise ValueError(
                f"sentence {index}: expected the {len(expected)} gold words, found {len(found)} that differ from them"
            )


def _span_layers(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> list[str]:
    """The span layers that both have somewhere."""
    annotated, found = (
        {layer for sentence in sentences for layer in sentence.spans} for sentences in (gold, predicted)
    )
    return sorted(annotated & found)


def _annotated(
    layer: str, gold: Sequence[Column | None], predicted: Sequence[Column | None]
) -> list[tuple[Column, Column]]:
    """The columns of the sentences whose gold has the layer; none at all if the prediction has it nowhere."""
    wanted = [(a, b) for a, b in zip(gold, predicted, strict=True) if a is not None]
    rows = [(a, b) for a, b in wanted if b is not None]
    if rows and len(rows) < len(wanted):
        raise ValueError(f"the prediction has layer {layer!r} in {len(rows)} of the {len(wanted)} sentences to score")
    return rows


def _value_pairs(gold: Sequence[Sentence], predicted: Sequence[Sentence], layer: str) -> list[tuple[str, str]]:
    columns = ([sentence.tags.get(layer) for sentence in sentences] for sentences in (gold, predicted))
    return [pair for a, b in _annotated(layer, *columns) for pair in zip(a, b, strict=True)]


def _bio_columns(sentences: Sequence[Sentence], layer: str, types: Collection[str] | None) -> list[list[str] | None]:
    """BIO tags of each sentence's spans with these labels, None where the layer is absent."""
    columns: list[list[str] | None] = []
    for sentence in sentences:
        spans = sentence.spans.get(layer)
        if spans is None:
            columns.append(None)
            continue
        kept = [span for span in spans if types is None or span.label in types]
        columns.append(encode_spans(kept, len(sentence), Scheme.BIO))
    return columns


def _comparable(value: str, key: str) -> str:
    """A token's value in the form in which the score ``key`` compares it."""
    if not key.startswith("ufeats"):
        return value
    pairs = sorted(value.split("|"))
    if key == "ufeats_universal":
        pairs = [pair for pair in pairs if pair.partition("=")[0] in UNIVERSAL_FEATURES]
    return "|".join(pairs)


def _prf(row: dict[str, Any]) -> PRF:
    """Plain numbers from seqeval's numpy scalars, which JSON does not know."""
    return PRF(float(row["precision"]), float(row["recall"]), float(row["f1-score"]), int(row["support"]))
