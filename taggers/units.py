"""Units: what of a raw text a segmenter labels: its characters, or runs of them.

The units of a text follow each other without a gap and are together the whole text, so labels of units are labels of
characters, and offsets stay exact.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar, overload

from taggers.boundaries import INSIDE, OUTSIDE

UnitKind = Literal["characters", "syllables", "runs"]

T = TypeVar("T")

LOOKED_AT = 10_000
"""So many characters are looked at in one go, or a few more."""


class Units(Protocol):
    """The units of one text, which are there once they were looked for."""

    def look(self) -> Iterator[None]:
        """Look for them, in one part of the text after the other."""
        ...

    @property
    def forms(self) -> Sequence[str]:
        """What a network reads of each unit."""
        ...

    @property
    def opens(self) -> Collection[int]:
        """Where a boundary can be: the first visible character of each unit."""
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
        kind: Characters, or runs of them: see ``Runs``.
        lookahead: Of characters: how many of those behind its own each form shows.
    """
    units = units_of(text, kind, lookahead=lookahead)
    for _ in units.look():
        pass
    return units


def units_of(text: str, kind: UnitKind, *, lookahead: int = 0) -> Units:
    """The same before they were looked for."""
    match kind:
        case "characters":
            return Characters(text, lookahead=lookahead)
        case "syllables":
            return Runs(text, _syllable_shape, _SYLLABLE)
        case "runs":
            return Runs(text, _run_shape, _RUN)


class Characters:
    """Each character is a unit; its form shows those behind it, too, fewer at the end of the text."""

    def __init__(self, text: str, *, lookahead: int) -> None:
        self.forms: Sequence[str] = _Ahead(text, lookahead) if lookahead else text
        self.opens = range(len(text))

    def look(self) -> Iterator[None]:
        """There is nothing to look for."""
        return iter(())

    def gather(self, labels: Sequence[T]) -> list[T]:
        """The same labels."""
        return list(labels)

    def spread(self, labels: list[str], start: int = 0) -> list[str]:  # noqa: ARG002
        """The same labels."""
        return labels


class Runs:
    """What belongs together whatever the words are, with the white space before it.

    Syllables are what is written apart, and punctuation, for a language like Vietnamese, where a word has one or more:
    runs of letters, digits and their marks, or any other single character; ideographs, kana and Hangul are single, too.
    Runs part letters and digits ("10|am"), and what English writes together with a verb ("do|n|'|t").

    White space at the end of the text belongs to its last unit. The form shows of the white space whether there is a
    line end or a blank line in it.

    Args:
        text: The text.
        shape_of: Text -> a letter for each of its characters, which says what kind it is.
        unit: What is a unit in that shape, whose group is what is visible of it.
    """

    def __init__(self, text: str, shape_of: Callable[[str], str], unit: re.Pattern[str]) -> None:
        self.forms: list[str] = []
        self._text = text
        self._shape_of = shape_of
        self._unit = unit
        self._opens: list[int] = []
        self._stops: list[int] = []

    def look(self) -> Iterator[None]:
        """Look for the units, block by block."""
        for start, stop in _blocks(self._text):
            part = self._text[start:stop]
            shape = self._shape_of(part)
            # White space at the end is none, and every place in it would be tried.
            for match in self._unit.finditer(shape, 0, len(shape.rstrip("s"))):
                opens, end = match.start(1), match.end()
                self._opens.append(start + opens)
                self._stops.append(start + end)
                self.forms.append(_gap(part[match.start() : opens]) + part[opens:end])
            yield
        if self._stops:
            self._stops[-1] = len(self._text)
        elif self._text:  # white space alone
            self.forms, self._opens, self._stops = [" "], [0], [len(self._text)]

    @property
    def opens(self) -> Collection[int]:
        """Where a boundary can be."""
        return frozenset(self._opens)

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


_GAP = re.compile(r"(?<=\S)\s")

_SYLLABLE = re.compile("s*([wd][wdm]*|[^s]m*)")
_RUN = re.compile("s*(w[wm]*|d[dm]*|[^s]m*)")
_NEGATION = re.compile(r"(?<=[^\W\d_])[nN](?=['\N{RIGHT SINGLE QUOTATION MARK}`][tT]\b)")


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """The text in parts that begin where a unit does: with the first of some white space."""
    start = 0
    while start < len(text):
        gap = _GAP.search(text, start + LOOKED_AT)
        stop = gap.start() if gap else len(text)
        yield start, stop
        start = stop


def _syllable_shape(text: str) -> str:
    return text.translate({ord(character): _kind(character) for character in set(text)})


def _run_shape(text: str) -> str:
    shape = _syllable_shape(text)
    if not (found := [match.start() for match in _NEGATION.finditer(text)]):
        return shape
    kinds = list(shape)
    for place in found:
        kinds[place] = "p"
    return "".join(kinds)


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """White space ``s``, a letter of a run ``w``, a digit ``d``, a mark ``m``, anything else ``p``."""
    if character.isspace():
        return "s"
    if unicodedata.category(character).startswith("M"):
        return "m"
    if character.isdecimal():
        return "d"
    joins = (character.isalnum() or character == "_") and unicodedata.east_asian_width(character) != "W"
    return "w" if joins else "p"


def _gap(space: str) -> str:
    return space if space in ("", " ") else "\n" * min(space.count("\n"), 2) or " "


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
