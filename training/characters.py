"""Raw texts -> examples for the segmenter, cut anew in every epoch."""

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from taggers.boundaries import BOUNDARIES, INSIDE, LABELS, OUTSIDE, encode_boundaries
from taggers.document import Document
from taggers.labels import LabelSet
from taggers.tasks import Task
from taggers.units import UnitKind, find_units
from training.data import Example
from training.typography import tighten, vary_characters

_LENGTHS = {"characters": 400, "syllables": 100, "runs": 100}
"""Units of an example, about: long enough for context, short enough to shuffle."""
_JOINED = 12
"""The most texts that are read as one."""
_OUTSIDE = LABELS.index(OUTSIDE)

logger = logging.getLogger(__name__)


def boundary_task() -> Task:
    """The segmenter's one task."""
    return Task(BOUNDARIES, "boundaries", BOUNDARIES, LabelSet(LABELS))


@dataclass(frozen=True, slots=True)
class CharacterCorpus:
    """Gold texts as labelled characters, of which examples are made in the units that the segmenter labels.

    Args:
        texts: ``(text, label ids)`` of each document.
        units: What the segmenter labels.
        lookahead: Of characters: how many of those behind its own each form shows.
        joints: What may stand between texts that are read as one, a dozen at most, in another order in every epoch;
            with none, each text is read by itself.
        newline_rate: The share of the documents whose blank lines become a line end or a space, others in every epoch.
        tight_rate: The share of the documents whose punctuation stands close to its word, others in every epoch.
        typography_rate: The share of the documents that are set in other typography, others in every epoch.
    """

    texts: Sequence[tuple[str, Sequence[int]]]
    newline_rate: float
    units: UnitKind = "characters"
    lookahead: int = 0
    joints: Sequence[str] = ()
    tight_rate: float = 0.0
    typography_rate: float = 0.0

    @classmethod
    def from_documents(
        cls,
        documents: Sequence[Document],
        *,
        newline_rate: float,
        units: UnitKind = "characters",
        lookahead: int = 0,
        joints: Sequence[str] = (),
        tight_rate: float = 0.0,
        typography_rate: float = 0.0,
    ) -> "CharacterCorpus":
        """Label the characters of gold documents; where texts are to be joined, each sentence is a text.

        A warning says how many boundaries lie inside a unit, where they cannot be learned.
        """
        ids = {label: index for index, label in enumerate(LABELS)}
        opens = (find_units(document.text, units).opens for document in documents)
        labels = (encode_boundaries(document, opens=its) for document, its in zip(documents, opens, strict=True))
        texts = [(d.text, [ids[label] for label in its]) for d, its in zip(documents, labels, strict=True)]
        kept = [(text, labels) for text, labels in texts if text]
        if joints:
            pairs = zip(documents, texts, strict=True)
            kept = [(text[s.start : s.end], labels[s.start : s.end]) for d, (text, labels) in pairs for s in d]
        _warn_of_lost_boundaries(kept, units)
        return cls(
            kept,
            newline_rate,
            units=units,
            lookahead=lookahead,
            joints=joints,
            tight_rate=tight_rate,
            typography_rate=typography_rate,
        )

    def examples(self, *, seed: int, epoch: int) -> list[Example]:
        """The examples of one epoch: documents cut at random places, each unit in exactly one example."""
        order = random.Random(f"{seed}:{epoch}:characters")
        made = []
        for whole_text, whole_labels in self._joined(order) if self.joints else self.texts:
            text, labels = whole_text, whole_labels
            if order.random() < self.tight_rate:
                text, labels = tighten(text, labels)
            if "\n\n" in text and order.random() < self.newline_rate:
                text, labels = _without_blank_lines(text, labels, order.choice("\n "))
            if order.random() < self.typography_rate:
                text, labels = vary_characters(text, labels, order)
            units = find_units(text, self.units, lookahead=self.lookahead)
            unit_labels = units.gather(labels)
            length = _LENGTHS[self.units]
            start = 0
            while start < len(unit_labels):
                stop = start + order.randint(length // 2, length * 3 // 2)
                made.append(Example(units.forms[start:stop], {BOUNDARIES: unit_labels[start:stop]}))
                start = stop
        return made

    def _joined(self, order: random.Random) -> Iterator[tuple[str, Sequence[int]]]:
        """The texts in random order, as many at once as stand in a paragraph or two."""
        shuffled = order.sample(self.texts, len(self.texts))
        start = 0
        while start < len(shuffled):
            stop = start + order.randint(1, _JOINED)
            text, labels = "", list[int]()
            for more, its_labels in shuffled[start:stop]:
                joint = order.choice(self.joints) if text else ""
                text += joint + more
                labels += [_OUTSIDE] * len(joint) + list(its_labels)
            yield text, labels
            start = stop


def _warn_of_lost_boundaries(texts: Sequence[tuple[str, Sequence[int]]], kind: UnitKind) -> None:
    boundaries = lost = 0
    for text, labels in texts:
        units = find_units(text, kind)
        names = [LABELS[label] for label in labels]
        kept = units.spread(units.gather(names))
        places = [index for index, name in enumerate(names) if name not in (OUTSIDE, INSIDE)]
        boundaries += len(places)
        lost += sum(kept[place] != names[place] for place in places)
    if lost:
        logger.warning("units = %r: %d of %d boundaries lie inside a unit and are not learned", kind, lost, boundaries)


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
