"""Characters that belong to the one before them: a token boundary never falls inside what people see as one character.

A part of the extended grapheme clusters of Unicode Standard Annex 29: combining marks, variation selectors, joiners and
what they join, skin tones, and the second half of a flag.
"""

import unicodedata

from taggers.boundaries import INSIDE, OUTSIDE

_JOINER = "\u200d"
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))


def keep_clusters(text: str, labels: list[str]) -> list[str]:
    """Boundary labels with every character that belongs to the one before it inside its token.

    Args:
        text: The text.
        labels: One boundary label for each character.
    """
    if text.isascii():
        return labels
    followers = {character for character in set(text) if _follows(character)}
    if not followers:
        return labels
    kept = list(labels)
    half_flag = False
    for position, character in enumerate(text):
        is_letter = character in _FLAG_LETTERS
        joined = character in followers and (not is_letter or half_flag)
        before = text[position - 1] if position else " "
        if (joined or before == _JOINER) and not before.isspace() and not character.isspace():
            kept[position] = OUTSIDE if kept[position - 1] == OUTSIDE else INSIDE
        half_flag = is_letter and not half_flag
    return kept


def _follows(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or character == _JOINER
        or character in _SKIN_TONES
        or character in _FLAG_LETTERS
    )
