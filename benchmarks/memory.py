"""What processes hold, as Linux counts it."""

from collections.abc import Sequence
from pathlib import Path


def family(process: int) -> Sequence[int]:
    """A process and those that it has started."""
    children = Path(f"/proc/{process}/task")
    try:
        found = [int(child) for task in children.iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [process, *(member for child in found for member in family(child))]


def proportional_set(process: int) -> float:
    """The bytes that a process holds, of shared ones its share."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return 1024.0 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
