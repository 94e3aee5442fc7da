"""Processes of this one's are not ended by Ctrl-C, and it is told how they were."""

import multiprocessing
import os
import signal
import time

import pytest

from taggers.processes import how_it_ended, start_shielded


@pytest.mark.parametrize(
    ("number", "how"), [(signal.SIGKILL, "was killed by SIGKILL"), (signal.SIGTERM, "was killed by SIGTERM")]
)
def test_ctrl_c_does_not_end_it(number: signal.Signals, how: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    start_shielded(process)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert process.pid
    os.kill(process.pid, signal.SIGINT)
    process.join(0.2)
    assert process.is_alive()
    os.kill(process.pid, number)
    process.join(30)
    assert how_it_ended(process) == how


def test_a_status_is_told() -> None:
    process = multiprocessing.get_context("spawn").Process(target=os._exit, args=(3,))
    start_shielded(process)
    process.join(30)
    assert how_it_ended(process) == "ended with status 3"
