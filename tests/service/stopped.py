"""Processes that stand still, as where the machine has no time for them."""

import os
import signal


def stop(pid: int) -> None:
    """Stop a child of this process; until it has heard of that, its threads may go on."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
