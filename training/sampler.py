"""Seeded epochs of length-bucketed batches: like lengths together, and yet in another order every time."""

import random
from collections.abc import Sequence

from taggers.packing import pack

_BATCHES_OF_A_BUCKET = 32


def epoch_batches(lengths: Sequence[int], *, max_padded_tokens: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch, as indices: the same for the same seed and epoch.

    The items are shuffled, cut into buckets worth some dozens of batches, packed by length within each bucket, and the
    batches shuffled again. So lengths are alike within a batch, and who meets whom changes from epoch to epoch.

    Args:
        lengths: The items' lengths.
        max_padded_tokens: The most positions in a batch, padding included.
        seed: The run's seed.
        epoch: Counted from 0.
    """
    order = random.Random(f"{seed}:{epoch}")
    indices = list(range(len(lengths)))
    order.shuffle(indices)
    batches: list[list[int]] = []
    bucket: list[int] = []
    tokens = 0
    for index in indices:
        bucket.append(index)
        tokens += lengths[index]
        if tokens >= _BATCHES_OF_A_BUCKET * max_padded_tokens:
            batches.extend(_pack_bucket(bucket, lengths, max_padded_tokens))
            bucket, tokens = [], 0
    batches.extend(_pack_bucket(bucket, lengths, max_padded_tokens))
    order.shuffle(batches)
    return batches


def _pack_bucket(bucket: list[int], lengths: Sequence[int], max_padded_tokens: int) -> list[list[int]]:
    packed = pack([lengths[index] for index in bucket], max_padded_tokens=max_padded_tokens)
    return [[bucket[position] for position in batch] for batch in packed]
