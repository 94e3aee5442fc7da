"""``tagline tag`` as a shell runs it: pipes, interrupts, a reader that goes away, a terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.tiny import tiny_folder

TAGLINE = [sys.executable, "-c", "import tagline; tagline.main()", "tag"]


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> list[str]:
    return ["--model", str(tiny_folder(tmp_path_factory.mktemp("models") / "tiny")), "--tasks", "upos,ner"]


def start(*tokens: str, **streams) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*TAGLINE, *tokens], **{**pipes, **streams})


def rows(count: int) -> bytes:
    return b"".join(b'{"id": "%d", "text": "Ada 9\xf0\x9f\x98\x80\\r\\n%d"}\n' % (n, n) for n in range(count))


def without_progress(said: bytes) -> list[str]:
    """The lines but those that a run of more than ten seconds tells of itself."""
    return [line for line in said.decode().splitlines() if "words/s" not in line]


def test_pipe_in_pipe_out_in_order(options) -> None:
    with start(*options) as process:
        out, err = process.communicate(rows(300), timeout=120)
    assert (process.returncode, without_progress(err)) == (0, [])
    answers = [json.loads(line) for line in out.decode("utf-8").splitlines()]
    assert [answer["text"] for answer in answers] == [f"Ada 9😀\r\n{n}" for n in range(300)]
    for answer in answers:
        for sentence in answer["sentences"]:
            outside = {*range(len(sentence["tokens"]))}.difference(
                *(range(*token["tokens"]) for token in sentence.get("multiword", ()))
            )
            for index in outside:
                token = sentence["tokens"][index]
                assert answer["text"][token["start"] : token["end"]] == token["text"]


def test_file_to_file(options, tmp_path) -> None:
    (tmp_path / "in.jsonl").write_bytes(rows(2) + b"{bad\n")
    command = [*TAGLINE, *options, "in.jsonl", "-o", "out.conllu"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "tagline: 1 of 3 documents failed, named in out.conllu.errors.jsonl\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.conllu", "out.conllu.errors.jsonl"]


def test_interrupt_ends_it_with_whole_lines(options, tmp_path) -> None:
    with start(*options) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(rows(1_100))
        process.stdin.flush()  # and no end of input: it goes on waiting for more
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(120) == 130
        assert process.stderr
        assert without_progress(process.stderr.read()) == []
    out = first + rest
    assert out.endswith(b"\n")
    ids = [json.loads(line)["id"] for line in out.splitlines()]
    assert ids == [str(index) for index in range(len(ids))]


def test_reader_that_goes_away_is_no_failure_to_talk_about(options, tmp_path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(rows(2000))
    with start(str(path), *options, stdin=subprocess.DEVNULL) as process:
        assert process.stdout
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(120) == 141
        assert process.stderr
        assert without_progress(process.stderr.read()) == []


def test_interrupt_of_the_whole_group_is_told_once(options, tmp_path) -> None:
    path, journal = tmp_path / "in.jsonl", tmp_path / "out.jsonl.journal"
    path.write_bytes(rows(30_000))
    tokens = [str(path), *options, "--workers", "2", "-o", str(tmp_path / "out.jsonl")]
    with start(*tokens, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        while not journal.exists() or journal.stat().st_size < 1000:
            time.sleep(0.01)
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(120) == 130
        assert process.stderr
        (told,) = without_progress(process.stderr.read())
    assert told.startswith("tagline: interrupted; ")
    done = (tmp_path / "out.jsonl.part").read_bytes()
    assert done.endswith(b"\n")
    assert f"{done.count(bytes([10])):,} documents done so far" in told


def test_table_on_a_terminal(options, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("Ada")
    screen, terminal = pty.openpty()
    with start(str(tmp_path / "a.txt"), *options, stdout=terminal, stderr=terminal, stdin=terminal) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(screen, 1000):
                shown += piece
        except OSError:  # how Linux says that the other end was closed
            pass
        assert process.wait(120) == 0
    os.close(screen)
    assert b"word" in shown
    assert b"upos" in shown
    assert b"a.txt" in shown


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_file_to_file_where_a_standard_stream_is_closed(options, tmp_path, stream) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("Ada sings.")
    command = [*TAGLINE, *options, str(source), "-o", str(target)]
    code = f"import os, sys; os.close({stream}); os.execv(sys.argv[1], sys.argv[1:])"
    assert subprocess.run([sys.executable, "-c", code, *command], timeout=120, check=False).returncode == 0
    assert json.loads(target.read_text())["text"] == "Ada sings."
