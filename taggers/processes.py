"""Processes that belong to this one: Ctrl-C is for it alone, and how they ended."""

import signal
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess


def start_shielded(process: BaseProcess) -> None:
    """Start a process that Ctrl-C does not end.

    A terminal sends it to every process; what it means is for this one to say.
    """
    # A child inherits the mask, unless multiprocessing has to start its tracker on the way, which lifts it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def how_it_ended(process: BaseProcess) -> str:
    """What became of a process that has ended, as the rest of a sentence."""
    code = process.exitcode or 0
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
