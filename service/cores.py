"""Cores: how many batches of a network run at once, and how many threads one has.

On a CPU a batch for each core does more than one batch on all cores, as long as the interpreter, which every batch
needs at each of its steps, keeps up with them. A GPU has one batch at a time, which fills it.
"""

from dataclasses import dataclass

_MOST_AT_ONCE = 4
"""The interpreter keeps up with so many batches."""


@dataclass(frozen=True, slots=True)
class Places:
    """How many batches of one network run at once.

    Attributes:
        all: So many in all.
        extra: So many places that the background has taken are there once more for who is interactive, who so waits
            for no batch to end; the cores they share.
    """

    all: int
    extra: int


ONE_PLACE = Places(1, 0)


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of one process, divided.

    Attributes:
        places: How many batches of one network run at once.
        threads: So many threads work on one of them.
    """

    places: Places
    threads: int


def divide_cores(cores: int, *, workers: int, on_cpu: bool, threads: int | None) -> Cores:
    """Divide the cores of the machine.

    Args:
        cores: How many there are.
        workers: How many processes share them.
        on_cpu: Whether batches run there.
        threads: What the operator says that one batch has; None: what is left of the cores for each.
    """
    mine = max(1, cores // workers)
    batches = min(_MOST_AT_ONCE, max(1, mine // (threads or 1))) if on_cpu else 1
    return Cores(Places(batches, batches) if on_cpu else ONE_PLACE, threads or max(1, mine // batches))
