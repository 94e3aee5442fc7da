"""A real Ray cluster on this machine, of as many nodes as a test likes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FILTERS = [
    # Ray's own: it sets its deprecated options to their defaults, and would like pools to be full
    pytest.mark.filterwarnings("ignore:::ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@contextmanager
def small_cluster(*, num_cpus: int = 1) -> Iterator[Any]:
    """A cluster of one node, which notices quickly that another is gone.

    Skips where Ray is not installed.
    """
    pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'tagline[ray]'")
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 6}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": num_cpus, "_system_config": quick})
    try:
        yield cluster
    finally:
        cluster.shutdown()


def workers_of(node: Any) -> list[int]:
    """The processes of a node that have a model, or are about to load it."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if parent == raylet and b"ChunkWorker" in command:
            found.append(int(status.parent.name))
    return found
