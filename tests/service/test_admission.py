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
        clock.now += 2
    assert admission.tokens_per_second == pytest.approx(50, rel=0.01)


def test_one_that_was_held_up_keeps_nobody_out_for_long() -> None:
    """As when a process of the networks stood still: what is answered fast afterwards tells what there is room for."""
    admission, clock = admission_with(None, max_seconds=10)
    with admission.admit(1):
        clock.now += 2
    assert admission.tokens_per_second == 0.5
    for _ in range(5):
        with admission.admit(10):
            clock.now += 0.1
    assert admission.tokens_per_second == pytest.approx(83, abs=1)
    for _ in range(20):
        with admission.admit(10):
            clock.now += 0.1
    assert admission.tokens_per_second == pytest.approx(100, abs=1)


def test_what_was_there_before_does_not_look_like_speed() -> None:
    admission, clock = admission_with(10.0)
    with admission.admit(1):
        with admission.admit(90):
            clock.now += 9  # a measurement ends and another begins
            with admission.admit(1):
                pass
            clock.now += 0.1
        assert admission.tokens_per_second == pytest.approx(10, abs=3)


def test_one_that_fails_is_not_answered() -> None:
    admission, clock = admission_with(10.0)
    for _ in range(5):
        clock.now += 1
        with pytest.raises(ZeroDivisionError), admission.admit(100):
            raise ZeroDivisionError
    assert admission.tokens_per_second == 10.0
