"""Epochs of batches: every example once, like lengths together, another order every time and the same one again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from training.sampler import epoch_batches

LENGTHS = st.lists(st.integers(1, 60), max_size=200)


@given(LENGTHS, st.integers(1, 100), st.integers(0, 3), st.integers(0, 3))
def test_every_example_is_in_one_batch_within_the_budget(lengths, budget, seed, epoch) -> None:
    batches = epoch_batches(lengths, max_padded_tokens=budget, seed=seed, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[index] for index in batch) * len(batch) <= budget


def realistic_lengths(count: int) -> list[int]:
    """Sentence lengths as corpora have them: mostly short, some very long."""
    draw = random.Random(1)
    return [1 + int(draw.lognormvariate(2.5, 0.8)) for _ in range(count)]


def test_an_epoch_is_the_same_again_and_another_is_not() -> None:
    lengths = realistic_lengths(500)

    def batches(seed: int, epoch: int) -> list[list[int]]:
        return epoch_batches(lengths, max_padded_tokens=200, seed=seed, epoch=epoch)

    assert batches(1, 0) == batches(1, 0)
    assert len({str(batches(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 11)}) == 6
    # not only the order of the batches changes, but who meets whom
    assert {frozenset(batch) for batch in batches(1, 0)} != {frozenset(batch) for batch in batches(1, 1)}


def test_lengths_are_alike_within_a_batch() -> None:
    lengths = realistic_lengths(20_000)
    batches = epoch_batches(lengths, max_padded_tokens=1000, seed=1, epoch=0)
    padded = sum(max(lengths[index] for index in batch) * len(batch) for batch in batches)
    assert 1 - sum(lengths) / padded < 0.1  # 0.06; unsorted batches of this budget are two thirds padding


def test_batches_come_in_no_order_of_length() -> None:
    lengths = realistic_lengths(2000)
    batches = epoch_batches(lengths, max_padded_tokens=300, seed=1, epoch=0)
    longest = [max(lengths[index] for index in batch) for batch in batches]
    assert longest != sorted(longest)
    assert longest != sorted(longest, reverse=True)
