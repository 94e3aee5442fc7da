"""Where networks are computed, and on how many cores."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from service.errors import RefusedModel
from service.loading import load_again
from service.placement import Placement
from service.settings import Settings
from taggers.fingerprint import fingerprint


@contextmanager
def started(**settings: object) -> Iterator[Placement]:
    placement = Placement(Settings(device="cpu", **settings))  # type: ignore[arg-type]
    placement.start()
    try:
        yield placement
    finally:
        placement.close()


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Counted:
    """Takes the place of processes, and says how they were asked for."""

    made: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, num_processes: int, *, device: str, threads: int) -> None:
        assert device == "cpu"
        self.made.append((num_processes, threads))
        self.num_processes = num_processes

    def __len__(self) -> int:
        return self.num_processes

    def close(self) -> None:
        """There is nothing to end."""


@pytest.mark.parametrize(
    ("cores", "settings", "processes", "threads"),
    [
        (1, {}, 0, 1),
        (2, {}, 2, 1),
        (3, {}, 3, 1),
        (16, {}, 4, 4),
        (16, {"workers": 4}, 4, 1),
        (2, {"workers": 2}, 0, 1),
        (16, {"network_processes": 8}, 8, 2),
        (16, {"network_processes": 0}, 0, 16),
        (16, {"network_processes": 0, "workers": 2}, 0, 8),
        (4, {"network_processes": 8}, 8, 1),
        (4, {"threads": 3}, 4, 3),
    ],
)
@pytest.mark.parametrize("by_torch", [True, False])
def test_cores_are_divided(
    by_torch: bool, cores: int, settings: dict[str, int], processes: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.placement.NetworkProcesses", Counted)
    monkeypatch.setattr("service.placement.num_cores", lambda: 64 if by_torch else cores)
    Counted.made.clear()
    torch.set_num_threads(cores if by_torch else 64)
    with started(**settings) as placement:
        assert placement.at_once == max(1, processes)
        assert Counted.made == ([(processes, threads)] if processes else [])
        assert torch.get_num_threads() == threads


def test_a_model_in_processes_answers_as_one_that_is_here(tiny: Path, tmp_path: Path) -> None:
    text = "Ada Lovelace wrote to Babbage in London. Paris is larger than Lyon!"
    with started(network_processes=0) as here, started(network_processes=1) as there:
        version = fingerprint(tiny)
        assert there.load(tiny, version=version)(text) == here.load(tiny, version=version)(text)
        damaged = shutil.copytree(tiny, tmp_path / "damaged")
        (damaged / "model.safetensors").write_bytes(b"x")
        for folder in (damaged, tmp_path / "nowhere"):
            with pytest.raises(RefusedModel) as caught:
                load_again(folder, partial(there.load, version=fingerprint(folder)))
            assert str(tmp_path) not in str(caught.value)
