"""Ctrl-C as a wish: heard once, obeyed at once the second time, and never heard where it was to be ignored."""

import signal
import threading
from collections.abc import Iterator

import pytest

from training.interrupt import Interrupt

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_a_wish_and_the_second_interrupts(number: signal.Signals) -> None:
    with Interrupt() as interrupt:
        assert not interrupt.asked
        signal.raise_signal(number)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_what_was_there_before_is_there_again(number: signal.Signals) -> None:
    heard: list[int] = []
    signal.signal(number, lambda got, _frame: heard.append(got))
    with Interrupt():
        signal.raise_signal(number)
    assert not heard
    signal.raise_signal(number)
    assert heard == [number]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with Interrupt() as interrupt:
        signal.raise_signal(number)
        assert not interrupt.asked
    assert signal.getsignal(number) is signal.SIG_IGN


def test_another_thread_may_use_it_though_it_hears_nothing() -> None:
    asked: list[bool] = []

    def work() -> None:
        with Interrupt() as interrupt:
            asked.append(interrupt.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [False]
