"""What the metrics count, over a service at work."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.metrics import Metrics, ModelMetrics
from taggers.labeler import Chunk, Labels, Run
from tests.service.test_recorder import value


def chunk(cost: int) -> Chunk:
    return Chunk(["x"] * cost, slice(0, cost), cost)


def test_batches_padding_and_the_devices_time() -> None:
    def prepare(chunks: Sequence[Chunk]) -> Run:
        def run() -> list[Labels]:
            if len(chunks) > 2:
                raise MemoryError
            return [{} for _ in chunks]

        return run

    metrics = Metrics()
    measured = ModelMetrics(metrics, "m").measured(prepare, network="n")
    unfinished = measured([chunk(10), chunk(6)])
    assert value(metrics, "tagline_batch_tokens_total", model="m", network="n") == 0
    assert unfinished() == [{}, {}]
    assert measured([chunk(4)])() == [{}]
    with pytest.raises(MemoryError):
        measured([chunk(1)] * 3)()
    assert value(metrics, "tagline_batch_tokens_total", model="m", network="n") == 20
    assert value(metrics, "tagline_batch_positions_total", model="m", network="n") == 24
    assert value(metrics, "tagline_batch_size_tokens_count", model="m", network="n") == 2
    assert value(metrics, "tagline_batch_failures_total", model="m", network="n") == 1
    busy = value(metrics, "tagline_device_busy_seconds_total", model="m", network="n")
    assert busy is not None
    assert busy > 0


def test_a_queue_is_what_was_accepted_and_not_answered() -> None:
    metrics = Metrics()
    old, new = ModelMetrics(metrics, "m"), ModelMetrics(metrics, "m")
    with old.queued(5), new.queued(7):
        assert value(metrics, "tagline_queue_tokens", model="m") == 12
    assert value(metrics, "tagline_queue_tokens", model="m") == 0


def test_documents_and_phases() -> None:
    metrics = Metrics()
    model = ModelMetrics(metrics, "m")
    model.observe_documents(documents=2, tokens=9)
    model.observe_loaded()
    for seconds in (0.004, 0.2):
        model.observe_phase("queue", seconds)
    assert value(metrics, "tagline_documents_total", model="m") == 2
    assert value(metrics, "tagline_tokens_total", model="m") == 9
    assert value(metrics, "tagline_phase_seconds_sum", model="m", phase="queue") == pytest.approx(0.204)
    assert value(metrics, "tagline_phase_seconds_bucket", model="m", phase="queue", le="0.005") == 1
    assert value(metrics, "tagline_model_loaded_timestamp_seconds", model="m")


def test_it_is_written_in_both_forms() -> None:
    metrics = Metrics()
    plain, plain_type = metrics.write("")
    opened, opened_type = metrics.write("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert plain_type.startswith("text/plain; version=")
    assert opened_type.startswith("application/openmetrics-text")
    assert opened.endswith(b"# EOF\n")
    for written in (plain, opened):
        assert b"tagline_build_info{version=" in written
        assert b"process_resident_memory_bytes" in written or sys.platform != "linux"


WORK = """
import sys
from pathlib import Path
from service.metrics import Metrics, ModelMetrics
metrics = Metrics(shared=Path(sys.argv[1]))
model = ModelMetrics(metrics, "m")
model.observe_documents(documents=1, tokens=4)
waiting = model.queued(10)
waiting.__enter__()
print(metrics.write("")[0].decode())
"""


def test_processes_answer_for_each_other(tmp_path: Path) -> None:
    """Each is one of a service; the first has died, and what waited in it does not wait any more."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", WORK, str(tmp_path)],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    for number, written in enumerate(outputs, 1):
        assert f'tagline_tokens_total{{model="m"}} {4.0 * number}\n' in written
        (memory,) = re.findall(r"^tagline_memory_bytes (\S+)$", written, re.MULTILINE)
        assert float(memory) > 10_000_000
        assert 'tagline_queue_tokens{model="m"} 10.0\n' in written
