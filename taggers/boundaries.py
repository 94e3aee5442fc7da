"""The segmentation codec: sentences, tokens and words of a text <-> one label for each character.

Reading labels back is total: whatever a network says about whatever text, the result is a well-formed document and no
visible character is lost. White space is what ``str.isspace`` says; zero-width and control characters are visible.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from taggers.document import Document, MultiWord, Sentence

BOUNDARIES = "boundaries"
"""The name of the task."""

OUTSIDE = "O"
"""Not in a token."""
SENTENCE = "S"
"""The first character of a token that opens a sentence."""
TOKEN = "T"
"""The first character of any other token."""
INSIDE = "I"
"""Any further character of a token."""
WORD = "W"
"""The first character of a further word in a multi-word token whose words are its pieces ("do|n't")."""
EXPAND_SENTENCE = "X"
"""Like SENTENCE, of a multi-word token whose words are looked up ("du" = "de" + "le")."""
EXPAND_TOKEN = "E"
"""Like TOKEN, of a multi-word token whose words are looked up."""

LABELS = (OUTSIDE, SENTENCE, TOKEN, INSIDE, WORD, EXPAND_SENTENCE, EXPAND_TOKEN)
"""All labels, in the order of their ids."""


def encode_boundaries(document: Document, *, opens: Collection[int] | None = None) -> list[str]:
    """The labels of a segmented document, one for each code point of its text.

    Args:
        document: With sentences.
        opens: Where a boundary can be, for a segmenter that labels larger units than characters; a multi-word token
            that would have to be cut elsewhere is one to be looked up, even if its words are its pieces.
    """
    labels = [OUTSIDE] * len(document.text)
    for sentence in document:
        ranges = {multi.first: multi for multi in sentence.multiword}
        opened = False
        index = 0
        while index < len(sentence):
            multi = ranges.get(index, MultiWord(index, index + 1, ""))
            start, end = sentence.offsets[index][0], sentence.offsets[multi.stop - 1][1]
            if start < end:
                labels[start:end] = [INSIDE] * (end - start)
                words = sentence.words[index : multi.stop]
                cuts = [piece for piece, _ in sentence.offsets[index + 1 : multi.stop]]
                literal = not multi.surface or (_is_literal(words, multi.surface) and _can_open(cuts, opens))
                labels[start] = _OPENERS[opened, literal]
                if literal:
                    for cut in cuts:
                        labels[cut] = WORD
                opened = True
            index = multi.stop
    return labels


def decode_boundaries(
    text: str, labels: Sequence[str], expansions: Mapping[str, tuple[str, ...]], *, offset: int = 0
) -> tuple[Sentence, ...]:
    """The sentences that ``labels`` mark in ``text``; any labels will do.

    - A visible character labelled O belongs to a token all the same: runs of them open one.
    - Tokens are trimmed of white space; one that holds nothing else is dropped, and leaves the opening of its sentence
      to the next.
    - The first token opens a sentence; a W where no word goes on acts as T; X and E without an
      expansion act as S and T.

    Args:
        text: The text as it was received.
        labels: One of ``LABELS`` for each code point of ``text``; one string of them will do.
        expansions: The words of multi-word tokens that are not their pieces, by lower-cased surface. The words take
            over capitals from the surface.
        offset: Where ``text`` begins in the document's.

    Raises:
        ValueError: The number of labels is not that of characters, or a label is unknown.
    """
    shape = _shape(text, labels)
    sentences = []
    draft = _Draft()
    opens = False
    for match in _TOKEN.finditer(shape):
        start, stop = match.span()
        opens = opens or shape[start] in "SXsx"
        simple = match.lastindex
        if not simple:
            start, stop = _trim(text, start, stop)
            if start == stop:
                continue
        if opens and draft.words:
            sentences.append(draft.finish(offset))
            draft = _Draft()
        opens = False
        if simple:
            draft.words.append(text[start:stop])
            draft.offsets.append((start, stop))
        else:
            expanded = expansions.get(text[start:stop].lower(), ()) if match[0][0] in "XExe" else ()
            draft.add(text, start, _cuts(shape, start, stop), expanded)
    if draft.words:
        sentences.append(draft.finish(offset))
    return tuple(sentences)


def collect_expansions(
    documents: Iterable[Document], *, find_opens: Callable[[str], Collection[int] | None] = lambda _: None
) -> dict[str, tuple[str, ...]]:
    """The words of each multi-word token that is to be looked up, by lower-cased surface: the most frequent.

    Args:
        documents: Where they are.
        find_opens: Where in a text a boundary can be, see ``encode_boundaries``.
    """
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for document in documents:
        opens = find_opens(document.text)
        for sentence in document:
            for multi in sentence.multiword:
                words = sentence.words[multi.first : multi.stop]
                key = multi.surface.lower()
                cuts = [start for start, _ in sentence.offsets[multi.first + 1 : multi.stop]]
                if not (_is_literal(words, multi.surface) and _can_open(cuts, opens)):
                    # Capitals that came with those of the surface go; a name inside a lower-case surface keeps its own.
                    counts[key][words if key == multi.surface else tuple(word.lower() for word in words)] += 1
    return {key: max(sorted(found), key=found.__getitem__) for key, found in sorted(counts.items())}


@dataclass(slots=True)
class _Draft:
    """A sentence being put together."""

    words: list[str] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    multiword: list[MultiWord] = field(default_factory=list)

    def add(self, text: str, start: int, cuts: Sequence[int], expanded: tuple[str, ...]) -> None:
        """Add the token from ``start`` to the last of ``cuts``: the words of its expansion, or else its pieces."""
        stop = cuts[-1]
        surface = text[start:stop]
        words = _cased(expanded, surface)
        if len(words) < 2:
            pieces = list(pairwise([start, *cuts]))
            words = tuple(text[first:last] for first, last in pieces)
        elif _is_literal(words, surface):
            pieces = list(pairwise(accumulate(map(len, words), initial=start)))
        else:
            pieces = [(start, stop)] * len(words)
        if len(words) > 1:
            self.multiword.append(MultiWord(len(self.words), len(self.words) + len(words), surface))
        self.words += words
        self.offsets += pieces

    def finish(self, offset: int) -> Sentence:
        """The sentence, ``offset`` further on; there must be a word."""
        offsets = [(start + offset, end + offset) for start, end in self.offsets] if offset else self.offsets
        return Sentence(
            words=tuple(self.words),
            offsets=tuple(offsets),
            start=offsets[0][0],
            end=offsets[-1][1],
            multiword=tuple(self.multiword),
        )


_OPENERS = {  # (the sentence is open already, the words are the token's pieces) -> label
    (False, True): SENTENCE,
    (True, True): TOKEN,
    (False, False): EXPAND_SENTENCE,
    (True, False): EXPAND_TOKEN,
}

_SPACE = re.compile(r"\s+")

# A token in the shape of a text: a plain one (group 1: nothing to trim, one word), or any other.
_TOKEN = re.compile(r"([ST]I*+)(?![Wi])|[STXEstxew][IWi]*|[IWi]+")


def _shape(text: str, labels: Sequence[str]) -> str:
    """The labels as one string, in lower case where the text has white space; no visible character is outside."""
    given = labels if isinstance(labels, str) else "".join(labels)
    if len(given) != len(text) or len(labels) != len(text):
        raise ValueError(f"expected one label for each of {len(text)} characters, found {len(labels)}")
    unknown = set(given) - set(LABELS)
    if unknown:
        raise ValueError(f"unknown boundary labels {sorted(unknown)}; there are: {', '.join(LABELS)}")
    parts = []
    seen = 0
    for match in _SPACE.finditer(text):
        start, stop = match.span()
        parts.append(given[seen:start])
        parts.append(given[start:stop].lower())
        seen = stop
    parts.append(given[seen:])
    shape = "".join(parts)
    if OUTSIDE in shape:
        shape = re.sub("O+", lambda run: TOKEN + INSIDE * (len(run[0]) - 1), shape)
    # After white space inside a token no word goes on: the pieces of a token join without a gap.
    return shape.replace("iW", "iT")


def _trim(text: str, start: int, stop: int) -> tuple[int, int]:
    surface = text[start:stop]
    first = stop - len(surface.lstrip())
    return first, max(first, start + len(surface.rstrip()))


def _cuts(shape: str, start: int, stop: int) -> list[int]:
    """Where the words of a token end."""
    return [*(place for place in range(start + 1, stop) if shape[place] == WORD), stop]


def _is_literal(words: Iterable[str], surface: str) -> bool:
    return "".join(words) == surface


def _can_open(places: Iterable[int], opens: Collection[int] | None) -> bool:
    return opens is None or all(place in opens for place in places)


def _cased(words: tuple[str, ...], surface: str) -> tuple[str, ...]:
    """Words of an expansion with the capitals of the surface: all of them, the first, or none."""
    if not words or not surface[:1].isupper():
        return words
    if len(surface) > 1 and surface.isupper():
        return tuple(word.upper() for word in words)
    return (words[0][:1].upper() + words[0][1:], *words[1:])
