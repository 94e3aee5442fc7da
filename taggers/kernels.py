"""What torch's CPU kernels keep in memory.

oneDNN compiles a kernel for every shape of batch and keeps 1,024 of them: hundreds of megabytes, which grow for as long
as new shapes come, and with batches by length they always do. With 64 the memory of a long run is flat, and no run was
slower.
"""

import os

_VARIABLE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
_KEPT_KERNELS = "64"


def bound_kernel_cache() -> None:
    """Keep few compiled kernels; what the user has set wins. It counts only before the first batch of the process."""
    os.environ.setdefault(_VARIABLE, _KEPT_KERNELS)
