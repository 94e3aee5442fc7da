"""Segmenter: raw text -> sentences, tokens and words. A labeler over characters, and the boundary codec."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taggers.boundaries import BOUNDARIES, decode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Document, Sentence, check_unicode
from taggers.gradual import GradualDecoder
from taggers.labeler import Chunk, Labeler, Labels


class Segmenter:
    """Finds sentences, tokens and the words inside multi-word tokens in raw text of any length.

    Args:
        labeler: Its forms are characters and its one task is ``boundaries``.
        expansions: Lower-cased multi-word token -> its words, where they are not literally there.
        lookahead: How many of the characters behind its own each form shows.
    """

    def __init__(self, labeler: Labeler, expansions: Mapping[str, tuple[str, ...]], *, lookahead: int = 0) -> None:
        self.labeler = labeler
        self.expansions = dict(expansions)
        self.lookahead = lookahead

    def segment(
        self, texts: Sequence[str], *, ids: Sequence[str | None] | None = None, max_padded_characters: int = 8_000
    ) -> list[Document]:
        """Segment texts, packed together.

        Args:
            texts: Any texts; they come back untouched as the documents' texts.
            ids: The documents' ids.
            max_padded_characters: The most characters in one batch, padding included.

        Raises:
            InvalidText: A text holds a lone surrogate.
        """
        for text in texts:
            check_unicode(text)
        forms = [character_forms(text, lookahead=self.lookahead) for text in texts]
        answers = self.labeler.label_all(forms, max_padded_tokens=max_padded_characters)
        return [
            Document(text, self._decode(text, labels), id)
            for text, labels, id in zip(texts, answers, ids or [None] * len(texts), strict=True)
        ]

    def read(self, text: str) -> "Reading":
        """Begin to segment one text gradually.

        Raises:
            InvalidText: It holds a lone surrogate.
        """
        check_unicode(text)
        return Reading(self, text)

    def boundaries(self, labels: Labels) -> list[str]:
        """The network's answer as boundary labels."""
        return self.labeler.tasks[BOUNDARIES].labels.decode(labels[BOUNDARIES][0].tolist())

    def _decode(self, text: str, labels: Labels) -> tuple[Sentence, ...]:
        return decode_boundaries(text, keep_clusters(text, self.boundaries(labels)), self.expansions)


class Reading:
    """One text on its way through a segmenter that somebody else runs, window by window.

    It gives the sentences that ``Segmenter.segment`` gives, however long the text is, and holds little besides it.
    """

    def __init__(self, segmenter: Segmenter, text: str) -> None:
        self._segmenter = segmenter
        self._text = text
        self._decoder = GradualDecoder(text, segmenter.expansions)

    def chunks(self) -> Iterator[Chunk]:
        """What the network reads at once, in order; each is made when it is asked for."""
        return self._segmenter.labeler.each_chunk(_Forms(self._text, self._segmenter.lookahead))

    def feed(self, labels: Labels) -> tuple[Sentence, ...]:
        """Take the next chunk's labels; returns the sentences that are final now."""
        return self._decoder.feed(self._segmenter.boundaries(labels))


def character_forms(text: str, *, lookahead: int) -> Sequence[str]:
    """One form for each character: the character and those behind it, fewer at the end of the text."""
    return [text[start : start + 1 + lookahead] for start in range(len(text))] if lookahead else text


class _Forms(Sequence[str]):
    """``character_forms`` of a text, made when they are asked for: of a long text they take many times its memory."""

    def __init__(self, text: str, lookahead: int) -> None:
        self._text = text
        self._lookahead = lookahead

    def __len__(self) -> int:
        return len(self._text)

    def __getitem__(self, where: int | slice) -> Any:
        if isinstance(where, int):
            return self[where : where + 1][0]
        start, stop, _ = where.indices(len(self))
        return character_forms(self._text[start : stop + self._lookahead], lookahead=self._lookahead)[: stop - start]
