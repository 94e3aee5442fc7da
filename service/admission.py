"""Admission: how much work is accepted at once, and when to come back if it is too much."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, inf
from time import monotonic

from service.errors import QueueFull

_LONGEST_WAIT_S = 60
_MEASURED_S = 1.0
_SHORTEST_S = 0.01
"""What was answered in less time than that tells little of what can be in a second."""
_SMOOTHING = 0.3
"""The weight of the latest second in the measured rate."""


class Admission:
    """Counts the tokens of accepted requests from their arrival to their answer.

    What was accepted is never dropped; what is not accepted is told so before it costs anything. By Little's law (1961)
    the tokens that are there, divided by those that are answered in a second, are the seconds that they spend here.

    Args:
        max_tokens: The most tokens at once. A request that is bigger than that gets in when it is alone.
        max_seconds: The longest that a request may have to wait, as far as the rate is known.
        clock: Tells the seconds.
    """

    def __init__(self, *, max_tokens: int, max_seconds: float = inf, clock: Callable[[], float] = monotonic) -> None:
        self.max_tokens = max_tokens
        self.max_seconds = max_seconds
        self.tokens = 0
        self.tokens_per_second: float | None = None
        """What can be answered, measured while more than that is waiting, and raised by whatever is answered faster;
        None until there was for a second."""
        self._clock = clock
        self._fewest = inf
        """The fewest tokens there were at a time since the measurement began."""
        self._begin()

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Hold room for a request's tokens.

        Args:
            tokens: About how many it has.

        Raises:
            QueueFull: There is no room.
        """
        self.check_room(tokens)
        if not self.tokens:
            self._begin()
        self.tokens += tokens
        answered = 0
        try:
            yield
            answered = tokens
        finally:
            self._answered += answered
            self._fewest = min(self._fewest, self.tokens)
            self.tokens -= tokens
            self._measure()

    def check_room(self, tokens: int) -> None:
        """Go on only if there is room for so many tokens; otherwise as ``admit``."""
        room = self._room()
        if self.tokens and self.tokens + tokens > room:
            excess = self.tokens + tokens - room
            rate = self.tokens_per_second
            wait = 1 if not rate else ceil(min(excess, self.tokens) / rate)
            detail = f"{self.tokens} tokens are waiting; the queue holds {room} now"
            raise QueueFull(detail, retry_after_s=min(max(wait, 1), _LONGEST_WAIT_S))

    def _room(self) -> int:
        if self.tokens_per_second is None:
            return self.max_tokens
        return int(min(self.max_tokens, self.tokens_per_second * self.max_seconds))

    def _begin(self) -> None:
        """Begin to measure."""
        self._since = self._clock()
        self._there = self.tokens
        self._answered = 0
        self._fewest = inf

    def _measure(self) -> None:
        passed = self._clock() - self._since
        # What has come and was answered since: so much can be done at least, however slow it once was.
        least = (self._answered - self._there) / max(passed, _SHORTEST_S)
        if self.tokens_per_second is not None and least > self.tokens_per_second:
            self._learn(least)
        if passed < _MEASURED_S:
            return
        # Where less was there at a time than was answered in all, the clients set the pace, not we.
        if self._answered and self._fewest >= self._answered:
            self._learn(self._answered / passed)
        self._begin()

    def _learn(self, rate: float) -> None:
        before = self.tokens_per_second
        self.tokens_per_second = rate if before is None else before + _SMOOTHING * (rate - before)
