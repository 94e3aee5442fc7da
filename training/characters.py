"""Raw texts -> examples for the segmenter, cut anew in every epoch."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from taggers.boundaries import BOUNDARIES, LABELS, encode_boundaries
from taggers.document import Document
from taggers.labels import LabelSet
from taggers.tasks import Task
from training.data import Example
from training.typography import vary_characters

_PIECE = 400
"""Characters of an example, about: long enough for context, short enough to shuffle."""


def boundary_task() -> Task:
    """The segmenter's one task."""
    return Task(BOUNDARIES, "boundaries", BOUNDARIES, LabelSet(LABELS))


@dataclass(frozen=True, slots=True)
class CharacterCorpus:
    """Gold texts as labelled characters.

    Args:
        texts: ``(text, label ids)`` of each document.
        newline_rate: The share of the documents whose blank lines become a line end or a space, others in every epoch.
        typography_rate: The share of the documents that are set in other typography, others in every epoch.
    """

    texts: Sequence[tuple[str, Sequence[int]]]
    newline_rate: float
    typography_rate: float = 0.0

    @classmethod
    def from_documents(
        cls, documents: Sequence[Document], *, newline_rate: float, typography_rate: float = 0.0
    ) -> "CharacterCorpus":
        """Label the characters of gold documents."""
        ids = {label: index for index, label in enumerate(LABELS)}
        texts = [(document.text, [ids[label] for label in encode_boundaries(document)]) for document in documents]
        return cls([(text, labels) for text, labels in texts if text], newline_rate, typography_rate)

    def examples(self, *, seed: int, epoch: int) -> list[Example]:
        """The examples of one epoch: documents cut at random places, each character in exactly one example."""
        order = random.Random(f"{seed}:{epoch}:characters")
        made = []
        for whole_text, whole_labels in self.texts:
            text, labels = whole_text, whole_labels
            if "\n\n" in text and order.random() < self.newline_rate:
                text, labels = _without_blank_lines(text, labels, order.choice("\n "))
            if order.random() < self.typography_rate:
                text, labels = vary_characters(text, labels, order)
            start = 0
            while start < len(text):
                stop = start + order.randint(_PIECE // 2, _PIECE * 3 // 2)
                made.append(Example(text[start:stop], {BOUNDARIES: labels[start:stop]}))
                start = stop
        return made


def _without_blank_lines(text: str, labels: Sequence[int], separator: str) -> tuple[str, list[int]]:
    """Each blank line as a single ``separator``; the labels move along."""
    kept = [index for index in range(len(text)) if text[index : index + 2] != "\n\n"]
    characters = [
        separator if text[index] == "\n" and index and text[index - 1] == "\n" else text[index] for index in kept
    ]
    return "".join(characters), [labels[index] for index in kept]


def undivided(documents: Sequence[Document]) -> list[Document]:
    """The documents' raw texts alone."""
    return [replace(document, sentences=()) for document in documents]
