"""Stopwatch: where the time of one request went."""

from time import perf_counter


class Stopwatch:
    """Divides the time since it was made into phases."""

    def __init__(self) -> None:
        self._since = perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, phase: str) -> None:
        """The time since the last lap belongs to ``phase``."""
        now = perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now

    def header(self) -> str:
        """As a ``Server-Timing`` header, in milliseconds."""
        return ", ".join(f"{phase};dur={seconds * 1000:.1f}" for phase, seconds in self.seconds.items())
