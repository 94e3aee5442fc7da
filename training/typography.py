"""Typographic variants in training: annotated corpora are mostly ASCII, people's texts are not.

Curly quotes for straight ones, dashes for hyphens that stand alone, an ellipsis for three dots, emoji beside words. The
labels move along; what is drawn is the same for the same random state.
"""

import random
from collections.abc import Iterator, Sequence

from taggers.boundaries import INSIDE, LABELS, OUTSIDE, TOKEN

_OUTSIDE, _INSIDE, _TOKEN = (LABELS.index(label) for label in (OUTSIDE, INSIDE, TOKEN))

_DASHES = "\u2013\u2014"
_EMOJI_RANGES = ((0x1F300, 0x1F64F), (0x1F680, 0x1F6C5), (0x1F90C, 0x1F9FF), (0x2600, 0x26FF))
_EMOJI_RATE = 0.015
"""How many of a varied text's tokens an emoji follows."""
_EMOTICONS = frozenset([":)", ":-)", ":(", ":-(", ";)", ";-)", ":D", ":-D", ":P", "=)", "<3", ":o)"])
_CLOSING = frozenset(",.;:!?)]}%\u2026\u201d\u2019")
_OPENING = frozenset("([{\u201c\u2018")
_OPENS_AFTER = frozenset(" \t\n([{\u2013\u2014-")


def draw_emoji(order: random.Random) -> str:
    """One emoji, sometimes repeated."""
    first, last = order.choice(_EMOJI_RANGES)
    return chr(order.randint(first, last)) * order.choice((1, 1, 1, 2, 3))


def vary_words(words: Sequence[str], order: random.Random) -> tuple[str, ...]:
    """The same number of words, in other typography."""
    opened = False
    varied = []
    for word in words:
        if word == '"':
            opened = not opened
            varied.append("\u201c" if opened else "\u201d")
        elif word in ("-", "--"):
            varied.append(order.choice(_DASHES))
        elif word == "...":
            varied.append("\u2026")
        elif word in _EMOTICONS:
            varied.append(draw_emoji(order))
        else:
            varied.append(word.replace("'", "\u2019"))
    return tuple(varied)


def vary_characters(text: str, labels: Sequence[int], order: random.Random) -> tuple[str, list[int]]:
    """A text with one boundary label for each character, in other typography, its labels still in place."""
    characters: list[str] = []
    moved: list[int] = []
    for run, label in _runs(text, labels):
        replacement = _vary_run(run, label, characters[-1] if characters else " ", order)
        if replacement == run:
            characters.extend(run)
            moved.extend([label] + [_INSIDE] * (len(run) - 1) if label != _OUTSIDE else [_OUTSIDE] * len(run))
        else:
            characters.extend(replacement)
            moved.extend([label, *[_INSIDE] * (len(replacement) - 1)])
        if label != _OUTSIDE and order.random() < _EMOJI_RATE:
            space = order.choice(("", " ", " "))
            emoji = draw_emoji(order)
            characters.extend(space + emoji)
            moved.extend([_OUTSIDE] * len(space) + [_TOKEN] + [_INSIDE] * (len(emoji) - 1))
    return "".join(characters), moved


def tighten(text: str, labels: Sequence[int]) -> tuple[str, list[int]]:
    """The text without the space before closing and behind opening punctuation; the labels move along."""
    kept = []
    open_quote = False
    for index, character in enumerate(text):
        if character == '"':
            open_quote = not open_quote
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        closes = after in _CLOSING or (after == '"' and open_quote)
        opens = before in _OPENING or (before == '"' and open_quote)
        if not (character == " " and labels[index] == _OUTSIDE and ((after and closes) or (before and opens))):
            kept.append(index)
    return "".join(text[index] for index in kept), [labels[index] for index in kept]


def _runs(text: str, labels: Sequence[int]) -> Iterator[tuple[str, int]]:
    """A token or word with the label that opens it, or what lies between tokens."""
    start = 0
    for position in range(1, len(text) + 1):
        inside = position < len(text) and (
            labels[position] == _INSIDE or (labels[position] == _OUTSIDE == labels[position - 1])
        )
        if not inside:
            yield text[start:position], labels[start]
            start = position


def _vary_run(run: str, label: int, before: str, order: random.Random) -> str:
    if label == _OUTSIDE:
        return run
    if run in ("-", "--"):
        return order.choice(_DASHES)
    if run == "...":
        return "\u2026"
    if run in _EMOTICONS:
        return draw_emoji(order)
    opens = before in _OPENS_AFTER
    return run.replace('"', "\u201c" if opens else "\u201d").replace(
        "'", "\u2018" if opens and run == "'" else "\u2019"
    )
