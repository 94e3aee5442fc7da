from math import inf

import pytest

from service.admission import Admission
from service.errors import QueueFull


def test_room_is_held_and_given_back() -> None:
    admission = Admission(max_tokens=10)
    with admission.admit(6), admission.admit(4):
        assert admission.tokens == 10
        with (
            pytest.raises(QueueFull, match="10 tokens are waiting; the queue holds 10"),
            admission.admit(1),
        ):
            pass
    assert admission.tokens == 0


def test_room_is_given_back_by_one_that_fails() -> None:
    admission = Admission(max_tokens=10)
    with pytest.raises(ZeroDivisionError), admission.admit(6):
        raise ZeroDivisionError
    assert admission.tokens == 0


def test_one_that_is_bigger_than_the_queue_gets_in_alone() -> None:
    admission = Admission(max_tokens=10)
    with admission.admit(100):
        assert admission.tokens == 100


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admission_with(rate: float | None, *, max_seconds: float = inf) -> tuple[Admission, Clock]:
    """One that has measured a rate, in tokens a second."""
    clock = Clock()
    admission = Admission(max_tokens=100, max_seconds=max_seconds, clock=clock)
    if rate is not None:
        with admission.admit(50):
            clock.now += 50 / rate
    return admission, clock


@pytest.mark.parametrize(
    ("tokens", "rate", "seconds"),
    [(50, 10.0, 5), (50, 40.0, 2), (50, 0.001, 60), (50, None, 1), (10_000, 10.0, 10)],
)
def test_when_to_come_back_follows_from_the_rate(tokens: int, rate: float | None, seconds: int) -> None:
    admission, _ = admission_with(rate)
    with admission.admit(100), pytest.raises(QueueFull) as caught, admission.admit(tokens):
        pass
    assert caught.value.retry_after_s == seconds


def test_nobody_waits_longer_than_is_good() -> None:
    admission, _ = admission_with(10.0, max_seconds=3)
    with (
        admission.admit(25),
        admission.admit(5),
        pytest.raises(QueueFull, match="the queue holds 30 now"),
        admission.admit(1),
    ):
        pass


def test_the_rate_is_measured_while_the_queue_is_long() -> None:
    admission, clock = admission_with(None)
    for _ in range(10):  # quick ones, now and then, tell nothing
        with admission.admit(10):
            clock.now += 0.1
        clock.now += 100
    with admission.admit(1):  # nor do those that come one after the other: there might be more
        for _ in range(10):
            with admission.admit(9):
                clock.now += 0.25
    assert admission.tokens_per_second is None
    with admission.admit(80):
        for _ in range(10):
            with admission.admit(9):
                clock.now += 0.25
    assert admission.tokens_per_second == pytest.approx(36)


def test_a_light_load_does_not_make_the_room_smaller() -> None:
    admission, clock = admission_with(50.0, max_seconds=2)
    with admission.admit(1):
        for _ in range(30):
            with admission.admit(2):
                clock.now += 0.1
    with admission.admit(99):
        pass
    assert admission.tokens_per_second == pytest.approx(50)
