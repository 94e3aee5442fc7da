"""What was freed between what lives on goes back to the system."""

import sys
from pathlib import Path

import pytest

from taggers.allocator import return_memory

BLOCK = 64 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="others return it by themselves")
def test_holes_are_returned() -> None:
    blocks = [bytes([number % 256]) * BLOCK for number in range(2_000)]  # larger ones are returned by themselves
    del blocks[::2]
    before = resident()
    return_memory()
    assert before - resident() > 500 * BLOCK


def test_it_may_be_called_where_there_is_nothing_to_return() -> None:
    return_memory()
    return_memory()


def resident() -> int:
    """The bytes that the process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
