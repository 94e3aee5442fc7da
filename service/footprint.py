"""Footprint: the memory of a service, which is mostly that of the processes that compute its networks."""

from collections.abc import Callable, Iterable, Iterator

import psutil
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Footprint(Collector):
    """Tells Prometheus how much memory processes hold, with those that they have started.

    Args:
        processes: Their numbers, asked for anew for each scrape.
    """

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        self._processes = processes

    def describe(self) -> Iterator[Metric]:
        """The metric without its value, which takes milliseconds to find."""
        yield GaugeMetricFamily("tagline_memory_bytes", "Memory of all processes; pages that they share count once")

    def collect(self) -> Iterator[Metric]:
        """The metric."""
        for family in self.describe():
            family.add_sample(family.name, {}, sum(map(held_by_family, set(self._processes()))))
            yield family


def held_by_family(number: int) -> int:
    """The bytes that a process and those that it has started hold, of shared ones their share; 0 if it is gone."""
    try:
        process = psutil.Process(number)
        return sum(map(_held_by, [process, *process.children(recursive=True)]))
    except psutil.Error:
        return 0


def _held_by(process: psutil.Process) -> int:
    try:
        held = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(held, "pss", held.uss))  # only Linux knows of a page how many share it
