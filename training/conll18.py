"""Scores from raw text: the scorer of the CoNLL 2018 shared task, as the package udtools keeps it, run in process.

Zeman et al. 2018, "CoNLL 2018 Shared Task: Multilingual Parsing from Raw Text to Universal Dependencies". Tokens and
sentences are right when they cover the same characters, white space left out; words are aligned, inside multi-word
tokens by their forms; a tag is right on an aligned word. Of FEATS only the universal features count
(``UNIVERSAL_FEATURES`` of udtools: the 21 of UD 2.0), and a gold lemma ``_`` accepts every lemma.
"""

import io
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from udtools.udeval import evaluate as udtools_evaluate
from udtools.udeval import load_conllu

from taggers.document import NO_VALUE, Document, Sentence
from taggers.formats.conllu import write_conllu
from training.scores import PRF, RawScores, SpanConvention, SpanScores

SEGMENTATION: Mapping[str, str] = {"tokens": "Tokens", "words": "Words", "sentences": "Sentences"}
LAYERS: Mapping[str, tuple[str, str]] = {
    "upos": ("upos", "UPOS"),
    "xpos": ("xpos", "XPOS"),
    "ufeats": ("feats", "UFeats"),
    "lemma": ("lemma", "Lemmas"),
}
"""Key of a score -> the column of a sentence and the scorer's name for it."""


def raw_scores(gold: Sequence[Document], predicted: Sequence[Document]) -> RawScores:
    """Score predictions made from the documents' text.

    A layer is scored when gold has a value in it somewhere and every predicted sentence has the column.

    Raises:
        ValueError: The documents' texts differ, or there is no gold sentence.
    """
    check_same_text(gold, predicted)
    scored = udtools_evaluate(_scorer_input(gold, "gold"), _scorer_input(predicted, "prediction"))
    layers = {
        key: scored[name].f1
        for key, (column, name) in LAYERS.items()
        if any(set(sentence.tags.get(column, ())) - {NO_VALUE} for document in gold for sentence in document)
        and all(column in sentence.tags for document in predicted for sentence in document)
    }
    return RawScores({key: scored[name].f1 for key, name in SEGMENTATION.items()}, layers)


def raw_span_scores(
    gold: Sequence[Document], predicted: Sequence[Document], *, layer: str = "ner", types: Collection[str] | None = None
) -> SpanScores:
    """Score spans whose words are the prediction's own: right when start, end (in characters) and label are gold's.

    Args:
        gold: Documents with the span layer; sentences without it hold no gold span.
        predicted: The same texts, tagged.
        layer: The span layer.
        types: Only these labels count, in gold and in prediction; None counts all.

    Raises:
        ValueError: The documents' texts differ.
    """
    check_same_text(gold, predicted)
    # Counters, not sets: words of one multi-word token may share their offsets, and with them their spans
    found = [_offset_spans(documents, layer, types) for documents in (gold, predicted)]
    labels = sorted({label for spans in found for *_, label in spans})
    by_type = {}
    for label in labels:
        of_label = [Counter({span: n for span, n in spans.items() if span[-1] == label}) for spans in found]
        by_type[label] = _count(*of_label)
    return SpanScores(_count(*found), by_type, SpanConvention.OFFSETS)


def check_same_text(gold: Sequence[Document], predicted: Sequence[Document]) -> None:
    """Refuse predictions on other texts than gold's.

    Raises:
        ValueError: The number of documents or one of their texts differs.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"expected {len(gold)} predicted documents, found {len(predicted)}")
    for index, (expected, found) in enumerate(zip(gold, predicted, strict=True)):
        if expected.text != found.text:
            raise ValueError(f"document {index}: the predicted text differs from the gold text")


def _scorer_input(documents: Sequence[Document], name: str) -> Any:
    """The scorer's view of documents, by way of CoNLL-U with a dummy tree: the scorer wants one, we score none."""
    bare = [
        replace(document, id=None, sentences=tuple(_with_dummy_tree(s) for s in document if s.words))
        for document in documents
    ]
    if not any(document.sentences for document in bare):
        raise ValueError(f"the {name} has no sentence")
    return load_conllu(io.StringIO("".join(write_conllu(bare))), name, {})


def _with_dummy_tree(sentence: Sentence) -> Sentence:
    """The sentence with what the scorer reads: words, multi-word tokens, scored columns, the flattest tree.

    The scorer leaves blanks in forms out of the comparison; we drop all white space, since a predicted word may hold
    a line end or a tab, which no line of CoNLL-U can.
    """
    length = len(sentence)
    tags = {column: sentence.tags[column] for column, _ in LAYERS.values() if column in sentence.tags}
    return replace(
        sentence,
        words=tuple("".join(word.split()) for word in sentence.words),
        tags={column: tuple(re.sub(r"[\t\r\n]", " ", v) or NO_VALUE for v in values) for column, values in tags.items()}
        | {
            "head": ("0",) + ("1",) * (length - 1),
            "deprel": ("root",) + ("dep",) * (length - 1),
            "misc": (NO_VALUE,) * length,
        },
        spans={},
        multiword=tuple(replace(mwt, surface="".join(mwt.surface.split())) for mwt in sentence.multiword),
        empty_nodes=(),
        comments=(),
    )


def _offset_spans(
    documents: Sequence[Document], layer: str, types: Collection[str] | None
) -> Counter[tuple[int, int, int, str]]:
    """Counts of (document, start, end, label)."""
    return Counter(
        (index, sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1], span.label)
        for index, document in enumerate(documents)
        for sentence in document
        for span in sentence.spans.get(layer, ())
        if types is None or span.label in types
    )


def _count(gold: Counter[Any], predicted: Counter[Any]) -> PRF:
    return PRF.from_counts(correct=(gold & predicted).total(), predicted=predicted.total(), gold=gold.total())
