"""Task: which layer of a sentence, through which codec, with which labels.

Adding a layer to a model is a section of its config, not code.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from taggers.document import Sentence, Span
from taggers.labels import LabelSet
from taggers.lemma_rules import apply_rule, derive_rule
from taggers.spans import Reading, Scheme, Transitions, allowed_transitions, decode_spans, encode_spans, span_tags

TaskKind = Literal["token", "lemma", "span", "boundaries"]


@dataclass(frozen=True, slots=True)
class Task:
    """One layer as a labelling task.

    Attributes:
        name: The task's name, and the layer that it fills.
        kind: ``token``: a label is the tag itself; ``lemma``: an edit rule; ``span``: a tag of ``scheme``;
            ``boundaries``: a label of a character of raw text.
        layer: The layer's name in the data it learns from.
        labels: The labels it knows.
        scheme: How spans are written as tags.
        label_sets: Sets of label ids of which a token to learn from may have any; a trained model has no use for them.
    """

    name: str
    kind: TaskKind
    layer: str
    labels: LabelSet
    scheme: Scheme = Scheme.BIO
    label_sets: tuple[tuple[int, ...], ...] = ()

    @property
    def transitions(self) -> Transitions | None:
        """Which tag may follow which; None where anything may."""
        return allowed_transitions(self.labels.labels, self.scheme) if self.kind == "span" else None

    @property
    def span_labels(self) -> tuple[str, ...]:
        """For a span task: the labels of its spans, without prefixes."""
        return tuple(dict.fromkeys(tag.partition("-")[2] for tag in self.labels if tag != "O"))

    def outside(self, unannotated: Collection[str]) -> tuple[int, ...]:
        """What a token outside all spans may be where spans of these labels are not marked: ``O``, or a tag of them."""
        return tuple(i for i, tag in enumerate(self.labels) if i == 0 or tag.partition("-")[2] in unannotated)

    def encode(self, sentence: Sentence) -> list[str] | None:
        """The label of each word; None if the sentence does not carry the layer."""
        return encode_layer(sentence, kind=self.kind, layer=self.layer, scheme=self.scheme)

    def decode_tags(self, words: Sequence[str], ids: Sequence[int]) -> tuple[str, ...]:
        """Label ids to the column of a ``token`` or ``lemma`` task."""
        labels = self.labels.decode(ids)
        return tuple(map(apply_rule, labels, words)) if self.kind == "lemma" else tuple(labels)

    def decode_spans(self, ids: Sequence[int], probabilities: Sequence[float]) -> tuple[Span, ...]:
        """Label ids to the spans of a ``span`` task; a span's score is the product of its words' probabilities."""
        if not any(ids):  # id 0 is "O", and most sentences are nothing else
            return ()
        spans = decode_spans(self.labels.decode(ids), self.scheme, Reading.CONLLEVAL)
        return tuple(
            Span(span.start, span.stop, span.label, prod(probabilities[span.start : span.stop])) for span in spans
        )


def encode_layer(sentence: Sentence, *, kind: TaskKind, layer: str, scheme: Scheme) -> list[str] | None:
    """A sentence's layer as labels, one for each word; None if it does not carry the layer."""
    if kind == "span":
        spans = sentence.spans.get(layer)
        return None if spans is None else encode_spans(spans, len(sentence), scheme)
    column = sentence.tags.get(layer)
    if column is None:
        return None
    return list(map(derive_rule, sentence.words, column)) if kind == "lemma" else list(column)


def learn_labels(
    sentences: Iterable[Sentence], *, kind: TaskKind, layer: str, scheme: Scheme, min_count: int = 1
) -> LabelSet | None:
    """The label set of a layer of a corpus; None if no sentence carries it."""
    if kind == "span":
        annotated = [sentence.spans[layer] for sentence in sentences if layer in sentence.spans]
        labels = sorted({span.label for spans in annotated for span in spans})
        return LabelSet(span_tags(labels, scheme)) if annotated else None
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(encode_layer(sentence, kind=kind, layer=layer, scheme=scheme) or ())
    return LabelSet.from_counts(counts, min_count=min_count) if counts else None
