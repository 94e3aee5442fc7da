"""``tagline tag --engine ray`` as a shell runs it on a cluster: the same output, clean streams, and it goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.test_tag import TAGLINE, rows, without_progress
from tests.ray_cluster import FILTERS, small_cluster

pytestmark = FILTERS


@pytest.fixture(scope="module")
def options(tiny):
    with small_cluster(num_cpus=2) as cluster:
        yield ["--model", str(tiny), "--tasks", "upos,ner", "--engine", "ray", "--ray-address", cluster.address]


def wait_for(journal: Path, process: subprocess.Popen[bytes], size: int) -> None:
    while not journal.exists() or journal.stat().st_size < size:
        time.sleep(0.01)
        assert process.poll() is None


def test_interrupted_killed_and_resumed_it_gives_what_one_machine_gives(options, tmp_path) -> None:
    (tmp_path / "in.jsonl").write_bytes(rows(20_000) + b"{bad\n")
    local = [*TAGLINE, *options[:4], "in.jsonl", "-o", "local.jsonl"]
    there = [*TAGLINE, *options, "in.jsonl", "-o", "out.jsonl", "--resume", "--workers", "2"]
    quiet = {"cwd": tmp_path, "stdin": subprocess.DEVNULL}
    journal = tmp_path / "out.jsonl.journal"

    with subprocess.Popen(
        there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **quiet
    ) as run:
        wait_for(journal, run, 700)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        out, err = run.communicate(timeout=120)
    assert (run.returncode, out) == (130, b"")
    told = err.decode().splitlines()
    assert told[-1].startswith("tagline: interrupted; ")
    assert told[-1].endswith(
        f"documents done so far stay in {tmp_path / 'out.jsonl.part'}: --resume goes on from there"
    )
    assert without_progress(err) == told[-1:]

    with subprocess.Popen(there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **quiet) as run:
        wait_for(journal, run, journal.stat().st_size + 500)
        run.kill()
    assert not (tmp_path / "out.jsonl").exists()

    last = subprocess.run(there, capture_output=True, text=True, check=False, timeout=300, **quiet)
    subprocess.run(local, capture_output=True, check=False, timeout=300, **quiet)
    assert (last.returncode, last.stdout) == (1, "")
    assert last.stderr.endswith("tagline: 1 of 20,001 documents failed, named in out.jsonl.errors.jsonl\n")
    for suffix in ("", ".errors.jsonl"):
        assert (tmp_path / f"out.jsonl{suffix}").read_bytes() == (tmp_path / f"local.jsonl{suffix}").read_bytes()


def test_terminated_it_ends_as_one_machine_ends(options, tmp_path) -> None:
    (tmp_path / "in.jsonl").write_bytes(rows(20_000))
    command = [*TAGLINE, *options, "in.jsonl", "-o", "out.jsonl"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        wait_for(tmp_path / "out.jsonl.journal", run, 700)
        run.terminate()
        out, err = run.communicate(timeout=120)
    assert (run.returncode, out, without_progress(err)) == (-signal.SIGTERM, b"", [])


def test_pipe_in_pipe_out(options) -> None:
    local = subprocess.run([*TAGLINE, *options[:4]], input=rows(30), capture_output=True, check=True)
    there = subprocess.run([*TAGLINE, *options], input=rows(30), capture_output=True, check=False, timeout=300)
    assert (there.returncode, without_progress(there.stderr)) == (0, [])
    assert there.stdout == local.stdout
