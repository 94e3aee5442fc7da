"""Memory is that of all processes of a service, those that it has started and no others."""

import os
import subprocess
import sys

from service.footprint import Footprint

BALLAST = 100_000_000
HOLDER = f"ballast = bytes(range(200)) * {BALLAST // 200}; print(flush=True); input()"


def held(*processes: int) -> float:
    (family,) = Footprint(lambda: processes).collect()
    (sample,) = family.samples
    assert sample.name == "tagline_memory_bytes"
    return sample.value


def test_what_a_process_has_started_counts_for_as_long_as_it_lives() -> None:
    before = held(os.getpid())
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        between = held(os.getpid())
        assert BALLAST < held(holder.pid) < 2 * BALLAST
        holder.communicate(b"\n")
    assert between - before > BALLAST
    assert held(os.getpid()) < between - BALLAST / 2
    assert held(holder.pid) == 0


def test_each_process_counts_once() -> None:
    assert held(os.getpid(), os.getpid()) < 1.5 * held(os.getpid())
