"""What is there when the service is ready costs no collection anything."""

import gc
from collections.abc import Iterator

import pytest

from service.memory import spare_collections


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_was_there_is_left_out_and_cycles_that_come_later_are_found() -> None:
    before = [[index] for index in range(1_000)]
    spare_collections()
    assert gc.get_freeze_count() > len(before)
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1


def test_collections_become_rarer() -> None:
    before = gc.get_threshold()[0]
    spare_collections()
    assert gc.get_threshold()[0] > before
