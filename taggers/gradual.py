"""GradualDecoder: boundary labels that come run by run -> sentences, each as soon as no later label can change it.

A sentence is final when the next one has opened. So a book is decoded in pieces, into just the sentences that the
whole would give.
"""

from collections.abc import Mapping, Sequence

from taggers.boundaries import EXPAND_SENTENCE, SENTENCE, decode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Sentence

_OPENERS = frozenset((SENTENCE, EXPAND_SENTENCE))


class GradualDecoder:
    """Decodes the labels of one text.

    Args:
        text: The text.
        expansions: See ``decode_boundaries``.
    """

    def __init__(self, text: str, expansions: Mapping[str, tuple[str, ...]]) -> None:
        self._text = text
        self._expansions = expansions
        self._start = 0  # where the first sentence that is not final begins
        self._labels: list[str] = []  # from there on

    def feed(self, labels: Sequence[str]) -> tuple[Sentence, ...]:
        """Take the labels of the next characters.

        Args:
            labels: Any of ``LABELS``, one for each character.

        Returns:
            The sentences that are final now; with the last character's label, all that are left.
        """
        self._labels += labels
        stop = self._start + len(self._labels)
        assert stop <= len(self._text), "more labels than characters"
        if stop < len(self._text) and _OPENERS.isdisjoint(labels):
            return ()
        pending = self._text[self._start : stop]
        kept = keep_clusters(pending, self._labels)
        cut = len(kept) if stop == len(self._text) else _last_opener(pending, kept)
        sentences = decode_boundaries(pending[:cut], kept[:cut], self._expansions, offset=self._start)
        self._start += cut
        del self._labels[:cut]
        return sentences


def _last_opener(text: str, labels: Sequence[str]) -> int:
    """Where the last sentence opens; 0 if none does behind the first character.

    Only at a visible character, for one that opens at white space begins further on; and only after clusters are kept
    together, for their inner characters open nothing.
    """
    for place in range(len(labels) - 1, 0, -1):
        if labels[place] in _OPENERS and not text[place].isspace():
            return place
    return 0
