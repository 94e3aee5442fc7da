"""The token-classification task of Hugging Face: what its clients send, and the entities that they expect.

The strategies differ in how the scores of a word's pieces become the word's. Our networks judge whole words, so all but
``none`` agree: neighbors with the same entity are one group, with the mean of their probabilities. See
https://huggingface.co/docs/inference-providers/tasks/token-classification.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from service.errors import BadRequest, FieldError, TooLarge
from service.schemas import RequestModel, Strings
from service.served import JudgedSentence, ServedModel
from taggers.document import Document
from taggers.errors import ModelError

Strategy = Literal["none", "simple", "first", "average", "max"]

_OUTSIDE = "O"


class TokenClassificationParameters(RequestModel):
    """How entities are told."""

    aggregation_strategy: Strategy | None = None
    """``none`` tells of every word by itself, the others of whole entities, all alike; ``simple`` if absent."""
    ignore_labels: Strings | None = None
    """Entities of these labels are left out; ``["O"]`` if absent."""
    stride: Annotated[int, Field(ge=0)] | None = None
    """Taken and not needed: a text of any length is read to its end."""
    task: str | None = None
    """Our own: the span task whose entities are told; the model's first if absent."""


class TokenClassificationRequest(RequestModel):
    """What ``POST /hf/{model}`` takes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": "Ada Lovelace wrote to Babbage in London."},
                {"inputs": ["Ada wrote.", "Paris"], "parameters": {"aggregation_strategy": "none"}},
            ]
        }
    )

    inputs: str | Strings
    """A text, answered by a list of entities, or a list of texts, answered by a list of such lists."""
    parameters: TokenClassificationParameters | None = None
    options: dict[str, Any] | None = None
    """Taken and not needed, as is the way of ``wait_for_model`` here."""

    @property
    def strategy(self) -> Strategy:
        """How entities are told."""
        return (self.parameters and self.parameters.aggregation_strategy) or "simple"

    @property
    def ignored(self) -> frozenset[str]:
        """The labels that are left out."""
        asked = None if self.parameters is None else self.parameters.ignore_labels
        return frozenset([_OUTSIDE] if asked is None else asked)

    def to_documents(self, *, max_documents: int) -> list[Document]:
        """The texts.

        Raises:
            TooLarge: There are too many.
        """
        if isinstance(self.inputs, str):
            return [Document(self.inputs)]
        if len(self.inputs) > max_documents:
            raise TooLarge(f"expected at most {max_documents} inputs in one request")
        return [Document(text) for text in self.inputs]

    def write_entities(self, documents: Sequence[Document], judged: Sequence[Sequence[JudgedSentence]]) -> bytes:
        """The answer: for each document a list of objects in the shape of ``Entity``."""
        lists = [self._entities(*one) for one in zip(documents, judged, strict=True)]
        return msgspec.json.encode(lists[0] if isinstance(self.inputs, str) else lists)

    def _entities(self, document: Document, sentences: Sequence[JudgedSentence]) -> list[dict[str, Any]]:
        key, found = ("entity", _words) if self.strategy == "none" else ("entity_group", _groups)
        ignored = self.ignored
        return [
            {key: label, **scored, "word": document.text[start:end], "start": start, "end": end}
            for label, scored, start, end in found(sentences)
            if label not in ignored
        ]

    def choose_task(self, served: ServedModel) -> str:
        """The span task whose entities are asked for.

        Raises:
            BadRequest: The model has no such span task.
            ModelError: The model has no span task at all.
        """
        there = served.span_layers(None)
        if not there:
            raise ModelError("the model has no layer of entities")
        asked = (self.parameters and self.parameters.task) or there[0]
        if asked not in there:
            problem = f"expected one of {', '.join(there)}, found {asked!r}"
            raise BadRequest(f"parameters.task: {problem}", [FieldError("parameters.task", problem)])
        return asked


class Entity(BaseModel):
    """One entity, or with the strategy ``none`` one word of it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    entity_group: str | None = None
    """The label; with ``none`` there is ``entity`` instead."""
    entity: str | None = None
    """With ``none``: the word's tag, such as ``B-PER``."""
    score: float
    index: int | None = None
    """With ``none``: the word's position in the text, from 1."""
    word: str
    start: int
    """In code points, as ``end``."""
    end: int


_Found = Iterator[tuple[str, dict[str, Any], int, int]]
"""Label, score and index, start, end."""


def _words(sentences: Sequence[JudgedSentence]) -> _Found:
    numbers = count(1)
    for judged in sentences:
        for tag, probability, offsets in zip(judged.tags, judged.probabilities, judged.sentence.offsets, strict=True):
            yield tag, {"score": probability, "index": next(numbers)}, *offsets


def _groups(sentences: Sequence[JudgedSentence]) -> _Found:
    for judged in sentences:
        offsets = judged.sentence.offsets
        for start, stop, label in _runs(judged):
            probabilities = judged.probabilities[start:stop]
            yield label, {"score": sum(probabilities) / len(probabilities)}, offsets[start][0], offsets[stop - 1][1]


def _runs(judged: JudgedSentence) -> Iterator[tuple[int, int, str]]:
    """The spans of a sentence, and the words between them as runs of ``O``."""
    cursor = 0
    for span in judged.spans:
        if cursor < span.start:
            yield cursor, span.start, _OUTSIDE
        yield span.start, span.stop, span.label
        cursor = span.stop
    if cursor < len(judged.tags):
        yield cursor, len(judged.tags), _OUTSIDE
