"""The JSON shape of a tagged document, as ``POST /v1/tag`` answers and ``tagline tag`` writes it: made here alone.

Beside what every answer has, a sentence may have ``multiword``, ``empty_nodes`` and ``comments``, and a token further
columns of CoNLL-U, so that nothing a document holds is lost.
"""

from collections.abc import Iterable
from typing import Any

from taggers.document import NO_VALUE, Document, MultiWord, Sentence, Span
from taggers.offsets import OffsetMap, OffsetUnit
from taggers.remembering import remembering

FIRST_COLUMNS = ("upos", "xpos", "feats", "lemma")
"""The columns that come first, in this order."""

OWN_KEYS = ("text", "start", "end")
"""The keys of a token that are no columns."""

EMPTY_COLUMNS = (NO_VALUE,) * 8
"""The columns of a multi-word token that says nothing in them."""

SCORE_DIGITS = 6

Json = dict[str, Any]


def document_to_json(document: Document, *, offsets: OffsetUnit = OffsetUnit.CODEPOINT) -> Json:
    """A document in the answer shape: ``id``, ``text``, ``sentences`` with ``tokens``, ``spans`` by layer.

    A token's ``text`` is the word's form; ``text[start:end]`` of the document is its surface. ``feats`` is a mapping.
    Only columns and layers that a sentence has are there; a span without a score has none.

    Args:
        document: What to write.
        offsets: The unit of every ``start`` and ``end``.
    """
    shape = AnswerShape(document.text, offsets=offsets)
    sentences = shape.add(document.sentences)
    return {"id": document.id, "text": document.text, "sentences": sentences, "spans": shape.spans}


class AnswerShape:
    """The shape of one document that is tagged a few sentences at a time.

    Args:
        text: The document's text.
        offsets: The unit of every ``start`` and ``end``.
        layers: Layers of spans that are there, if only empty ones.
    """

    def __init__(self, text: str, *, offsets: OffsetUnit, layers: Iterable[str] = ()) -> None:
        self._text = text
        self._mapping = OffsetMap(text, offsets)
        self._num_sentences = 0
        self.spans: dict[str, list[Json]] = {layer: [] for layer in layers}
        """The spans of the sentences so far, by layer."""

    def add(self, sentences: Iterable[Sentence]) -> list[Json]:
        """The shapes of the next sentences; their spans join ``spans``."""
        made = []
        for sentence in sentences:
            for layer, found in sentence.spans.items():
                self.spans.setdefault(layer, []).extend(
                    _span_to_json(self._text, sentence, self._num_sentences, span, self._mapping) for span in found
                )
            made.append(_sentence_to_json(sentence, self._mapping))
            self._num_sentences += 1
        return made


def _sentence_to_json(sentence: Sentence, mapping: OffsetMap) -> Json:
    names = [name for name in FIRST_COLUMNS if name in sentence.tags]
    names += [name for name in sentence.tags if name not in FIRST_COLUMNS]
    columns = [map(_feats, sentence.tags[name]) if name == "feats" else sentence.tags[name] for name in names]
    keys = (*OWN_KEYS, *names)
    starts, ends = (mapping.to_units([offsets[side] for offsets in sentence.offsets]) for side in (0, 1))
    rows = zip(sentence.words, starts, ends, *columns, strict=True)
    made: Json = {
        "start": mapping.to_unit(sentence.start),
        "end": mapping.to_unit(sentence.end),
        "tokens": [dict(zip(keys, row, strict=True)) for row in rows],
    }
    if sentence.multiword:
        made["multiword"] = [_multiword_to_json(token) for token in sentence.multiword]
    if sentence.empty_nodes:
        made["empty_nodes"] = [
            {"after": node.after, "index": node.index, "columns": list(node.columns)} for node in sentence.empty_nodes
        ]
    if sentence.comments:
        made["comments"] = list(sentence.comments)
    return made


def _multiword_to_json(token: MultiWord) -> Json:
    made: Json = {"tokens": [token.first, token.stop], "text": token.surface}
    return made if token.columns == EMPTY_COLUMNS else {**made, "columns": list(token.columns)}


def _span_to_json(text: str, sentence: Sentence, index: int, span: Span, mapping: OffsetMap) -> Json:
    start, end = sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1]
    made: Json = {
        "label": span.label,
        "start": mapping.to_unit(start),
        "end": mapping.to_unit(end),
        "text": text[start:end],
        "sentence": index,
        "tokens": [span.start, span.stop],
    }
    return made if span.score is None else {**made, "score": round(span.score, SCORE_DIGITS)}


@remembering(16384)
def feats_items(feats: str) -> tuple[tuple[str, str], ...]:
    """The names and values in a FEATS column."""
    if feats == NO_VALUE:
        return ()
    return tuple((key, value) for key, _, value in (item.partition("=") for item in feats.split("|")))


def _feats(feats: str) -> dict[str, str]:
    return dict(feats_items(feats))
