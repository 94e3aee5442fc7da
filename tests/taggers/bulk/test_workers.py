"""Workers: in this process or beside it the same answers in the same order; one that dies is told."""

import os
import signal
from pathlib import Path

import pytest

from taggers.bulk.chunks import Chunk, Position
from taggers.bulk.pieces import Piece, ReadOptions
from taggers.bulk.rendering import OutputOptions
from taggers.bulk.work import Work
from taggers.bulk.workers import _Pool, open_workers
from taggers.errors import TaglineError
from tests.tiny import tiny_folder

CHUNKS = [
    Chunk((Piece("a", "text", 1, 0, b"Ada wrote %d letters." % number),), number, Position(records=number + 1), number)
    for number in range(9)
]


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    folder = tiny_folder(tmp_path_factory.mktemp("models") / "tiny")
    return Work(str(folder), ReadOptions(), OutputOptions("jsonl"))


def test_processes_answer_as_this_one_does_in_order_and_end_with_the_block(work) -> None:
    with open_workers(work, count=1) as tag_chunks:
        alone = list(tag_chunks(CHUNKS))
    assert [answer.bytes_read for answer in alone] == list(range(9))

    read: list[int] = []

    def counted():
        for chunk in CHUNKS:
            read.append(chunk.first)
            yield chunk

    with open_workers(work, count=2) as tag_chunks:
        answers = tag_chunks(counted())
        first = next(answers)
        assert len(read) <= 7  # two for each worker, one for the reader, and one whose answer is here
        assert [first, *answers] == alone


def test_worker_that_is_killed_is_told(work) -> None:
    pool = _Pool(work, 2)
    try:
        process = pool._processes[0]._process
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TaglineError, match="a worker process was killed by SIGKILL; was memory short"):
            list(pool.tag(CHUNKS[:1]))
    finally:
        pool.close()


@pytest.mark.parametrize("count", [1, 2])
def test_work_that_cannot_be_done_is_told_at_once(count, tmp_path: Path) -> None:
    work = Work(str(tmp_path / "none"), ReadOptions(), OutputOptions("jsonl"))
    with pytest.raises(TaglineError, match="unknown model"), open_workers(work, count=count):
        pass


def test_failure_of_the_reader_comes_to_whoever_waits(work) -> None:
    def broken():
        yield CHUNKS[0]
        raise RuntimeError("a bug")

    with open_workers(work, count=2) as tag_chunks:
        answers = tag_chunks(broken())
        assert next(answers).documents == 1
        with pytest.raises(RuntimeError, match="a bug"):
            next(answers)
