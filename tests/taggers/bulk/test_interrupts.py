"""Ctrl-C waits while it is held, and comes at once while it is not."""

import signal
import threading

import pytest

from taggers.bulk.interrupts import Interrupts


def test_interrupt_waits_until_it_is_not_held() -> None:
    interrupts = Interrupts()
    done = []

    def hold() -> None:
        with interrupts.listening(), interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        hold()
    assert done == ["whole"]


def test_second_interrupt_does_not_wait() -> None:
    interrupts = Interrupts()
    done = []

    def hold() -> None:
        with interrupts.listening(), interrupts.held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        hold()
    assert done == []


def test_interrupt_comes_at_once_otherwise_and_the_handler_goes_with_it() -> None:
    before = signal.getsignal(signal.SIGINT)

    def listen() -> None:
        with Interrupts().listening():
            assert signal.getsignal(signal.SIGINT) != before
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        listen()
    assert signal.getsignal(signal.SIGINT) == before


def somebody_elses(number: int, frame: object) -> None:
    """Handle an interrupt."""


@pytest.mark.parametrize("handler", [signal.SIG_IGN, somebody_elses])
def test_interrupts_that_are_ignored_or_handled_stay_so(handler) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with Interrupts().listening():
            assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_no_handler_is_set() -> None:
    done = []

    def listen() -> None:
        with Interrupts().listening(), Interrupts().held():
            done.append(True)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert done == [True]
