"""Chunks wait until they are answered, are few, and are given again to whoever begins anew."""

import threading
from collections.abc import Iterator

import pytest

from taggers.bulk.backlog import Backlog
from taggers.bulk.chunks import Chunk, Position

GO_ON = threading.Event()


def chunk(number: int) -> Chunk:
    return Chunk((), number, Position(records=number + 1), number)


def test_chunks_come_in_order_and_again_from_the_first_that_is_not_answered() -> None:
    backlog = Backlog(map(chunk, range(4)), room=3)
    answers = backlog.unanswered(GO_ON)
    assert [next(answers).first for _ in range(3)] == [0, 1, 2]
    backlog.answered()
    assert [next(backlog.unanswered(GO_ON)).first for _ in range(2)] == [1, 1]
    assert [one.first for one in backlog.unanswered(GO_ON)] == [1, 2, 3]
    assert [one.first for one in answers] == [3]
    for _ in range(3):
        assert not backlog.finished
        backlog.answered()
    assert backlog.finished
    assert list(backlog.unanswered(GO_ON)) == []


def test_no_more_is_read_than_there_is_room_for() -> None:
    read = []
    fourth = threading.Event()

    def counted() -> Iterator[Chunk]:
        for number in range(9):
            read.append(number)
            if number == 3:
                fourth.set()
            yield chunk(number)

    backlog = Backlog(counted(), room=2)
    answers = backlog.unanswered(GO_ON)
    next(answers)
    next(answers)
    assert not fourth.wait(0.05)  # the third is read, and waits for room
    backlog.answered()
    assert fourth.wait(10)
    assert read == [0, 1, 2, 3]


def test_whoever_waits_can_be_stopped() -> None:
    silent, stop = threading.Event(), threading.Event()

    def waiting() -> Iterator[Chunk]:
        silent.wait()
        yield chunk(0)

    backlog = Backlog(waiting(), room=1)
    found: list[Chunk] = []
    thread = threading.Thread(target=lambda: found.extend(backlog.unanswered(stop)))
    thread.start()
    stop.set()
    backlog.wake()
    thread.join(10)
    assert not thread.is_alive()
    assert not found
    silent.set()
    assert next(backlog.unanswered(GO_ON)) == chunk(0)


def test_failure_of_the_reader_comes_when_all_before_it_is_answered() -> None:
    def broken() -> Iterator[Chunk]:
        yield chunk(0)
        raise RuntimeError("a bug")

    backlog = Backlog(broken(), room=2)
    assert [one.first for one in backlog.unanswered(GO_ON)] == [0]
    assert not backlog.finished
    backlog.answered()
    with pytest.raises(RuntimeError, match="a bug"):
        _ = backlog.finished
