"""Admission: how much work is accepted at once, and when to come back if it is too much."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from service.errors import QueueFull

_LONGEST_WAIT_S = 60


class Admission:
    """Counts the tokens of accepted requests from their arrival to their answer.

    What was accepted is never dropped; what is not accepted is told so before it costs anything.

    Args:
        max_tokens: The most tokens at once. A request that is bigger than that gets in when it is alone.
    """

    def __init__(self, *, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self.tokens = 0

    @contextmanager
    def admit(self, tokens: int, *, tokens_per_second: float | None) -> Iterator[None]:
        """Hold room for a request's tokens.

        Args:
            tokens: About how many it has.
            tokens_per_second: What the device does, as far as known.

        Raises:
            QueueFull: There is no room.
        """
        if self.tokens and self.tokens + tokens > self.max_tokens:
            excess = self.tokens + tokens - self.max_tokens
            wait = 1 if not tokens_per_second else ceil(min(excess, self.tokens) / tokens_per_second)
            detail = f"{self.tokens} tokens are waiting; the queue holds {self.max_tokens}"
            raise QueueFull(detail, retry_after_s=min(max(wait, 1), _LONGEST_WAIT_S))
        self.tokens += tokens
        try:
            yield
        finally:
            self.tokens -= tokens
