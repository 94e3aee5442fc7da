"""Units: what of a raw text a segmenter labels: its characters, or runs of them.

The units of a text follow each other without a gap and are together the whole text, so labels of units are labels of
characters, and offsets stay exact.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any, Literal, Protocol, TypeVar, overload

from taggers.boundaries import INSIDE, OUTSIDE

UnitKind = Literal["characters", "syllables", "runs"]

T = TypeVar("T")


class Units(Protocol):
    """The units of one text."""

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
    match kind:
        case "characters":
            return Characters(text, lookahead=lookahead)
        case "syllables":
            return Runs(text, _syllable_shape(text), _SYLLABLE)
        case "runs":
            return Runs(text, _run_shape(text), _RUN)


class Characters:
    """Each character is a unit; its form shows those behind it, too, fewer at the end of the text."""

    def __init__(self, text: str, *, lookahead: int) -> None:
        self.forms: Sequence[str] = _Ahead(text, lookahead) if lookahead else text
        self.opens = range(len(text))

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
        shape: A letter for each of its characters, which says what kind it is.
        unit: What is a unit in that shape, whose group is what is visible of it.
    """

    def __init__(self, text: str, shape: str, unit: re.Pattern[str]) -> None:
        matches = list(unit.finditer(shape))
        self._opens = [match.start(1) for match in matches]
        self._stops = [match.end() for match in matches]
        if matches:
            self._stops[-1] = len(text)
        elif text:  # white space alone
            self._opens, self._stops = [0], [len(text)]
        self.forms = [
            _gap(text[match.start() : match.start(1)]) + text[match.start(1) : match.end()] for match in matches
        ] or [" "] * len(self._opens)

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


_SYLLABLE = re.compile("s*([wd][wdm]*|[^s]m*)")
_RUN = re.compile("s*(w[wm]*|d[dm]*|[^s]m*)")
_NEGATION = re.compile(r"(?<=[^\W\d_])[nN](?=['\N{RIGHT SINGLE QUOTATION MARK}`][tT]\b)")


def _syllable_shape(text: str) -> str:
    return text.translate({ord(character): _kind(character) for character in set(text)})


def _run_shape(text: str) -> str:
    shape = _syllable_shape(text)
    for match in _NEGATION.finditer(text):
        shape = f"{shape[: match.start()]}p{shape[match.end() :]}"
    return shape


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
