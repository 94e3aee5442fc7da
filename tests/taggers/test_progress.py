"""Progress: a bar on a terminal, plain lines of a long job elsewhere, nothing of a short one."""

import os
import sys
from collections.abc import Iterator

import pytest

from taggers.document import Document
from taggers.progress import follow

DOCUMENTS = [Document.from_words([["two", "words"], ["three"]])] * 7


class Clock:
    """A clock that goes on by some seconds at every document."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        return self.now

    def documents(self) -> Iterator[Document]:
        for document in DOCUMENTS:
            self.now += self.step
            yield document


def followed(step: float, *, total: int | None = None) -> list[Document]:
    clock = Clock(step)
    return list(follow(clock.documents(), bytes_read=lambda: 50, total_bytes=total, clock=clock))


def test_short_job_says_nothing(capsys) -> None:
    assert followed(1.0) == DOCUMENTS
    assert capsys.readouterr() == ("", "")


def test_long_job_says_now_and_then_how_far_it_is(capsys) -> None:
    assert followed(4.0, total=200) == DOCUMENTS
    assert capsys.readouterr() == (
        "",
        "25%, 3 documents, 9 words, 1 words/s\n"
        "25%, 6 documents, 18 words, 1 words/s\n"
        "done: 7 documents, 21 words, 1 words/s\n",
    )


def test_without_a_size_there_is_no_percentage(capsys) -> None:
    followed(10.0)
    assert capsys.readouterr().err.startswith("1 document, 3 words, 0 words/s\n2 documents, ")


@pytest.mark.parametrize("total", [None, 100])
@pytest.mark.parametrize("visible", [True, False])
def test_bar_on_a_terminal(total, visible, monkeypatch) -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream, os.fdopen(master, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        passed = list(follow(DOCUMENTS, bytes_read=lambda: 50, total_bytes=total, visible=visible))
        stream.write("the end")
        stream.flush()
        written = b""
        while b"the end" not in written:
            written += screen.read(1000)
    shown = written.decode()
    assert passed == DOCUMENTS
    assert ("7 documents, 21 words" in shown) == visible
    assert ("%" in shown) == (visible and total is not None)
