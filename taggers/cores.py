"""How many cores there are for this process."""

from loky import cpu_count


def num_cores() -> int:
    """The cores that this process may use: those it is bound to, or as many as its container's quota is worth.

    torch counts the machine's, and threads for all of them would get in each other's way on a few.
    """
    return int(cpu_count())
