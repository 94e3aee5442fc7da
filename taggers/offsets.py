"""Offsets in the unit that a caller counts in: code points, UTF-16 code units or UTF-8 bytes.

Everything inside counts code points; the two other units exist where text enters and leaves.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class OffsetUnit(StrEnum):
    """What an offset counts: Python's, JavaScript's and Java's, or the bytes of a file."""

    CODEPOINT = "codepoint"
    UTF16 = "utf16"
    UTF8 = "utf8"


class OffsetMap:
    """The offsets of one text in code points <-> in another unit.

    Args:
        text: The text; offsets are into it.
        unit: The other unit.
    """

    __slots__ = ("_end", "_starts")

    def __init__(self, text: str, unit: OffsetUnit) -> None:
        starts = None if text.isascii() else _starts(text, unit)
        self._end = len(text) if starts is None else int(starts[-1])
        self._starts = None if self._end == len(text) else starts  # None: both units count alike

    def to_unit(self, offset: int) -> int:
        """An offset in code points, in [0, length of the text], in the unit."""
        return offset if self._starts is None else int(self._starts[offset])

    def to_units(self, offsets: Sequence[int]) -> Sequence[int]:
        """Many offsets at once, as ``to_unit`` converts one."""
        if self._starts is None:
            return offsets
        converted: list[int] = self._starts[list(offsets)].tolist()
        return converted

    def to_codepoint(self, offset: int) -> int:
        """An offset in the unit, in code points.

        Raises:
            ValueError: It is outside the text, or inside a character.
        """
        if 0 <= offset <= self._end:
            found = offset if self._starts is None else int(np.searchsorted(self._starts, offset))
            if self._starts is None or int(self._starts[found]) == offset:
                return found
        raise ValueError(f"offset {offset} is outside the text or inside a character")


def _starts(text: str, unit: OffsetUnit) -> npt.NDArray[np.int64] | None:
    """Where each character starts in ``unit``, and where the last one ends; None where it is its own index."""
    if unit is OffsetUnit.CODEPOINT:
        return None
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    limits = (0x10000,) if unit is OffsetUnit.UTF16 else (0x80, 0x800, 0x10000)
    widths = np.ones(len(codes), dtype=np.int64)
    for limit in limits:
        widths += codes >= limit
    return np.concatenate(([0], np.cumsum(widths)))
