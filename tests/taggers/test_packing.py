import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.packing import grow, pack

lengths = st.lists(st.integers(0, 12), max_size=30)
budgets = st.integers(1, 60)


def cost(sizes):
    return max(1, *sizes) * len(sizes)


@given(lengths, budgets)
def test_every_item_is_packed_once_and_within_the_budget(sizes, budget):
    batches = pack(sizes, max_padded_tokens=budget)

    assert sorted(itertools.chain(*batches)) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) == 1 or cost([sizes[index] for index in batch]) <= budget


@given(lengths, budgets)
def test_batches_come_in_order_of_length_longest_first(sizes, budget):
    packed = [sizes[index] for batch in pack(sizes, max_padded_tokens=budget) for index in batch]

    assert packed == sorted(sizes, reverse=True)


@given(lengths, budgets)
def test_no_batch_could_take_the_first_item_of_the_next(sizes, budget):
    batches = pack(sizes, max_padded_tokens=budget)

    for batch, following in itertools.pairwise(batches):
        assert cost([sizes[index] for index in [*batch, following[0]]]) > budget


def test_equal_lengths_keep_their_order():
    assert pack([2, 2, 2, 2, 2], max_padded_tokens=4) == [[0, 1], [2, 3], [4]]


def test_an_item_over_the_budget_runs_alone():
    assert pack([9, 1, 1], max_padded_tokens=4) == [[0], [1, 2]]


@given(lengths.filter(bool).map(sorted), budgets, st.data())
def test_growing_finds_the_batch_with_most_real_tokens(sizes, budget, data):
    anchor = data.draw(st.integers(0, len(sizes) - 1))
    slices = [
        range(start, stop)
        for start in range(anchor + 1)
        for stop in range(anchor + 1, len(sizes) + 1)
        if cost(sizes[start:stop]) <= budget
    ] or [range(anchor, anchor + 1)]

    found = grow(sizes, anchor, max_padded_tokens=budget)

    def worth(batch):
        return sum(max(1, size) for size in sizes[batch.start : batch.stop]), -cost(sizes[batch.start : batch.stop])

    assert found in slices
    assert worth(found) == max(map(worth, slices))


def test_empty_items_take_a_row_each():
    assert grow([0, 0, 0, 1], 1, max_padded_tokens=3) == range(3)
    assert pack([0, 0, 0], max_padded_tokens=2) == [[0, 1], [2]]


def test_growing_takes_neighbors_on_both_sides():
    assert grow([1, 5, 5, 5, 6, 90], 2, max_padded_tokens=24) == range(1, 5)


def test_an_anchor_over_the_budget_runs_alone():
    assert grow([1, 5, 90, 100], 2, max_padded_tokens=24) == range(2, 3)


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 padded token, found 0"):
        pack([1], max_padded_tokens=0)
    with pytest.raises(ValueError, match="at least 1 padded token, found 0"):
        grow([1], 0, max_padded_tokens=0)


def test_negative_lengths_are_refused():
    with pytest.raises(ValueError, match="at least 0, found -1"):
        pack([3, -1], max_padded_tokens=5)


@pytest.mark.parametrize("anchor", [-1, 2])
def test_an_anchor_that_does_not_wait_is_refused(anchor):
    with pytest.raises(ValueError, match=f"anchor from 0 to 1, found {anchor}"):
        grow([1, 2], anchor, max_padded_tokens=5)
