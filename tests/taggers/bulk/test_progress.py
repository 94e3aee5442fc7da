"""Progress: a bar on a terminal, plain lines of a long job elsewhere, nothing of a short one."""

import os
import sys
from dataclasses import replace

import pytest

from taggers.bulk.journal import Commit
from taggers.bulk.progress import ProgressReport

START = Commit()


class Clock:
    """A clock that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def follow(step: float, *, total: int | None = None, start: Commit = START, failures: int = 0) -> None:
    clock = Clock()
    commit = start
    with ProgressReport(start, total_bytes=total, clock=clock) as progress:
        for number in range(1, 8):
            clock.now += step
            commit = replace(
                commit,
                documents=start.documents + number,
                words=start.words + 3 * number,
                bytes_read=start.bytes_read + 10 * number,
                failures=failures,
            )
            progress.update(commit)
        progress.finish(commit)


def test_short_job_says_nothing(capsys) -> None:
    follow(1.0)
    assert capsys.readouterr() == ("", "")


def test_long_job_says_now_and_then_how_far_it_is(capsys) -> None:
    follow(4.0, total=200)
    assert capsys.readouterr() == (
        "",
        "15%, 3 documents, 9 words, 1 words/s, 0:01:08 left\n"
        "30%, 6 documents, 18 words, 1 words/s, 0:00:56 left\n"
        "done: 7 documents, 21 words, 1 words/s\n",
    )


def test_without_a_size_there_is_no_percentage(capsys) -> None:
    follow(10.0)
    assert capsys.readouterr().err.startswith("1 document, 3 words, 0 words/s\n2 documents, ")


def test_failures_are_told(capsys) -> None:
    follow(10.0, failures=1_000)
    assert "1 document, 3 words, 0 words/s, 1,000 failed\n" in capsys.readouterr().err


def test_rate_counts_from_where_this_run_began(capsys) -> None:
    follow(10.0, total=1_070, start=Commit(documents=100, words=5_000, bytes_read=1_000))
    assert capsys.readouterr().err.startswith("94%, 101 documents, 5,003 words, 0 words/s, 0:01:00 left\n")


@pytest.mark.parametrize("total", [None, 100])
@pytest.mark.parametrize("visible", [True, False])
def test_bar_on_a_terminal(total, visible, monkeypatch) -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream, os.fdopen(master, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        with ProgressReport(START, total_bytes=total, visible=visible) as progress:
            progress.update(Commit(documents=7, words=21, bytes_read=50))
        stream.write("the end")
        stream.flush()
        written = b""
        while b"the end" not in written:
            written += screen.read(1000)
    shown = written.decode()
    assert ("7 documents, 21 words" in shown) == visible
    assert ("%" in shown) == (visible and total is not None)
