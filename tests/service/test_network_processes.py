"""Networks in processes of their own answer as they would here, and outlive neither their models nor the service."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from service import network_processes
from service.errors import ModelLost
from service.lanes import Lane, work_in
from service.loading import load_warm
from service.network_host import Compute, Failed, Load, Loaded
from service.network_processes import NetworkProcesses, _Process
from taggers.config import Precision
from taggers.errors import ModelError
from taggers.fingerprint import fingerprint
from taggers.pipeline import Tagger, load
from tests.folders import change_weights
from tests.service.stopped import stop
from tests.tiny import tiny_folder
from tests.waiting import until

TEXTS = ["Ada Lovelace wrote to Babbage in London. Paris is larger than Lyon!", "no", "", "What? " * 200]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def processes() -> Iterator[NetworkProcesses]:
    made = NetworkProcesses(2, device="cpu", threads=1)
    yield made
    made.close()


def remote(processes: NetworkProcesses, folder: Path, *, precision: Precision = "auto") -> Tagger:
    tagger = load(folder, device="cpu")
    model = processes.load(folder, fingerprint=fingerprint(folder), precision=precision)
    tagger.compute_elsewhere(model.compute, device=model.device, precision=model.precision)
    return tagger


def retrain(weights: dict[str, Tensor]) -> None:
    for tensor in weights.values():
        if tensor.is_floating_point():
            tensor += 1


def pids(processes: NetworkProcesses) -> list[int]:
    return [process._process.pid or 0 for process in processes._processes]


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_answers_are_the_same_and_the_weights_are_not_here(processes: NetworkProcesses, folder: Path) -> None:
    here = load_warm(folder, device="cpu", precision="fp32")
    there = remote(processes, folder, precision="fp32")
    assert list(there.pipe(TEXTS)) == list(here.pipe(TEXTS))
    assert (there.device, there.precision) == (here.device, here.precision) == (torch.device("cpu"), "fp32")
    assert there.num_parameters == here.num_parameters
    assert there._labeler.device == torch.device("meta")


def test_several_threads_at_once(processes: NetworkProcesses, folder: Path) -> None:
    there = remote(processes, folder)
    expected = list(there.pipe(TEXTS))
    with ThreadPoolExecutor(16) as threads:
        for answer in threads.map(lambda _: list(there.pipe(TEXTS)), range(64)):
            assert answer == expected


def test_what_died_is_replaced_and_its_batch_is_computed_elsewhere(
    processes: NetworkProcesses, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there, other = remote(processes, folder), remote(processes, folder)
    expected = list(there.pipe(TEXTS))
    before = pids(processes)
    os.kill(before[0], signal.SIGKILL)
    with ThreadPoolExecutor(4) as threads:
        for answer in threads.map(lambda _: list(there.pipe(TEXTS)), range(16)):
            assert answer == expected
    until(lambda: lives(pids(processes)[0]) and not lives(before[0]))
    assert pids(processes)[1] == before[1]
    assert "a process of the networks was killed by SIGKILL; another one takes its place" in caplog.text
    os.kill(before[1], signal.SIGKILL)  # now only the new one has the models, or has not
    assert list(other.pipe(TEXTS)) == expected


def test_a_model_is_loaded_though_processes_died_a_moment_ago(processes: NetworkProcesses, folder: Path) -> None:
    expected = list(load_warm(folder, device="cpu").pipe(TEXTS))
    for pid in pids(processes):
        os.kill(pid, signal.SIGKILL)
    there = remote(processes, folder)
    assert list(there.pipe(TEXTS)) == expected
    assert all(process.models for process in processes._processes)


def test_what_dies_again_and_again_while_it_loads_is_no_endless_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.network_processes._Process", _dying)
    processes = NetworkProcesses(1, device="cpu", threads=1)
    with pytest.raises(ModelError, match="died while it loaded a model; was memory short"):
        processes.load(folder, fingerprint=fingerprint(folder), precision="auto")
    processes.close()


def _dying(threads: int) -> _Process:
    process = _Process(threads)
    os.kill(process._process.pid or 0, signal.SIGKILL)
    return process


def test_a_network_that_fails_says_so_in_one_line(processes: NetworkProcesses, folder: Path) -> None:
    model = processes.load(folder, fingerprint=fingerprint(folder), precision="auto")
    with pytest.raises(RuntimeError, match=r"^AttributeError: [^\n]*$"):
        model.compute("tagger", None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"^KeyError: 'parser'$"):
        model.compute("parser", None)  # type: ignore[arg-type]


def test_short_memory_is_told_as_such(
    processes: NetworkProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = processes.load(folder, fingerprint=fingerprint(folder), precision="auto")
    monkeypatch.setattr("service.network_processes.to_bytes", lambda _: _RAISES_MEMORY_ERROR)
    with pytest.raises(MemoryError, match="as if it were full"):
        model.compute("tagger", None)  # type: ignore[arg-type]


_RAISES_MEMORY_ERROR = b"cbuiltins\nexec\n(S'raise MemoryError(\"as if it were full\")'\ntR."
"""A pickle, which is read where memory could be short."""


def test_a_model_that_nobody_holds_is_forgotten(processes: NetworkProcesses, folder: Path) -> None:
    before = [set(process.models) for process in processes._processes]
    model = processes.load(folder, fingerprint=fingerprint(folder), precision="auto")
    number = model.number
    assert [process.models - had for process, had in zip(processes._processes, before, strict=True)] == [{number}] * 2
    del model
    until(lambda: all(number not in process.models for process in processes._processes))
    with pytest.raises(ModelLost, match="no process has the model any more"):
        processes.compute(Compute(number, "tagger", None))  # type: ignore[arg-type]


def test_a_folder_that_changed_is_not_taken_for_the_one_that_was_loaded(
    processes: NetworkProcesses, folder: Path, tmp_path: Path
) -> None:
    changing = shutil.copytree(folder, tmp_path / "changing")
    before = fingerprint(changing)
    change_weights(changing, retrain)
    with pytest.raises(ModelError, match="changing has changed since it was loaded"):
        processes.load(changing, fingerprint=before, precision="auto")
    shutil.rmtree(changing)
    with pytest.raises(ModelError):
        processes.load(changing, fingerprint=before, precision="auto")


def test_a_card_that_was_written_meanwhile_keeps_no_process_from_being_replaced(folder: Path, tmp_path: Path) -> None:
    model = shutil.copytree(folder, tmp_path / "model")
    processes = NetworkProcesses(1, device="cpu", threads=1)
    there = remote(processes, model)
    expected = list(there.pipe(TEXTS))
    (model / "README.md").write_text("the card")
    os.kill(pids(processes)[0], signal.SIGKILL)
    assert list(there.pipe(TEXTS)) == expected
    processes.close()


def test_who_still_has_a_model_serves_it_and_when_nobody_has_that_is_said(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changing = shutil.copytree(folder, tmp_path / "changing")
    processes = NetworkProcesses(2, device="cpu", threads=1)
    there = remote(processes, changing)
    model = processes.load(changing, fingerprint=fingerprint(changing), precision="auto")
    expected = list(there.pipe(TEXTS))
    change_weights(changing, retrain)
    os.kill(pids(processes)[0], signal.SIGKILL)
    for _ in range(2):
        assert list(there.pipe(TEXTS)) == expected
        model.check_held()
    assert f"{changing} has changed since it was loaded" in caplog.text
    os.kill(pids(processes)[1], signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(ModelLost, match=r"load it again; its folder has changed since it was loaded$"):
            list(there.pipe(TEXTS))
    with pytest.raises(ModelLost):
        model.check_held()
    assert list(remote(processes, changing).pipe(TEXTS)) != expected
    shutil.rmtree(changing)
    for pid in pids(processes):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ModelLost, match="its folder has changed"):
        model.check_held()
    with pytest.raises(ModelLost):
        there.segment(["Ada"])
    processes.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows how urgent a thread is")
def test_networks_let_others_go_before_and_the_background_even_more(processes: NetworkProcesses, folder: Path) -> None:
    there = remote(processes, folder)
    answers = []

    def work() -> None:
        work_in(Lane.BACKGROUND)
        answers.append(list(there.pipe(TEXTS)))

    background = threading.Thread(target=work)
    background.start()
    background.join()
    assert answers == [list(there.pipe(TEXTS))]
    ours = os.getpriority(os.PRIO_PROCESS, 0)

    def niceness(pid: int) -> Counter[int]:
        threads = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
        return Counter(os.getpriority(os.PRIO_PROCESS, thread) - ours for thread in threads)

    for pid in pids(processes):
        until(lambda pid=pid: niceness(pid)[10])  # the thread of one that had nothing to do may not have begun
        assert niceness(pid).keys() == {5, 10}
        assert niceness(pid)[10] == 1


SERVICE = """
import sys, time
from service.network_processes import NetworkProcesses
if __name__ == "__main__":
    processes = NetworkProcesses(2, device="cpu", threads=1)
    print(*(process._process.pid for process in processes._processes), flush=True)
    time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("end", ["killed", "over"])
def test_they_end_with_the_service(end: str, tmp_path: Path) -> None:
    script = tmp_path / "service_of_networks.py"
    script.write_text(SERVICE)
    with subprocess.Popen(
        [sys.executable, script, "0" if end == "over" else "60"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as service:
        assert service.stdout is not None
        found = [int(word) for word in service.stdout.readline().split()]
        assert len(found) == 2
        if end == "killed":
            assert all(map(lives, found))
            service.kill()
        assert service.wait(30) == (-signal.SIGKILL if end == "killed" else 0)
    until(lambda: not any(map(lives, found)))


def test_signals_are_for_the_service_to_obey(processes: NetworkProcesses, folder: Path) -> None:
    there = remote(processes, folder)
    before = pids(processes)
    for pid in before:
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    assert list(there.pipe(TEXTS)) == list(load_warm(folder, device="cpu").pipe(TEXTS))
    assert pids(processes) == before


def test_what_is_loaded_while_the_service_ends_starts_no_process_that_nobody_would_end(folder: Path) -> None:
    made = NetworkProcesses(1, device="cpu", threads=1)
    (before,) = pids(made)
    made.close()
    with pytest.raises(ModelError, match="the service is shutting down"):
        made.load(folder, fingerprint=fingerprint(folder), precision="auto")
    assert pids(made) == [before]
    assert not lives(before)


def test_what_hangs_is_killed_and_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    load_first = network_processes._load_first

    def be_patient(process: _Process, order: Load) -> Loaded | Failed:
        """With a process that takes another's place: where the machine is busy, so may its first batch be."""
        monkeypatch.setattr("service.network_processes._PATIENCE_S", 60)
        return load_first(process, order)

    def stand_still(pid: int) -> None:
        monkeypatch.setattr("service.network_processes._PATIENCE_S", 1)
        stop(pid)

    monkeypatch.setattr("service.network_processes._load_first", be_patient)
    monkeypatch.setattr("service.network_processes._PATIENCE_S", 1)  # which its pipes are told when they are made
    processes = NetworkProcesses(1, device="cpu", threads=1)
    monkeypatch.setattr("service.network_processes._PATIENCE_S", 60)
    there = remote(processes, folder)
    model = processes.load(folder, fingerprint=fingerprint(folder), precision="auto")
    expected = list(there.pipe(TEXTS))
    (before,) = pids(processes)
    stand_still(before)
    assert list(there.pipe(TEXTS)) == expected
    assert not lives(before)
    assert "a process of the networks hangs: no answer to a batch in 2 s" in caplog.text
    (before,) = pids(processes)
    stand_still(before)
    monkeypatch.setattr("service.network_processes.to_bytes", lambda _: bytes(10_000_000))  # more than a pipe holds
    with pytest.raises(RuntimeError, match="UnpicklingError"):  # says the new one
        model.compute("tagger", None)  # type: ignore[arg-type]
    assert not lives(before)
    processes.close()


def test_a_process_that_hangs_while_it_loads_does_not_keep_the_others_from_ending(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.network_processes._ENDING_S", 0.5)
    processes = NetworkProcesses(2, device="cpu", threads=1)
    before = pids(processes)
    stop(before[0])
    with ThreadPoolExecutor(1) as thread:
        loading = thread.submit(remote, processes, folder)
        until(lambda: processes._replacing.locked())
        processes.close()
        with pytest.raises(ModelError, match="the service is shutting down"):
            loading.result(timeout=60)
    assert pids(processes) == before
    assert not any(map(lives, before))
