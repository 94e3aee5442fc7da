"""Outputs: whole chunks only, files that appear when they are done, and interrupts that wait for a chunk's end."""

import io
import os
import signal
import threading
from pathlib import Path

import pytest

from taggers.errors import TaglineError
from taggers.writing import Output, choose_format, find_writer, open_output


def test_file_takes_its_place_at_the_end(tmp_path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    with open_output(target) as output:
        output.write("é\n")
        assert target.read_text() == "old"
        assert (tmp_path / "out.txt.part").read_text("utf-8") == "é\n"  # at once
    assert target.read_text("utf-8") == "é\n"
    assert list(tmp_path.iterdir()) == [target]


def test_nothing_written_is_an_empty_file(tmp_path) -> None:
    with open_output(tmp_path / "out"):
        pass
    assert (tmp_path / "out").read_bytes() == b""


def write_and_raise(target: Path, error: BaseException) -> None:
    with open_output(target) as output:
        output.write("a\n")
        raise error


def test_failure_keeps_what_was_written_and_says_where(tmp_path) -> None:
    target = tmp_path / "out"
    part = tmp_path / "out.part"
    with pytest.raises(TaglineError) as caught:
        write_and_raise(target, TaglineError("wrong"))
    assert str(caught.value) == f"wrong; what was tagged before is in {part}"
    assert (part.read_text(), target.exists()) == ("a\n", False)


def test_failure_before_the_first_chunk_leaves_nothing(tmp_path) -> None:
    with pytest.raises(TaglineError, match=r"^wrong$"), open_output(tmp_path / "out"):
        raise TaglineError("wrong")
    assert list(tmp_path.iterdir()) == []


def test_link_stays_a_link(tmp_path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    with open_output(link) as output:
        output.write("a")
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "a"


def test_device_is_written_to_and_not_replaced(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    with open_output(pipe) as output:
        output.write("a")
    reader.join()
    assert found == ["a"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk_names_the_output() -> None:
    with pytest.raises(OSError, match="No space left") as caught, open_output(Path("/dev/full")) as output:
        output.write("a")
    assert caught.value.filename == "/dev/full"


class Interrupting(io.BytesIO):
    """A stream that is interrupted in the middle of every write."""

    def write(self, content) -> int:
        half = super().write(content[: len(content) // 2])
        signal.raise_signal(signal.SIGINT)
        return half + super().write(content[len(content) // 2 :])


def test_interrupt_waits_until_the_chunk_is_whole(tmp_path) -> None:
    stream = Interrupting()
    output = Output(stream, "x")
    before = signal.signal(signal.SIGINT, output.interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            output.write("a line\n")
        assert stream.getvalue() == b"a line\n"
        with pytest.raises(KeyboardInterrupt):  # a second one does not wait
            output.write("another\n")
        assert stream.getvalue() == b"a line\nanot"
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupt_between_chunks_comes_at_once_and_the_handler_goes_with_the_output(tmp_path) -> None:
    before = signal.getsignal(signal.SIGINT)

    def write() -> None:
        with open_output(tmp_path / "out") as output:
            output.write("a\n")
            assert signal.getsignal(signal.SIGINT) != before
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        write()
    assert signal.getsignal(signal.SIGINT) == before
    assert (tmp_path / "out.part").read_text() == "a\n"


def somebody_elses(number: int, frame: object) -> None:
    """Handle an interrupt."""


@pytest.mark.parametrize("handler", [signal.SIG_IGN, somebody_elses])
def test_interrupts_that_are_ignored_or_handled_stay_so(tmp_path, handler) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with open_output(tmp_path / "out"):
            assert signal.getsignal(signal.SIGINT) == handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_no_handler_is_set(tmp_path) -> None:
    def write() -> None:
        with open_output(tmp_path / "out") as output:
            output.write("a")

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert (tmp_path / "out").read_text() == "a"


@pytest.mark.parametrize(
    ("name", "format"),
    [(None, "jsonl"), ("a.conllu", "conllu"), ("a.IOB2", "iob2"), ("a.html", "html"), ("a", "jsonl"), ("a.x", "jsonl")],
)
def test_format_by_the_name(name, format) -> None:
    assert choose_format(Path(name) if name else None) == format


def test_format_on_a_terminal_is_a_table(monkeypatch) -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream, os.fdopen(master):
        monkeypatch.setattr("sys.stdout", stream)
        assert choose_format(None) == "table"
        assert choose_format(Path("a.jsonl")) == "jsonl"


@pytest.mark.parametrize("format", ["parquet", "html"])
def test_formats_to_come_are_named_with_those_there_are(format) -> None:
    with pytest.raises(TaglineError, match=f"{format} cannot be written yet; there are: jsonl, conllu, iob2, table"):
        find_writer(format, span_tasks=["ner"], terminal=False)


def test_iob2_writes_the_one_span_layer_there_is() -> None:
    assert find_writer("iob2", span_tasks=["chunk", "ner"], terminal=False).keywords == {"layer": "ner"}
    assert find_writer("iob2", span_tasks=["chunk"], terminal=False).keywords == {"layer": "chunk"}
