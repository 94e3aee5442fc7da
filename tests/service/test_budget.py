"""How big a batch may be, on devices that take their time."""

from collections.abc import Sequence

import pytest

from service.budget import Budget, fastest_positions
from taggers.labeler import Chunk, Labels, Run

CHUNK = Chunk(["word"] * 16, slice(0, 16), 16)


def test_it_is_what_takes_the_time() -> None:
    budget = Budget(max_positions=1_000, seconds=0.1)
    assert budget.positions == 1_000  # until something is known
    budget.observe(1_000, 0.2)
    assert budget.positions == 500
    budget.observe(10, 1.0)  # that is the fixed cost of a batch, and no speed
    assert budget.positions == 500
    for _ in range(50):
        budget.observe(500, 0.001)
    assert budget.positions == 1_000
    for _ in range(100):
        budget.observe(1_000, 100.0)
    assert budget.positions == 64


def test_what_did_not_fit_is_not_tried_again() -> None:
    budget = Budget(max_positions=1_000, seconds=1)
    budget.shrink(600)
    assert budget.positions == 300
    budget.shrink(5_000)
    assert budget.positions == 300
    budget.shrink(1)
    assert budget.positions == 1


@pytest.mark.parametrize(
    ("fixed_s", "per_position_s", "slow_from", "seconds", "expected"),
    [
        (0.0, 1.0, 10**9, 1e6, 256),  # nothing to gain
        (512.0, 1.0, 10**9, 1e6, 8_192),  # a fixed cost that many share: nine tenths of the best speed are enough
        (512.0, 1.0, 10**9, 2_000.0, 2_048),  # the best within the time, and one beyond to know it
        (512.0, 1.0, 3_000, 1e6, 2_048),  # what no cache holds is slow
    ],
)
def test_the_fastest_batch_is_found(
    fixed_s: float, per_position_s: float, slow_from: int, seconds: float, expected: int
) -> None:
    now = 0.0

    def prepare(chunks: Sequence[Chunk]) -> Run:
        positions = sum(chunk.cost for chunk in chunks)

        def run() -> list[Labels]:
            nonlocal now
            now += fixed_s + positions * per_position_s * (1 + (positions > slow_from))
            return []

        return run

    assert fastest_positions(prepare, CHUNK, seconds=seconds, clock=lambda: now) == expected
