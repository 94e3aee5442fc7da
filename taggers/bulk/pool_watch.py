"""Looks after a pool of Ray Data's actors while it works: what Ray would wait for without end is told as a failure."""

import time
from collections.abc import Callable, Sequence
from typing import Any

_MAX_DEATHS = 5
"""So often actors may die between two answers; then it is the chunk that kills them."""


class PoolFailure(Exception):
    """The pool will not come any further as it is."""


class PoolWatch:
    """Called by Ray Data at each step of an execution (its ``ExecutionCallback``).

    An actor whose machine is gone is started again where there is room, and its chunks wait for it. On a cluster that
    stays smaller there never is any room, so the chunks have to be given to the other actors after a while.

    Args:
        patience_s: How long some actor may wait for room, and all of them before that is told.
        tell: Tells that none has started yet.
        clock: Seconds.
    """

    def __init__(
        self, *, patience_s: float, tell: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = patience_s
        self._tell: Callable[[], None] | None = tell
        self._begun = clock()
        self._clock = clock
        self._waits_since: float | None = None
        self._num_waiting = 0
        self._deaths = 0

    def answered(self) -> None:
        """Another chunk was answered."""
        self._deaths = 0

    def before_execution_starts(self, executor: Any) -> None:
        """Nothing."""

    def on_execution_step(self, executor: Any) -> None:
        """Look at all actors.

        Raises:
            PoolFailure: One has waited for too long, or they die again and again.
        """
        pools = [pool for operator in executor._topology for pool in operator.get_autoscaling_actor_pools()]
        self._look_for_first(pools)
        num_waiting = sum(pool.num_restarting_actors() for pool in pools)
        if num_waiting > self._num_waiting:
            self._deaths += 1
        self._num_waiting = num_waiting
        if not num_waiting:
            self._waits_since = None
            return
        if self._deaths > _MAX_DEATHS:
            raise PoolFailure("workers die again and again at the same documents; was memory short?")
        if self._waits_since is None:
            self._waits_since = self._clock()
        elif self._clock() - self._waits_since > self._patience_s:
            raise PoolFailure("a machine is gone, and there is no room elsewhere for its workers")

    def after_execution_succeeds(self, executor: Any) -> None:
        """Nothing."""

    def after_execution_fails(self, executor: Any, error: Exception) -> None:
        """Nothing."""

    def _look_for_first(self, pools: Sequence[Any]) -> None:
        """A cluster may grow until there is room for an actor, or never: only who asked for it can know."""
        if self._tell is None:
            return
        if any(pool.num_running_actors() for pool in pools):
            self._tell = None
        elif self._clock() - self._begun > self._patience_s:
            self._tell()
            self._tell = None
