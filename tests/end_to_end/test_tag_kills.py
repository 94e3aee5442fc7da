"""``tagline tag`` killed at ten random moments and resumed each time: same bytes, nothing twice, nothing missing."""

import contextlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.waiting import until

TAGLINE = [sys.executable, "-c", "import tagline; tagline.main()", "tag", "in", "--tasks", "upos,ner"]
NUM_ROWS = 10_000
KILLS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two files of short documents, of which every hundredth is none."""
    folder = tmp_path_factory.mktemp("kills")
    (folder / "in").mkdir()
    half = NUM_ROWS // 2
    for name, numbers in (("a", range(half)), ("b", range(half, NUM_ROWS))):
        rows = ({"id": str(n), "text": f"é{n}" if good(n) else n, "n": n} for n in numbers)
        (folder / "in" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def good(number: int) -> bool:
    return number % 100 != 99


def start(folder: Path, tiny: Path, target: str, workers: int) -> subprocess.Popen[bytes]:
    command = [*TAGLINE, "--model", str(tiny), "--workers", str(workers), "-o", target, "--resume"]
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(folder: Path, tiny: Path, target: str, workers: int) -> str:
    """Run to the end; the last line of what was said."""
    with start(folder, tiny, target, workers) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, b"")  # as some records failed
    return err.decode().splitlines()[-1]


@pytest.mark.parametrize("target", ["out.jsonl", "out.parquet"])
def test_killed_at_ten_random_moments_and_resumed_it_gives_the_same(target, folder, tiny) -> None:
    whole = folder / f"whole-{target}"
    said = finish(folder, tiny, whole.name, 1)
    assert said == f"tagline: 100 of 10,000 documents failed, named in {whole.name}.errors.jsonl"

    generator = random.Random(target)  # the moments differ in each run all the same: the clock has its say
    journal, out = folder / f"{target}.journal", folder / target
    cut_off = 0
    for kill in range(KILLS):
        enough = commits(journal) + kill % 2  # every other one dies while it starts, or where that leads to
        with start(folder, tiny, target, workers=1 + kill // 2 % 2) as process:
            deadline = time.monotonic() + 120
            while process.poll() is None and commits(journal) < enough:
                assert time.monotonic() < deadline
                time.sleep(0.002)
            time.sleep(generator.random() * (0.2 if kill % 2 else 2))
            workers = children_of(process.pid)
            process.kill()
        wait_until_gone(workers)
        if out.exists():  # it was done sooner than the kill came
            break
        cut_off += commits(journal) > 0
    assert cut_off >= KILLS // 2

    assert finish(folder, tiny, target, workers=2) == said.replace(whole.name, target)
    assert out.read_bytes() == whole.read_bytes()
    failures = (folder / f"{target}.errors.jsonl").read_text()
    assert failures == (folder / f"{whole.name}.errors.jsonl").read_text()
    assert sorted(path.name for path in folder.glob("out*")) == [target, f"{target}.errors.jsonl"]
    assert [(row["id"], row["text"], row["n"]) for row in rows_of(out)] == [
        (str(n), f"é{n}", n) for n in range(NUM_ROWS) if good(n)
    ]
    half = NUM_ROWS // 2
    assert [json.loads(line)["place"] for line in failures.splitlines()] == [
        f"in/{'ab'[n // half]}.jsonl:{n % half + 1}" for n in range(NUM_ROWS) if not good(n)
    ]
    for path in folder.glob("*out*"):
        path.unlink()


def commits(journal: Path) -> int:
    """How many parts are done, by a journal whose first line tells which job it is."""
    with contextlib.suppress(FileNotFoundError):
        return max(0, journal.read_bytes().count(b"\n") - 1)
    return 0


def rows_of(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path, columns=["id", "text", "n"]).to_pylist()
    return [json.loads(line) for line in path.read_text().splitlines()]


def children_of(parent: int) -> list[int]:
    """The processes that a process has started (on Linux)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
    return found


def wait_until_gone(processes: list[int]) -> None:
    """No worker outlives the process that feeds it by much."""
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))
