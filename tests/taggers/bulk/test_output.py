"""Streams: parts go through as they come, failures are told on standard error, errors name the stream."""

import io
import os
import signal
import threading
from pathlib import Path

import pytest

from taggers.bulk.chunks import Position, TaggedChunk
from taggers.bulk.interrupts import Interrupts
from taggers.bulk.output import StreamOutput, beside, failures_beside
from taggers.bulk.pieces import Failure
from taggers.bulk.rendering import OutputOptions


def chunk(content: bytes, *failures: Failure) -> TaggedChunk:
    return TaggedChunk(content, failures, 1, 2, Position(), 0)


def test_parts_go_through_with_head_and_tail(capsys) -> None:
    stream = io.BytesIO()
    options = OutputOptions("html", title="t")
    output = StreamOutput(stream, "x", options, Interrupts())
    output.begin()
    output.write(chunk(b"one"))
    output.write(chunk(b"two", Failure("a:3", "wrong")))
    output.finish()
    assert stream.getvalue() == options.head + b"onetwo" + options.tail
    assert capsys.readouterr().err == "tagline: a:3: wrong\n"
    assert (output.commit.documents, output.commit.failures, output.abandon()) == (2, 1, None)


def test_device_is_written_to_and_not_replaced(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    output = StreamOutput(None, str(pipe), OutputOptions("jsonl"), Interrupts())
    output.begin()
    output.write(chunk(b"a"))
    output.finish()
    reader.join()
    assert found == ["a"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk_names_the_output() -> None:
    output = StreamOutput(None, "/dev/full", OutputOptions("jsonl"), Interrupts())
    output.begin()
    with pytest.raises(OSError, match="No space left") as caught:
        output.write(chunk(b"a"))
    assert caught.value.filename == "/dev/full"
    output.finish()


class Interrupting(io.BytesIO):
    """A stream that is interrupted in the middle of every write."""

    def write(self, content) -> int:
        half = super().write(content[: len(content) // 2])
        signal.raise_signal(signal.SIGINT)
        return half + super().write(content[len(content) // 2 :])


def test_interrupt_waits_until_the_part_is_whole() -> None:
    stream = Interrupting()
    interrupts = Interrupts()
    output = StreamOutput(stream, "x", OutputOptions("jsonl"), interrupts)
    output.begin()
    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        output.write(chunk(b"a line\n"))
    assert stream.getvalue() == b"a line\n"


def test_files_of_a_job_lie_beside_its_output() -> None:
    assert failures_beside(Path("a/out.jsonl")) == Path("a/out.jsonl.errors.jsonl")
    assert beside(Path("a/out.jsonl"), ".part") == Path("a/out.jsonl.part")
