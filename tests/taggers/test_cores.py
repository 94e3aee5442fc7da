"""The cores of this process are not all of the machine's."""

import os
import subprocess
import sys

import pytest

from taggers.cores import num_cores

COUNT = """
import os
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
from taggers.cores import num_cores
print(num_cores())
"""


def test_there_are_no_more_than_the_machine_has() -> None:
    assert 1 <= num_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_a_process_that_is_bound_to_one_core_has_one() -> None:
    assert subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True).stdout == b"1\n"
