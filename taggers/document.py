"""Document, Sentence, Token and Span: what goes in and comes out everywhere.

Offsets are half-open ``[start, end)`` in Unicode code points into the text exactly as it was received.
``document.text[start:end]`` is the surface of a token, a span or a sentence, always.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from taggers.errors import InvalidText

MOST_LAYERS = 100
"""Of tags and of spans each: every word has each, so that a few bytes of input could stand for any amount of memory."""

NO_VALUE = "_"
"""What CoNLL-U writes where a token has no value in a column."""


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens ``start:stop`` of one sentence (half-open, ``start < stop``), carrying one label.

    ``score`` is the model's probability that the whole span is right, in [0, 1]; None on gold annotation.
    """

    start: int
    stop: int
    label: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class MultiWord:
    """A multi-word token: words ``first:stop`` of a sentence are written together as ``surface``.

    ``columns`` are the eight CoNLL-U columns LEMMA to MISC of its own line, kept for the round trip.
    """

    first: int
    stop: int
    surface: str
    columns: tuple[str, ...] = (NO_VALUE,) * 8


@dataclass(frozen=True, slots=True)
class EmptyNode:
    """A CoNLL-U empty node ``after.index`` (``8.1``): kept for the round trip, never trained on.

    ``after`` counts the words before it; ``columns`` are its nine columns FORM to MISC.
    """

    after: int
    index: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence, as a view for people."""

    text: str
    start: int
    end: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, in columns: position ``i`` of every column speaks of word ``i``.

    Attributes:
        words: The forms of the (syntactic) words; a form may contain spaces.
        offsets: ``(start, end)`` of each word in the document's text. A word inside a multi-word token has its own
            characters' offsets when it is literally there ("do|n't"), else those of the whole multi-word token.
        start: Where the sentence begins in the document's text.
        end: Where it ends.
        tags: One column for each token layer (``upos``, ``xpos``, ``feats``, ``lemma``, and ``head``, ``deprel``,
            ``deps``, ``misc`` when read from CoNLL-U), as written in CoNLL-U: ``_`` where there is no value.
        spans: The spans of each span layer (``ner``, ...), in order of their start. A layer that is absent was not
            annotated; an empty tuple says that there is nothing to find.
        multiword: The multi-word tokens, in order.
        empty_nodes: The empty nodes of a CoNLL-U sentence, in order.
        comments: Its comment lines without line ends, with their ``#``.
    """

    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    start: int
    end: int
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    multiword: tuple[MultiWord, ...] = ()
    empty_nodes: tuple[EmptyNode, ...] = ()
    comments: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.words)

    @property
    def tokens(self) -> list[Token]:
        """The words as views, for people; columns are faster."""
        names = tuple(self.tags)
        rows = zip(*self.tags.values(), strict=True) if names else iter([()] * len(self.words))
        return [
            Token(word, start, end, dict(zip(names, row, strict=True)))
            for word, (start, end), row in zip(self.words, self.offsets, rows, strict=True)
        ]

    def annotated(
        self,
        *,
        tags: Mapping[str, tuple[str, ...]] | None = None,
        spans: Mapping[str, tuple[Span, ...]] | None = None,
    ) -> Self:
        """A copy with these columns and span layers added or replaced."""
        return replace(self, tags={**self.tags, **(tags or {})}, spans={**self.spans, **(spans or {})})

    def bare(self) -> Self:
        """A copy without annotation: words, offsets and multi-word tokens only."""
        return replace(self, tags={}, spans={}, empty_nodes=(), comments=())


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its sentences, in order and disjoint; ``text`` is exactly what was received."""

    text: str
    sentences: tuple[Sentence, ...] = ()
    id: str | None = None

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    @classmethod
    def from_words(cls, sentences: Sequence[Sequence[str]], *, id: str | None = None) -> Self:
        """A document of words that somebody else has split: words joined by a space, sentences by a line end."""
        text_of: list[str] = []
        made: list[Sentence] = []
        cursor = 0
        for words in sentences:
            start = cursor
            offsets = []
            for word in words:
                offsets.append((cursor, cursor + len(word)))
                cursor += len(word) + 1
            end = offsets[-1][1] if offsets else start
            made.append(Sentence(tuple(words), tuple(offsets), start, end))
            text_of.append(" ".join(words))
            cursor = end + 1
        return cls("\n".join(text_of), tuple(made), id)

    def check(self) -> None:
        """Check the offsets' invariants.

        Words outside multi-word tokens are disjoint and in order; text between sentences and words is white space.

        Raises:
            ValueError: One is broken.
        """
        cursor = 0
        for index, sentence in enumerate(self.sentences):
            if not cursor <= sentence.start <= sentence.end <= len(self.text):
                raise ValueError(
                    f"sentence {index} spans {sentence.start}:{sentence.end}, expected order after {cursor}"
                )
            for word, (start, end) in zip(sentence.words, sentence.offsets, strict=True):
                if not sentence.start <= start <= end <= sentence.end:
                    raise ValueError(f"word {word!r} at {start}:{end} leaves sentence {sentence.start}:{sentence.end}")
                if start > cursor and self.text[cursor:start].strip():
                    raise ValueError(f"text lost before {start}: {self.text[cursor:start]!r}")
                cursor = max(cursor, end)
            cursor = max(cursor, sentence.end)
        if self.text[cursor:].strip():
            raise ValueError(f"text lost at the end: {self.text[cursor:]!r}")


def check_unicode(text: str) -> None:
    """Refuse a text that no encoding of Unicode can carry.

    Raises:
        InvalidText: The text holds a lone surrogate.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidText(error.start, ord(text[error.start])) from None
