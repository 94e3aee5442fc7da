"""Lengths -> batches of like length under a budget of padded tokens.

A padded batch costs the length of its longest item times the number of its items, so items of like length belong
together. The training sampler and the offline pipeline cut a whole list with ``pack``; the service's batcher, where
items arrive while others run, takes one batch at a time with ``grow``.
"""

from collections.abc import Sequence


def pack(lengths: Sequence[int], *, max_padded_tokens: int) -> list[list[int]]:
    """Cut items into batches of like length, the longest first.

    Args:
        lengths: The length of each item, in tokens; an empty item counts as one token.
        max_padded_tokens: The most that a batch may cost: its longest length times its number of items.

    Returns:
        Batches of positions in ``lengths``, every position exactly once. An item longer than the budget runs alone.
        The longest come first, so that a batch that does not fit in memory is found at once.

    Raises:
        ValueError: The budget is below 1, or a length is negative.
    """
    _check_budget(max_padded_tokens)
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    if order and lengths[order[-1]] < 0:
        raise ValueError(f"expected lengths of at least 0, found {lengths[order[-1]]}")
    batches = []
    start = 0
    while start < len(order):
        size = max(1, max_padded_tokens // _cost(lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def grow(waiting: Sequence[int], anchor: int, *, max_padded_tokens: int) -> range:
    """The best batch that holds one given item: the neighbors by length that fill the budget with most real tokens.

    Args:
        waiting: The lengths of the waiting items, in ascending order; an empty item counts as one token.
        anchor: The position in ``waiting`` of the item that must run now.
        max_padded_tokens: The most that a batch may cost: its longest length times its number of items.

    Returns:
        The positions of the batch in ``waiting``; ``anchor`` alone if it is longer than the budget. Among equals, the
        one with least padding.

    Raises:
        ValueError: The budget is below 1, or ``anchor`` is not a position of ``waiting``.
    """
    _check_budget(max_padded_tokens)
    if not 0 <= anchor < len(waiting):
        raise ValueError(f"expected an anchor from 0 to {len(waiting) - 1}, found {anchor}")
    first = max(0, anchor + 1 - max(1, max_padded_tokens // _cost(waiting[anchor])))
    best = range(anchor, anchor + 1)
    best_real = best_cost = _cost(waiting[anchor])
    real = 0
    # Slide the end to the right; the longest item sets how many fit, and so how far left the batch reaches.
    for last in range(first, len(waiting)):
        real += _cost(waiting[last])
        if last < anchor:
            continue
        longest = _cost(waiting[last])
        stop = last + 1
        while first < stop and longest * (stop - first) > max_padded_tokens:
            real -= _cost(waiting[first])
            first += 1
        if first > anchor:
            break
        cost = longest * (stop - first)
        if real > best_real or (real == best_real and cost < best_cost):
            best, best_real, best_cost = range(first, stop), real, cost
    return best


def _cost(length: int) -> int:
    """An empty item still takes a row, and no number of rows is free."""
    return max(1, length)


def _check_budget(max_padded_tokens: int) -> None:
    if max_padded_tokens < 1:
        raise ValueError(f"expected a budget of at least 1 padded token, found {max_padded_tokens}")
