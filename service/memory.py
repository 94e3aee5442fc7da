"""What a process holds, and when it looks through it: neither may be felt by those who ask."""

import gc
import threading
import time

from taggers.allocator import return_memory

_THRESHOLDS = (300_000, 2, 2)
"""A collection comes after 300,000 more containers, which are some 30 MB, or 800 short requests more under way.

It takes up to 0.2 s, for nothing: requests leave no circles (see the tests).
"""

_EVERY_S = 10.0


def spare_collections() -> None:
    """Leave what is there now, the models above all, out of all garbage collections to come, and collect less often.

    While Python looks for cycles it does nothing else, for anybody. What was left out before and is gone is collected.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def return_regularly() -> None:
    """Give what was freed back to the system every few seconds, for as long as the process lives."""
    threading.Thread(target=_return, name="memory", daemon=True).start()


def _return() -> None:
    while True:
        time.sleep(_EVERY_S)
        return_memory()
