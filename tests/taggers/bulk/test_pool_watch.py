"""A pool that waits for room is given up after a while, and so is one that dies again and again; others are not."""

from types import SimpleNamespace

import pytest

from taggers.bulk.pool_watch import PoolFailure, PoolWatch


def executor(num_waiting: int, *, num_running: int = 1) -> SimpleNamespace:
    pool = SimpleNamespace(num_restarting_actors=lambda: num_waiting, num_running_actors=lambda: num_running)
    return SimpleNamespace(
        _topology=[
            SimpleNamespace(get_autoscaling_actor_pools=list),
            SimpleNamespace(get_autoscaling_actor_pools=lambda: [pool]),
        ]
    )


def test_actor_may_wait_for_so_long() -> None:
    now = [0.0]
    watch = PoolWatch(patience_s=10, tell=pytest.fail, clock=lambda: now[0])
    for seconds, num_waiting in [(0, 0), (5, 1), (15, 1), (16, 0), (17, 2), (27, 1)]:
        now[0] = seconds
        watch.on_execution_step(executor(num_waiting))
    now[0] = 28
    with pytest.raises(PoolFailure, match="there is no room elsewhere"):
        watch.on_execution_step(executor(1))


def test_deaths_without_an_answer_are_counted() -> None:
    watch = PoolWatch(patience_s=10, tell=pytest.fail, clock=lambda: 0)
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


def test_pool_without_an_actor_is_told_of_once() -> None:
    now, told = [0.0], []
    watch = PoolWatch(patience_s=10, tell=lambda: told.append(now[0]), clock=lambda: now[0])
    for seconds in (0, 10, 11, 12, 100):
        now[0] = seconds
        watch.on_execution_step(executor(0, num_running=0))
    assert told == [11]
