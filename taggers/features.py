"""Form -> feature ids: words, affixes, shapes, characters, static vectors' rows and subword pieces."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import Tokenizer

from taggers.batch import FormIds, TokenBatch, length_mask, make_forms, make_pieces, pad
from taggers.config import FeatureConfig

UNKNOWN = 1
"""The id of everything that a vocabulary does not hold; ids of entries start at 2."""
MAX_PIECES_OF_A_WORD = 32
"""A word's further pieces are not read."""

_READ_CHARACTERS = 4_096
"""Those pieces are looked for in so many characters: a word of a million would keep the tokenizer for seconds."""

_REMEMBERED_FORMS = 10_000
"""So many new forms are remembered, some 7 MB, and those of the time before them."""

_LONGEST_REMEMBERED = 256
"""A monster word must not stay in memory."""

_MAX_SHAPE_RUN = 4

# Arrows, technical signs, shapes and dingbats, emoji: each with its variation selectors, skin tones and joiners.
_PICTOGRAPHS = re.compile(
    "(?:[\u2190-\u21ff\u2300-\u23ff\u2500-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0f\u200d]*)+"
)
_PICTOGRAPH = "\u2606"


_LONGEST_COMPOSED = 1_000
_Entries = Annotated[tuple[str, ...], Field(fail_fast=True)]


class Vocabularies(BaseModel):
    """What each kind of feature knows, in id order: entry ``i`` of a list has id ``i + 2``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: _Entries = ()
    prefixes: _Entries = ()
    suffixes: _Entries = ()
    shapes: _Entries = ()
    characters: _Entries = ()
    vectors: _Entries = ()

    def sizes(self) -> dict[str, int]:
        """Rows of each embedding table, padding and unknown included."""
        return {name: len(getattr(self, name)) + 2 for name in type(self).model_fields}


def shape_of(form: str) -> str:
    """The form's shape: upper case ``X``, lower ``x``, digits ``d``, other letters ``c``.

    Other characters stand for themselves; runs are cut to four.
    """
    classes = map(_character_class, form[:64])
    return "".join(kind * min(_MAX_SHAPE_RUN, sum(1 for _ in run)) for kind, run in groupby(classes))


def _character_class(character: str) -> str:
    if character.isupper():
        return "X"
    if character.islower():
        return "x"
    if character.isdigit():
        return "d"
    return "c" if character.isalpha() else character


def visible_characters(form: str, limit: int) -> str:
    """The characters that the convolution sees: all, or the first and last halves of ``limit``."""
    return form if len(form) <= limit else form[: limit - limit // 2] + form[len(form) - limit // 2 :]


def build_vocabularies(forms: Mapping[str, int], config: FeatureConfig, *, vectors: Sequence[str] = ()) -> Vocabularies:
    """Count the features of a corpus.

    Args:
        forms: How often each form occurs.
        config: Which features are used, and from which count on.
        vectors: The words that have a static vector, in row order.
    """
    words, prefixes, suffixes, shapes, characters = (Counter[str]() for _ in range(5))
    for given, count in forms.items():
        form = as_seen(given)
        lowered = form.lower()
        words[form] += count
        shapes[shape_of(form)] += count
        for length in config.prefixes.lengths if config.prefixes else ():
            prefixes[f"{length}{lowered[:length]}"] += count
        for length in config.suffixes.lengths if config.suffixes else ():
            suffixes[f"{length}{lowered[-length:]}"] += count
        if config.characters:
            for character in visible_characters(form, config.characters.max_characters):
                characters[character] += count

    return Vocabularies(
        words=_kept(words, config.words),
        prefixes=_kept(prefixes, config.prefixes),
        suffixes=_kept(suffixes, config.suffixes),
        shapes=_kept(shapes, config.shape),
        characters=_kept(characters, config.characters),
        vectors=tuple(vectors),
    )


class _Counted(Protocol):
    @property
    def min_count(self) -> int: ...


def _kept(counts: Counter[str], feature: _Counted | None) -> tuple[str, ...]:
    """The entries of one vocabulary, most frequent first; none if the feature is not used."""
    if feature is None:
        return ()
    return tuple(sorted((e for e, n in counts.items() if n >= feature.min_count), key=lambda e: (-counts[e], e)))


@dataclass(frozen=True, slots=True)
class PieceTokenizer:
    """A subword tokenizer applied word by word, so that a word's pieces never depend on its neighbors.

    Attributes:
        tokenizer: The ``tokenizers`` object; it must accept pre-split words.
        prefix: The special pieces before a sequence (``[CLS]``).
        suffix: The special pieces after it (``[SEP]``).
        padding: The id that fills up a batch.
    """

    tokenizer: Tokenizer
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int

    def pieces(self, form: str) -> tuple[int, ...]:
        """The ids of the form's pieces; none for a form that the tokenizer drops (control characters, ...)."""
        form = form[:_READ_CHARACTERS]
        encoding = self.tokenizer.encode([form], is_pretokenized=True, add_special_tokens=False)
        return tuple(encoding.ids[:MAX_PIECES_OF_A_WORD])


class Featurizer:
    """Turns sequences of forms into batches of ids. Forms seen before are remembered.

    Args:
        config: Which features of forms there are.
        vocabularies: The ids.
        tokenizer: For networks that read subword pieces.
    """

    def __init__(
        self, config: FeatureConfig, vocabularies: Vocabularies, *, tokenizer: PieceTokenizer | None = None
    ) -> None:
        self.config = config
        self.vocabularies = vocabularies
        self.tokenizer = tokenizer
        self._words = _index(vocabularies.words)
        self._prefixes = _index(vocabularies.prefixes)
        self._suffixes = _index(vocabularies.suffixes)
        self._shapes = _index(vocabularies.shapes)
        self._characters = _index(vocabularies.characters)
        self._vectors = _index(vocabularies.vectors)
        self._seen: dict[str, FormIds] = {}
        self._seen_before: dict[str, FormIds] = {}

    def form_ids(self, form: str) -> FormIds:
        """All feature ids of one form."""
        ids = self._seen.get(form)
        if ids is None:
            ids = self._seen_before.get(form) or self._compute(form)
            if len(self._seen) >= _REMEMBERED_FORMS:  # what is frequent will soon be here again
                self._seen_before, self._seen = self._seen, {}
            if len(form) <= _LONGEST_REMEMBERED:
                self._seen[form] = ids
        return ids

    def _compute(self, form: str) -> FormIds:
        config = self.config
        form = as_seen(form)
        lowered = form.lower()
        prefixes = config.prefixes.lengths if config.prefixes else ()
        suffixes = config.suffixes.lengths if config.suffixes else ()
        characters: Iterable[str] = ()
        if config.characters:
            characters = visible_characters(form, config.characters.max_characters)
        vector_key = lowered if config.vectors and config.vectors.lowercase else form
        return FormIds(
            self._words.get(form, UNKNOWN),
            self._shapes.get(shape_of(form), UNKNOWN) if config.shape else UNKNOWN,
            self._vectors.get(vector_key, UNKNOWN),
            tuple(self._prefixes.get(f"{length}{lowered[:length]}", UNKNOWN) for length in prefixes),
            tuple(self._suffixes.get(f"{length}{lowered[-length:]}", UNKNOWN) for length in suffixes),
            tuple(self._characters.get(character, UNKNOWN) for character in characters),
            self.tokenizer.pieces(form) if self.tokenizer else (),
        )

    def cost(self, form: str) -> int:
        """How many positions of the encoder's sequence the form takes."""
        return max(1, len(self.form_ids(form).pieces))

    def batch(self, sequences: Sequence[Sequence[str]]) -> TokenBatch:
        """Pad sequences of forms into one batch.

        Args:
            sequences: At least one sequence; none of them empty.
        """
        position: dict[str, int] = {}
        rows = [[position.setdefault(form, len(position)) for form in forms] for forms in sequences]
        lengths = [len(row) for row in rows]
        ids = [self.form_ids(form) for form in position]
        pieces = None
        if self.tokenizer:
            pieces = make_pieces(
                [[ids[index] for index in row] for row in rows],
                prefix=self.tokenizer.prefix,
                suffix=self.tokenizer.suffix,
                padding=self.tokenizer.padding,
            )
        return TokenBatch(torch.tensor(lengths), length_mask(lengths), pad(rows), make_forms(ids), pieces)


def as_seen(form: str) -> str:
    """The form as features see it; no text is ever changed.

    "e" and a combining acute accent mean what "é" means, and every run of pictographs looks alike: new emoji come every
    year, and no corpus has them all.
    """
    if form.isascii():
        return form
    # To put the marks of one letter in order takes a time that grows with the square of their number.
    composed = unicodedata.normalize("NFC", form) if len(form) <= _LONGEST_COMPOSED else form
    return _PICTOGRAPHS.sub(_PICTOGRAPH, composed)


def _index(entries: Sequence[str]) -> dict[str, int]:
    return {entry: index for index, entry in enumerate(entries, start=2)}
