"""Segmenter: raw text -> sentences, tokens and words. A labeler over characters, and the boundary codec."""

from collections.abc import Mapping, Sequence

from taggers.boundaries import BOUNDARIES, decode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Document, Sentence, check_unicode
from taggers.labeler import Labeler, Labels


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

    def _decode(self, text: str, labels: Labels) -> tuple[Sentence, ...]:
        boundaries = self.labeler.tasks[BOUNDARIES].labels.decode(labels[BOUNDARIES][0].tolist())
        return decode_boundaries(text, keep_clusters(text, boundaries), self.expansions)


def character_forms(text: str, *, lookahead: int) -> Sequence[str]:
    """One form for each character: the character and those behind it, fewer at the end of the text."""
    return [text[start : start + 1 + lookahead] for start in range(len(text))] if lookahead else text
