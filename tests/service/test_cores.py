"""Every core has work, and batches of one network share none but with who is interactive."""

import pytest

from service.cores import ONE_PLACE, divide_cores


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "batches_and_threads"),
    [
        (1, 1, None, (1, 1)),
        (2, 1, None, (2, 1)),
        (2, 2, None, (1, 1)),
        (2, 1, 2, (1, 2)),
        (2, 1, 4, (1, 4)),
        (4, 8, None, (1, 1)),
        (16, 1, None, (4, 4)),
        (16, 2, None, (4, 2)),
        (16, 1, 8, (2, 8)),
        (16, 1, 1, (4, 1)),
    ],
)
def test_on_a_cpu_batches_share_the_cores(
    cores: int, workers: int, threads: int | None, batches_and_threads: tuple[int, int]
) -> None:
    divided = divide_cores(cores, workers=workers, on_cpu=True, threads=threads)
    assert (divided.places.all, divided.threads) == batches_and_threads
    assert divided.places.extra == divided.places.all


def test_elsewhere_one_batch_runs_at_a_time() -> None:
    divided = divide_cores(16, workers=2, on_cpu=False, threads=None)
    assert (divided.places, divided.threads) == (ONE_PLACE, 8)
