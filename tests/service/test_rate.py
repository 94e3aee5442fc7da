"""The rate limit against a clock that the test turns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rate import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_as_many_again_in_a_minute() -> None:
    clock = Clock()
    limit = RateLimit(per_minute=3, clock=clock)
    assert [limit.take("a") for _ in range(3)] == [0, 0, 0]
    assert limit.take("a") == pytest.approx(20)
    assert limit.take("b") == 0
    clock.now += 19
    assert limit.take("a") == pytest.approx(1)
    clock.now += 1
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(20)
    clock.now += 1_000
    assert [limit.take("a") > 0 for _ in range(4)] == [False, False, False, True]


@settings(max_examples=60)
@given(st.integers(1, 50), st.lists(st.floats(0, 30), max_size=200))
def test_no_minute_has_more_than_twice_the_limit_and_who_waits_as_told_gets_in(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    rate = RateLimit(per_minute=limit, clock=clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        if wait := rate.take("a"):
            clock.now += wait + 1e-6
            assert rate.take("a") == 0
        taken.append(clock.now)
        assert sum(at > clock.now - 60 for at in taken) <= 2 * limit
        assert len(taken) <= limit + (clock.now - 1_000) * limit / 60 + 1


def test_quiet_clients_are_forgotten() -> None:
    clock = Clock()
    limit = RateLimit(per_minute=60, clock=clock)
    for number in range(10_000):
        clock.now += 0.1
        assert limit.take(str(number)) == 0
        assert len(limit) <= 1_001
