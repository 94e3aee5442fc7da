import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.room import Entry, WaitingRoom
from taggers.labeler import Chunk


def chunk(cost: int) -> Chunk:
    return Chunk(["word"] * cost, slice(0, cost), cost)


def chunks(*costs: int) -> list[Chunk]:
    return [chunk(cost) for cost in costs]


def taken(room: WaitingRoom[str], budget: int) -> list[tuple[str, int]]:
    return [(entry.owner, entry.position) for entry in room.take(max_padded_tokens=budget)]


def everything(room: WaitingRoom[str], budget: int) -> list[list[Entry[str]]]:
    batches = []
    while batch := room.take(max_padded_tokens=budget):
        batches.append(batch)
    return batches


def test_empty_room_gives_nothing() -> None:
    assert WaitingRoom[str]().take(max_padded_tokens=10) == []


def test_batch_grows_around_the_oldest_with_its_neighbors_by_length() -> None:
    room = WaitingRoom[str]()
    room.add("old", chunks(4))
    room.add("long", chunks(30))
    room.add("short", chunks(1))
    room.add("like", chunks(4, 4))
    assert sorted(taken(room, 12)) == [("like", 0), ("like", 1), ("old", 0)]
    assert taken(room, 12) == [("long", 0)]
    assert taken(room, 12) == [("short", 0)]
    assert len(room) == 0


def test_one_over_the_budget_runs_alone() -> None:
    room = WaitingRoom[str]()
    room.add("big", chunks(9))
    room.add("small", chunks(5))
    assert [taken(room, 5), taken(room, 5)] == [[("big", 0)], [("small", 0)]]


def test_a_batch_of_unlike_lengths_is_a_smaller_one() -> None:
    room = WaitingRoom[str]()
    room.add("old", chunks(40))
    room.add("like", chunks(*[40] * 4))
    room.add("unlike", chunks(*range(1, 31)))
    assert {owner for owner, _ in taken(room, 400)} == {"old", "like"}  # with all that fits half would be padding
    assert {owner for owner, _ in taken(room, 400)} == {"unlike"}


def test_the_oldest_is_in_every_batch_though_newcomers_would_fill_it_better() -> None:
    room = WaitingRoom[str]()
    room.add("odd", chunks(3))
    for number in range(20):
        room.add(f"new {number}", chunks(*[50] * 10))
    assert ("odd", 0) in taken(room, 100)


def test_small_requests_are_served_in_order_of_arrival() -> None:
    room = WaitingRoom[str]()
    for number in range(50):
        room.add(str(number), chunks(10))
    assert [batch[0].owner for batch in everything(room, 10)] == [str(number) for number in range(50)]


costs = st.lists(st.integers(1, 60), max_size=50)


@given(st.lists(costs, max_size=8), st.integers(1, 100), st.randoms(use_true_random=False))
def test_every_chunk_leaves_once_in_a_batch_within_the_budget(
    requests: list[list[int]], budget: int, rng: random.Random
) -> None:
    room = WaitingRoom[str]()
    expected, gone, batches = set(), set(), []
    for number, lengths in enumerate(requests):
        entries = room.add(str(number), chunks(*lengths))
        expected |= {(str(number), position) for position in range(len(lengths))}
        if rng.random() < 0.3:
            batches.append(room.take(max_padded_tokens=budget))
        if rng.random() < 0.3:
            gone |= {(entry.owner, entry.position) for entry in entries if entry.waits}
            room.remove(entries)
            room.remove(entries)  # once more changes nothing
        assert room.tokens == sum(room._costs)
        assert room._costs == sorted(room._costs) == [entry.chunk.cost for entry in room._entries]
    batches += everything(room, budget)
    left = [(entry.owner, entry.position) for batch in batches for entry in batch]
    assert len(left) == len(set(left))
    assert set(left) == expected - gone
    for batch in filter(None, batches):
        cost = max(entry.chunk.cost for entry in batch) * len(batch)
        assert cost <= budget or len(batch) == 1
    assert len(room) == 0


@pytest.mark.parametrize("count", [3, 100])
def test_those_removed_do_not_come_back(count: int) -> None:
    room = WaitingRoom[str]()
    entries = room.add("gone", chunks(*[5] * count))
    room.add("stays", chunks(5))
    room.remove(entries)
    assert len(room) == 1
    assert taken(room, 10) == [("stays", 0)]
    assert room.take(max_padded_tokens=10) == []
