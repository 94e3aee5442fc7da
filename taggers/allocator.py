"""What the C library keeps of the memory that was freed.

Batches of ever new shapes leave holes between what lives on, and the GNU library keeps them all: a service that had
answered a few thousand requests held as much memory in holes as in use.
"""

import ctypes
import sys
from functools import cache


def return_memory() -> None:
    """Give holes of whole pages back to the system, which takes some 10 ms; other C libraries do so by themselves."""
    trim = _find_trim()
    if trim is not None:
        trim(0)  # without the interpreter's lock: others go on


@cache
def _find_trim() -> "ctypes._NamedFuncPointer | None":
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
