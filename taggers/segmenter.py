"""Segmenter: raw text -> sentences, tokens and words. A labeler over characters, and the boundary codec."""

from collections.abc import Mapping, Sequence

from taggers.boundaries import decode_boundaries
from taggers.document import Document, check_unicode
from taggers.labeler import Labeler

BOUNDARIES = "boundaries"
"""The segmenter's one task."""


class Segmenter:
    """Finds sentences, tokens and the words inside multi-word tokens in raw text of any length.

    Args:
        labeler: Its forms are characters and its one task is ``boundaries``.
        expansions: Lower-cased multi-word token -> its words, where they are not literally there.
    """

    def __init__(self, labeler: Labeler, expansions: Mapping[str, tuple[str, ...]]) -> None:
        self.labeler = labeler
        self.expansions = dict(expansions)

    def segment(
        self, texts: Sequence[str], *, ids: Sequence[str | None] | None = None, max_padded_characters: int = 16_000
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
        task = self.labeler.tasks[BOUNDARIES]
        answers = self.labeler.label_all(texts, max_padded_tokens=max_padded_characters)
        return [
            Document(
                text, decode_boundaries(text, task.labels.decode(labels[BOUNDARIES][0].tolist()), self.expansions), id
            )
            for text, labels, id in zip(texts, answers, ids or [None] * len(texts), strict=True)
        ]
