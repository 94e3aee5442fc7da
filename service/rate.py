"""RateLimit: how many requests a client may send in a minute, and when to come back. One number for each client.

That is the generic cell rate algorithm (ATM Forum, 1996; a leaky bucket): it needs no list of past requests, and a
client that is quiet for a minute is forgotten.
"""

from collections.abc import Callable
from time import monotonic

_WINDOW_S = 60.0
_ROUNDING_S = 1e-6
_MANY = 1_000
"""From so many clients on, those that are quiet are looked for."""


class RateLimit:
    """At most so many requests at once, and as many again in every minute, for each client.

    Args:
        per_minute: How many.
        clock: Tells the seconds.
    """

    def __init__(self, *, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._interval_s = _WINDOW_S / per_minute
        self._clock = clock
        self._free_at: dict[str, float] = {}  # client -> when it will have all of its requests again
        self._look_at = _MANY

    def __len__(self) -> int:
        """How many clients it remembers."""
        return len(self._free_at)

    def take(self, client: str) -> float:
        """Take one request of a client.

        Returns:
            0, or else in how many seconds it may come back; then nothing was taken.
        """
        now = self._clock()
        free_at = max(self._free_at.get(client, now), now) + self._interval_s
        wait = free_at - now - _WINDOW_S
        if wait > _ROUNDING_S:
            return wait
        self._free_at[client] = free_at
        if len(self._free_at) > self._look_at:
            self._free_at = {known: at for known, at in self._free_at.items() if at > now}
            self._look_at = max(_MANY, 2 * len(self._free_at))
        return 0.0
