"""Budget: how many positions a batch may have on the device at hand.

So many as the device is fastest with, for each position, and no more than it does in a bounded time, because whoever
comes next waits for the batch that runs. What is fastest is measured once (a CPU's caches like small batches, a GPU
large ones); the time is watched for as long as batches run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from taggers.labeler import Chunk, Run

_TRIED = tuple(2**power for power in range(8, 17))
_SLOWER = 0.9
"""So much of the best speed is good enough for a smaller batch."""
_RUNS = 3
_SMOOTHING = 0.2
"""The weight of the latest batch in the measured speed."""
_LEAST = 64
"""However slow the device is, for a batch has a fixed cost besides."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The most positions in one batch of each network of a model: characters, or words or pieces."""

    segmenter: int
    tagger: int


class Budget:
    """The most positions of a batch, padding included.

    Args:
        max_positions: Never more.
        seconds: About how long a batch may take.
    """

    def __init__(self, *, max_positions: int, seconds: float) -> None:
        self._max_positions = max_positions
        self._seconds = seconds
        self._positions_per_second: float | None = None

    @property
    def positions(self) -> int:
        """The most that the next batch may have."""
        if self._positions_per_second is None:
            return self._max_positions
        return min(self._max_positions, max(_LEAST, int(self._positions_per_second * self._seconds)))

    def observe(self, positions: int, seconds: float) -> None:
        """A batch ran; one that was far from full tells more of its fixed cost than of the device's speed."""
        if 2 * positions >= self.positions:
            speed = positions / max(seconds, 1e-6)
            before = self._positions_per_second
            self._positions_per_second = speed if before is None else before + _SMOOTHING * (speed - before)

    def shrink(self, positions: int) -> None:
        """A batch of so many positions did not fit into the device's memory: none is as big again."""
        self._max_positions = max(1, min(self._max_positions, positions // 2))


def fastest_positions(
    prepare: Callable[[Sequence[Chunk]], Run],
    chunk: Chunk,
    *,
    seconds: float,
    clock: Callable[[], float] = perf_counter,
) -> int:
    """Measure how many positions in one batch the device is fastest with; of about equals, the fewest.

    Args:
        prepare: Makes batches of copies of ``chunk``.
        chunk: Of usual length.
        seconds: Batches that take longer are not tried.
        clock: Tells the seconds.
    """
    speeds: dict[int, float] = {}
    for positions in _TRIED:
        count = max(1, positions // chunk.cost)
        run = prepare([chunk] * count)
        run()  # the first one is slow everywhere
        took = min(_timed(run, clock) for _ in range(_RUNS))
        speeds[positions] = count * chunk.cost / took
        if took > seconds or speeds[positions] < _SLOWER * max(speeds.values()):
            break
    return next(positions for positions, speed in speeds.items() if speed >= _SLOWER * max(speeds.values()))


def _timed(run: Run, clock: Callable[[], float]) -> float:
    started = clock()
    run()
    return max(clock() - started, 1e-9)
