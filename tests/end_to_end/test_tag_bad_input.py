"""``tagline tag`` on what is broken: each record that fails is named, all others are tagged, and the status says so."""

import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow
import pytest

from tests.end_to_end.test_tag import without_progress

TAGLINE = [sys.executable, "-c", "import tagline; tagline.main()", "tag", "--tasks", "upos"]
ENDED = "reading ended here: "
MB = 1_000_000

# Of a process between, for what one starts itself counts the memory that it had at the start as the other's.
MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def folder(tmp_path, tiny) -> Path:
    """An empty folder with a model in it."""
    (tmp_path / "tiny").symlink_to(tiny)
    return tmp_path


def tag(folder: Path, *tokens: str, **streams) -> subprocess.CompletedProcess[str]:
    command = [*TAGLINE, "--model", "./tiny", *tokens]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **streams}
    return subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False, timeout=120, **streams)


def rows(numbers: Sequence[int]) -> bytes:
    return b"".join(b'{"id": "%d", "text": "%d"}\n' % (n, n * 7919) for n in numbers)


def ids(lines: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines.splitlines()]


def test_each_kind_of_bad_input_is_named_and_costs_only_itself(folder) -> None:
    bad = {
        "a-bytes.jsonl": rows([1]) + b'{"id": "x", "text": "\xff"}\n' + rows([2]),
        "b-text.txt": b"one\ntwo \xc3(\n",
        "c-cut.jsonl.gz": gzip.compress(rows(range(3, 2000)))[:-2000],
        "d-cut.jsonl.zst": pyarrow.Codec("zstd").compress(rows(range(4000, 8000)), asbytes=True)[:-5],
        "e-column.csv": b"a,b\n1,2\n",
        "f-long.jsonl": rows([8000]) + b'{"text": "%b"}\n' % (b"x" * 6000) + rows([8001]),
        "g-broken.jsonl": b'{"text": "a"\n{"text": 1}\n[]\n\n{"text": "\\ud800"}\n{"id": "x"}\n' + rows([8002]),
        "h-none.parquet": b"PAR1, and then nothing of the kind",
        "i-words.conllu": b"1\tone\n",
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    answer = tag(folder, *bad, "--max-record-bytes", "5000", "-o", "out.jsonl")
    failures = [json.loads(line) for line in (folder / "out.jsonl.errors.jsonl").read_text().splitlines()]
    found = ids((folder / "out.jsonl").read_text())

    counts = f"{len(failures)} of {len(found) + len(failures):,} documents failed"
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.splitlines()[-1] == f"tagline: {counts}, named in out.jsonl.errors.jsonl"
    in_gzip = sum(3 <= int(id) < 2000 for id in found)
    in_zstd = sum(4000 <= int(id) < 8000 for id in found)
    assert min(in_gzip, in_zstd) > 1000
    numbers = (1, 2, *range(3, 3 + in_gzip), *range(4000, 4000 + in_zstd), 8000, 8001, 8002)
    assert found == [str(number) for number in numbers]
    assert [(failure["place"], failure["reason"]) for failure in failures] == [
        ("a-bytes.jsonl:2", "expected UTF-8, found byte 0xFF at byte offset 49"),
        ("b-text.txt:2", "expected UTF-8, found byte 0xC3 at byte offset 8"),
        (f"c-cut.jsonl.gz:{in_gzip + 1}", f"{ENDED}Compressed file ended before the end-of-stream marker was reached"),
        (f"d-cut.jsonl.zst:{in_zstd + 1}", f"{ENDED}Truncated compressed stream"),
        ("e-column.csv:1", "expected a column 'text', found the columns a, b"),
        ("f-long.jsonl:2", "expected a line of at most 5,000 bytes, found 6,013"),
        ("g-broken.jsonl:1", "expected a JSON object, found Expecting ',' delimiter at column 13"),
        ("g-broken.jsonl:2", "text: expected a string, found 1"),
        ("g-broken.jsonl:3", "line: expected an object, found []"),
        ("g-broken.jsonl:5", "expected valid Unicode, found a lone surrogate"),
        ("g-broken.jsonl:6", "text: expected a string, found no such field"),
        ("h-none.parquet:1", failures[11]["reason"]),
        ("i-words.conllu:1", "expected 10 tab-separated columns, found 2"),
    ]
    assert failures[11]["reason"].startswith("expected Parquet that can be read, found: ")


@pytest.fixture
def written(folder) -> Iterator[int]:
    """Standard output that is a file; its number."""
    with (folder / "out").open("wb") as stream:
        yield stream.fileno()


def test_long_line_from_a_pipe_takes_no_memory(folder, written) -> None:
    peaks = {length: peak_memory(folder, written, length) for length in (1, 300)}
    assert ids((folder / "out").read_text()) == ["before", "behind"] * 2
    assert peaks[300] - peaks[1] < 40 * MB


def peak_memory(folder: Path, written: int, megabytes: int) -> int:
    """The most bytes that tagging a document, a line of so many MB that is past the limit, and another takes."""
    command = [*TAGLINE, "--model", "./tiny", "--workers", "1", "--max-record-bytes", "100000"]
    measured = [sys.executable, "-c", MEASURED, *command]
    process = subprocess.Popen(measured, cwd=folder, stdin=subprocess.PIPE, stdout=written, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stderr
    with process.stdin as stream:
        stream.write(b'{"id": "before", "text": "a"}\n{"text": "')
        for _ in range(megabytes):
            stream.write(b"x" * MB)
        stream.write(b'"}\n{"id": "behind", "text": "b"}\n')
    with process.stderr as stream:
        *said, peak = without_progress(stream.read())
    assert process.wait(60) == 1
    assert said == [
        f"tagline: <stdin>:2: expected a line of at most 100,000 bytes, found {megabytes * MB + 13:,}",
        "tagline: 1 of 3 documents failed, named above",
    ]
    return int(peak) * 1024


@pytest.mark.parametrize(("target", "room"), [("out.jsonl", 1_000_000), ("out.parquet", 120_000)])
def test_full_disk_keeps_what_was_done_and_the_job_goes_on_when_there_is_room(target, room, folder) -> None:
    (folder / "in.jsonl").write_bytes(rows(range(3000)))
    command = ["in.jsonl", "--workers", "1", "-o"]
    limit = (resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))  # what files stop at, as at a full disk
    stopped = tag(folder, *command, target, preexec_fn=lambda: resource.setrlimit(*limit))
    part = folder / f"{target}.part"
    assert stopped.returncode == 1
    (line,) = without_progress(stopped.stderr.encode())
    assert line.startswith(f"tagline: {part.resolve()}: File too large; ")
    assert line.endswith(f" documents done so far stay in {part.resolve()}: --resume goes on from there")
    assert not (folder / target).exists()

    assert tag(folder, *command, target, "--resume").returncode == 0
    assert tag(folder, *command, f"whole-{target}").returncode == 0
    assert (folder / target).read_bytes() == (folder / f"whole-{target}").read_bytes()


@pytest.mark.parametrize("named", [True, False])
def test_full_device_is_one_line(named, folder) -> None:
    (folder / "in.jsonl").write_bytes(rows(range(10)))
    with Path("/dev/full").open("wb") as full:
        answer = tag(folder, "in.jsonl", *(["-o", "/dev/full"] if named else []), stdout=full)
    name = "/dev/full" if named else "<stdout>"
    assert (answer.returncode, answer.stderr) == (1, f"tagline: {name}: No space left on device\n")
