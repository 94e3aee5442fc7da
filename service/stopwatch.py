"""Stopwatch: where the time of one request went."""

from collections.abc import Callable
from time import perf_counter

Listener = Callable[[str, float], None]
"""Is told of a phase and its seconds."""


class Stopwatch:
    """Divides the time since it was made into phases."""

    def __init__(self) -> None:
        self._since = perf_counter()
        self.seconds: dict[str, float] = {}
        self._listener: Listener | None = None

    def tell(self, listener: Listener) -> None:
        """From now on tell somebody of every lap."""
        self._listener = listener

    def lap(self, phase: str) -> None:
        """The time since the last lap belongs to ``phase``."""
        now = perf_counter()
        passed = now - self._since
        self.seconds[phase] = self.seconds.get(phase, 0.0) + passed
        self._since = now
        if self._listener is not None:
            self._listener(phase, passed)

    def header(self) -> str:
        """As a ``Server-Timing`` header, in milliseconds."""
        return ", ".join(f"{phase};dur={seconds * 1000:.1f}" for phase, seconds in self.seconds.items())
