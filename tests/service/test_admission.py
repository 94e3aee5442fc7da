import pytest

from service.admission import Admission
from service.errors import QueueFull


def test_room_is_held_and_given_back() -> None:
    admission = Admission(max_tokens=10)
    with admission.admit(6, tokens_per_second=None), admission.admit(4, tokens_per_second=None):
        assert admission.tokens == 10
        with (
            pytest.raises(QueueFull, match="10 tokens are waiting; the queue holds 10"),
            admission.admit(1, tokens_per_second=None),
        ):
            pass
    assert admission.tokens == 0


def test_room_is_given_back_by_one_that_fails() -> None:
    admission = Admission(max_tokens=10)
    with pytest.raises(ZeroDivisionError), admission.admit(6, tokens_per_second=None):
        raise ZeroDivisionError
    assert admission.tokens == 0


def test_one_that_is_bigger_than_the_queue_gets_in_alone() -> None:
    admission = Admission(max_tokens=10)
    with admission.admit(100, tokens_per_second=None):
        assert admission.tokens == 100


@pytest.mark.parametrize(
    ("tokens", "rate", "seconds"),
    [(50, 10.0, 5), (50, 1e9, 1), (50, 0.001, 60), (50, None, 1), (10_000, 10.0, 10)],
)
def test_when_to_come_back_follows_from_the_rate(tokens: int, rate: float | None, seconds: int) -> None:
    admission = Admission(max_tokens=100)
    with (
        admission.admit(100, tokens_per_second=rate),
        pytest.raises(QueueFull) as caught,
        admission.admit(tokens, tokens_per_second=rate),
    ):
        pass
    assert caught.value.retry_after_s == seconds
