"""Units: what of a raw text a segmenter labels, its characters or its syllables.

The units of a text follow each other without a gap and are together the whole text, so labels of units are labels of
characters, and offsets stay exact.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar, overload

from taggers.boundaries import INSIDE, OUTSIDE

UnitKind = Literal["characters", "syllables"]

T = TypeVar("T")


class Units(Protocol):
    """The units of one text."""

    @property
    def forms(self) -> Sequence[str]:
        """What a network reads of each unit."""
        ...

    def gather(self, labels: Sequence[T]) -> list[T]:
        """The labels of all characters -> those of all units; of a boundary inside a unit nothing is left."""
        ...

    def spread(self, labels: list[str], start: int = 0) -> list[str]:
        """The labels of the units from ``start`` on -> those of their characters."""
        ...


def find_units(text: str, kind: UnitKind, *, lookahead: int = 0) -> Units:
    """The units of a text.

    Args:
        text: Any text.
        kind: Characters, or syllables: see ``Syllables``.
        lookahead: Of characters: how many of those behind its own each form shows.
    """
    match kind:
        case "characters":
            return Characters(text, lookahead=lookahead)
        case "syllables":
            return Syllables(text)


class Characters:
    """Each character is a unit; its form shows those behind it, too, fewer at the end of the text."""

    def __init__(self, text: str, *, lookahead: int) -> None:
        self.forms: Sequence[str] = _Ahead(text, lookahead) if lookahead else text

    def gather(self, labels: Sequence[T]) -> list[T]:
        """The same labels."""
        return list(labels)

    def spread(self, labels: list[str], start: int = 0) -> list[str]:  # noqa: ARG002
        """The same labels."""
        return labels


class Syllables:
    """What is written apart, and punctuation: in Vietnamese syllables, of which a word has one or more.

    A unit is a run of letters, digits and their marks, or any other single character, with the white space before it;
    ideographs, kana and Hangul are single, too. White space at the end of the text belongs to its last unit. The form
    shows of the white space whether there is a line end or a blank line in it.
    """

    def __init__(self, text: str) -> None:
        shape = text.translate({ord(character): _kind(character) for character in set(text)})
        matches = list(_UNIT.finditer(shape))
        self._opens = [match.start(1) for match in matches]
        self._stops = [match.end() for match in matches]
        if matches:
            self._stops[-1] = len(text)
        elif text:  # white space alone
            self._opens, self._stops = [0], [len(text)]
        self.forms = [
            _gap(text[match.start() : match.start(1)]) + text[match.start(1) : match.end()] for match in matches
        ] or [" "] * len(self._opens)

    def gather(self, labels: Sequence[T]) -> list[T]:
        """The label of each unit's first visible character."""
        return [labels[place] for place in self._opens]

    def spread(self, labels: list[str], start: int = 0) -> list[str]:
        """Each unit's label at its first visible character; what is behind it, or before it in a word, is inside."""
        spread: list[str] = []
        done = self._stops[start - 1] if start else 0
        for index, label in enumerate(labels, start):
            opens, stop = self._opens[index], self._stops[index]
            spread += [INSIDE if label == INSIDE else OUTSIDE] * (opens - done)
            spread += [label, *[INSIDE] * (stop - opens - 1)]
            done = stop
        return spread


_UNIT = re.compile("s*(w[wm]*|[^s]m*)")
"""A unit in the shape of a text, and in it what is visible."""


def _kind(character: str) -> str:
    """White space ``s``, a letter or digit of a run ``w``, a mark ``m``, anything else ``p``."""
    if character.isspace():
        return "s"
    if unicodedata.category(character).startswith("M"):
        return "m"
    joins = (character.isalnum() or character == "_") and unicodedata.east_asian_width(character) != "W"
    return "w" if joins else "p"


def _gap(space: str) -> str:
    return "\n" * min(space.count("\n"), 2) or (space and " ")


class _Ahead(Sequence[str]):
    """Forms that look ahead, made when they are asked for: of a long text they take many times its memory."""

    def __init__(self, text: str, lookahead: int) -> None:
        self._text = text
        self._lookahead = lookahead

    def __len__(self) -> int:
        return len(self._text)

    @overload
    def __getitem__(self, where: int) -> str: ...
    @overload
    def __getitem__(self, where: slice) -> list[str]: ...
    def __getitem__(self, where: int | slice) -> Any:
        if isinstance(where, int):
            return self[where : where + 1][0]
        start, stop, _ = where.indices(len(self))
        return [self._text[place : place + 1 + self._lookahead] for place in range(start, stop)]
