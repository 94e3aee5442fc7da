"""A long sequence -> overlapping windows, so that every position is judged exactly once and never without context.

An encoder reads a bounded number of characters or pieces at a time. Neighboring windows overlap by twice the margin,
and each gives up its answers nearer than the margin to an edge where it was cut, to the neighbor that sees further.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Positions ``start:stop`` of a sequence are read together; ``keep_start:keep_stop`` take their answer from it."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def windows(length: int, *, size: int, margin: int) -> list[Window]:
    """Cover a sequence by windows, in order.

    Args:
        length: Positions in the sequence.
        size: The most positions that a window may hold. All windows of a sequence that is cut have this size: the last
            reaches further back instead of being short, which gives it more context.
        margin: Positions of context that a kept position has at least, between itself and a cut edge.

    Returns:
        Windows whose kept ranges are disjoint, in order and together the whole sequence; one if it fits uncut, none if
        it is empty.

    Raises:
        ValueError: The windows would keep nothing (``size <= 2 * margin``), or a number is negative.
    """
    if length < 0 or margin < 0:
        raise ValueError(f"expected a length and a margin of at least 0, found {length} and {margin}")
    if size <= 2 * margin:
        raise ValueError(f"expected windows larger than two margins of {margin}, found a size of {size}")
    made = []
    kept = 0
    while kept < length:
        start = max(0, min(kept - margin, length - size))
        stop = min(length, start + size)
        keep_stop = length if stop == length else stop - margin
        made.append(Window(start, stop, kept, keep_stop))
        kept = keep_stop
    return made
