import re

from service.stopwatch import Stopwatch


def test_laps_of_a_phase_add_up() -> None:
    stopwatch = Stopwatch()
    stopwatch.lap("segment")
    first = stopwatch.seconds["segment"]
    stopwatch.lap("queue")
    stopwatch.lap("segment")
    assert list(stopwatch.seconds) == ["segment", "queue"]
    assert stopwatch.seconds["segment"] >= first >= 0


def test_header_is_a_server_timing() -> None:
    stopwatch = Stopwatch()
    stopwatch.lap("segment")
    stopwatch.lap("compute")
    assert re.fullmatch(r"segment;dur=\d+\.\d, compute;dur=\d+\.\d", stopwatch.header())


def test_a_listener_is_told_of_every_lap_from_then_on() -> None:
    told: list[tuple[str, float]] = []
    stopwatch = Stopwatch()
    stopwatch.lap("before")
    stopwatch.tell(lambda phase, seconds: told.append((phase, seconds)))
    stopwatch.lap("queue")
    stopwatch.lap("queue")
    assert [phase for phase, _ in told] == ["queue", "queue"]
    assert sum(seconds for _, seconds in told) == stopwatch.seconds["queue"]
