"""Memory is that of all processes of a service, those that it has started and no others."""

import os
import subprocess
import sys

from service.footprint import Footprint

BALLAST = 100_000_000
HOLDER = f"ballast = bytes(range(200)) * {BALLAST // 200}; print(flush=True); input()"
PARENT = """
import subprocess, sys
print(flush=True); input()
holder = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
holder.wait()
print(flush=True); input()
"""


def held(*processes: int) -> float:
    (family,) = Footprint(lambda: processes).collect()
    (sample,) = family.samples
    assert sample.name == "tagline_memory_bytes"
    return sample.value


def test_what_a_process_has_started_counts_for_as_long_as_it_lives() -> None:
    # Not of this process: its share of torch's pages changes by as much when a process of other tests comes or goes.
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        amounts = []
        for _ in range(3):  # before the holder, while it lives, and after it
            parent.stdout.readline()
            amounts.append(held(parent.pid))
            parent.stdin.write(b"\n")
            parent.stdin.flush()
    before, between, after = amounts
    assert between - before > BALLAST
    assert between < 2 * BALLAST
    assert after < between - BALLAST / 2
    assert held(parent.pid) == 0


def test_each_process_counts_once() -> None:
    assert held(os.getpid(), os.getpid()) < 1.5 * held(os.getpid())
