"""How urgent a thread is to the system."""

import os
import sys
import threading
from contextlib import suppress

_NICENESS = 5
"""With so much more of it a thread gets a quarter of a core that another one wants all of."""


def yield_cores() -> None:
    """Let other threads have the cores before the one at hand and those that it starts, once more with each call.

    Only Linux knows how urgent a thread is.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # where it is forbidden, all are as urgent
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)
