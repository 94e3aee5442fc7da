"""Texts that nobody has split into tokens yet, with spans of characters; and how these find their tokens."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from taggers.document import Document, Sentence, Span


@dataclass(frozen=True, slots=True)
class CharSpan:
    """Characters ``start:end`` of a text (half-open, in code points), carrying one label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A text that is not segmented; ``spans`` holds the spans of each layer that was annotated."""

    text: str
    id: str | None = None
    spans: Mapping[str, tuple[CharSpan, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Misalignment:
    """A span that no tokens match.

    Attributes:
        layer: Its layer.
        span: The span as it was given.
        problem: What is wrong, for people.
        kept: The span that was put in its place, in characters; None if there is none.
    """

    layer: str
    span: CharSpan
    problem: str
    kept: CharSpan | None = None


def align_spans(
    document: Document, spans: Mapping[str, Sequence[CharSpan]]
) -> tuple[Document, tuple[Misalignment, ...]]:
    """Put spans of characters onto the tokens of a segmented document.

    A span that begins or ends inside a token grows to the token's edge; white space at its edges costs nothing. Where
    spans of one layer overlap, the longest stays. A span over two sentences or over no token is left out.

    Returns:
        The document, in which every sentence has these layers, and what could not be put there as it was.
    """
    problems: list[Misalignment] = []
    found: dict[str, list[list[Span]]] = {}
    for layer, given in spans.items():
        rows: list[list[Span]] = [[] for _ in document.sentences]
        taken = [bytearray(len(sentence)) for sentence in document.sentences]
        for span in sorted(given, key=lambda span: (span.start - span.end, span.start)):
            place = _locate(document, span)
            if isinstance(place, str):
                problems.append(Misalignment(layer, span, place))
                continue
            index, start, stop = place
            if any(taken[index][start:stop]):
                problems.append(Misalignment(layer, span, "overlaps a longer span"))
                continue
            taken[index][start:stop] = b"\1" * (stop - start)
            rows[index].append(Span(start, stop, span.label))
            offsets = document.sentences[index].offsets
            kept = CharSpan(offsets[start][0], offsets[stop - 1][1], span.label)
            if kept != _trimmed(document.text, span):
                problems.append(Misalignment(layer, span, "begins or ends inside a token", kept))
        found[layer] = rows
    sentences = tuple(
        sentence.annotated(
            spans={layer: tuple(sorted(rows[at], key=lambda span: span.start)) for layer, rows in found.items()}
        )
        for at, sentence in enumerate(document.sentences)
    )
    return Document(document.text, sentences, document.id), tuple(problems)


def _locate(document: Document, span: CharSpan) -> tuple[int, int, int] | str:
    """The sentence and the tokens that a span touches, or why there are none."""
    span = _trimmed(document.text, span)
    if span.start >= span.end:
        return "covers no token"
    sentences = document.sentences
    index = bisect_right(sentences, span.start, key=lambda sentence: sentence.end)
    if index == len(sentences) or sentences[index].start >= span.end:
        return "covers no token"
    if span.end > sentences[index].end and index + 1 < len(sentences) and span.end > sentences[index + 1].start:
        return "reaches over the end of a sentence"
    start, stop = _tokens(sentences[index], span)
    return (index, start, stop) if start < stop else "covers no token"


def _tokens(sentence: Sentence, span: CharSpan) -> tuple[int, int]:
    start = bisect_right(sentence.offsets, span.start, key=lambda offsets: offsets[1])
    stop = bisect_left(sentence.offsets, span.end, key=lambda offsets: offsets[0])
    return start, stop


def _trimmed(text: str, span: CharSpan) -> CharSpan:
    """The span without white space at its edges, inside the text."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return CharSpan(start, start + len(piece.strip()), span.label)
