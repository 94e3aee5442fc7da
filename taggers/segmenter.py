"""Segmenter: raw text -> sentences, tokens and words. A labeler over units of text, and the boundary codec."""

from collections.abc import Iterator, Mapping, Sequence

from taggers.boundaries import BOUNDARIES, decode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Document, Sentence, check_unicode
from taggers.gradual import GradualDecoder
from taggers.labeler import Chunk, Labeler, Labels
from taggers.units import UnitKind, Units, find_units, units_of


class Segmenter:
    """Finds sentences, tokens and the words inside multi-word tokens in raw text of any length.

    Args:
        labeler: Its forms are those of units and its one task is ``boundaries``.
        expansions: Lower-cased multi-word token -> its words, where they are not literally there.
        units: What it labels.
        lookahead: Of characters: how many of those behind its own each form shows.
    """

    def __init__(
        self,
        labeler: Labeler,
        expansions: Mapping[str, tuple[str, ...]],
        *,
        units: UnitKind = "characters",
        lookahead: int = 0,
    ) -> None:
        self.labeler = labeler
        self.expansions = dict(expansions)
        self.units = units
        self.lookahead = lookahead

    def segment(
        self, texts: Sequence[str], *, ids: Sequence[str | None] | None = None, max_padded_units: int = 8_000
    ) -> list[Document]:
        """Segment texts, packed together.

        Args:
            texts: Any texts; they come back untouched as the documents' texts.
            ids: The documents' ids.
            max_padded_units: The most positions in one batch, padding included.

        Raises:
            InvalidText: A text holds a lone surrogate.
        """
        for text in texts:
            check_unicode(text)
        found = [self.find_units(text) for text in texts]
        answers = self.labeler.label_all([units.forms for units in found], max_padded_tokens=max_padded_units)
        return [
            Document(text, self._decode(text, units, labels), id)
            for text, units, labels, id in zip(texts, found, answers, ids or [None] * len(texts), strict=True)
        ]

    def read(self, text: str) -> "Reading":
        """Begin to segment one text gradually.

        Raises:
            InvalidText: It holds a lone surrogate.
        """
        check_unicode(text)
        return Reading(self, text)

    def find_units(self, text: str) -> Units:
        """What it labels of a text."""
        return find_units(text, self.units, lookahead=self.lookahead)

    def boundaries(self, labels: Labels) -> list[str]:
        """The network's answer as boundary labels, one for each unit."""
        return self.labeler.tasks[BOUNDARIES].labels.decode(labels[BOUNDARIES][0].tolist())

    def _decode(self, text: str, units: Units, labels: Labels) -> tuple[Sentence, ...]:
        spread = units.spread(self.boundaries(labels))
        return decode_boundaries(text, keep_clusters(text, spread), self.expansions)


class Reading:
    """One text on its way through a segmenter that somebody else runs, window by window.

    It gives the sentences that ``Segmenter.segment`` gives, however long the text is, and holds little besides it.
    """

    def __init__(self, segmenter: Segmenter, text: str) -> None:
        self._segmenter = segmenter
        self._text = text
        self._units = units_of(text, segmenter.units, lookahead=segmenter.lookahead)
        self._looking = self._units.look()
        self._decoder = GradualDecoder(text, segmenter.expansions)
        self._labelled = 0

    def look(self) -> Iterator[None]:
        """Look through the text for what the network labels, step by step; otherwise the first chunk waits for it."""
        return self._looking

    @property
    def characters_per_unit(self) -> float:
        """How many characters of the text a position of a chunk stands for, on average."""
        return len(self._text) / max(1, len(self._units.forms))

    def chunks(self) -> Iterator[Chunk]:
        """What the network reads at once, in order; each is made when it is asked for."""
        for _ in self._looking:
            pass
        return self._segmenter.labeler.each_chunk(self._units.forms)

    def feed(self, labels: Labels) -> tuple[Sentence, ...]:
        """Take the next chunk's labels; returns the sentences that are final now."""
        boundaries = self._segmenter.boundaries(labels)
        spread = self._units.spread(boundaries, self._labelled)
        self._labelled += len(boundaries)
        return self._decoder.feed(spread)
