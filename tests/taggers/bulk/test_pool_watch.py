"""A pool that waits for room is given up after a while, and so is one that dies again and again; others are not."""

from types import SimpleNamespace

import pytest

from taggers.bulk.pool_watch import PoolFailure, PoolWatch


def executor(num_waiting: int) -> SimpleNamespace:
    pool = SimpleNamespace(num_restarting_actors=lambda: num_waiting)
    return SimpleNamespace(
        _topology=[
            SimpleNamespace(get_autoscaling_actor_pools=list),
            SimpleNamespace(get_autoscaling_actor_pools=lambda: [pool]),
        ]
    )


def test_actor_may_wait_for_so_long() -> None:
    now = [0.0]
    watch = PoolWatch(patience_s=10, clock=lambda: now[0])
    for seconds, num_waiting in [(0, 0), (5, 1), (15, 1), (16, 0), (17, 2), (27, 1)]:
        now[0] = seconds
        watch.on_execution_step(executor(num_waiting))
    now[0] = 28
    with pytest.raises(PoolFailure, match="there is no room elsewhere"):
        watch.on_execution_step(executor(1))


def test_deaths_without_an_answer_are_counted() -> None:
    watch = PoolWatch(patience_s=10, clock=lambda: 0)
    for _ in range(3):
        for _ in range(5):
            watch.on_execution_step(executor(1))
            watch.on_execution_step(executor(0))
        watch.answered()
    for _ in range(5):
        watch.on_execution_step(executor(1))
        watch.on_execution_step(executor(0))
    with pytest.raises(PoolFailure, match="die again and again"):
        watch.on_execution_step(executor(1))
