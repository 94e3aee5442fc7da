"""Placement: loads models where their networks are to be computed, in this process or in others."""

from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from service.loading import load_warm, warm_up
from service.network_processes import NetworkProcesses, RemoteModel
from service.settings import Settings
from taggers.allocator import return_memory
from taggers.cores import num_cores
from taggers.pipeline import Tagger, find_device, load

_MOST_PROCESSES = 4
"""Unless the operator wants more: each has all models, some 750 MB with those that are bundled."""


class Placement:
    """Loads the models of a service in their places. Every method may take seconds, and be called in any thread.

    Args:
        settings: Where networks are computed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: NetworkProcesses | None = None
        self._elsewhere: WeakKeyDictionary[Tagger, RemoteModel] = WeakKeyDictionary()

    @property
    def at_once(self) -> int:
        """How many batches of a network are computed at once."""
        return max(1, len(self._processes or ()))

    def start(self) -> None:
        """Start the processes, and divide the cores among all there are."""
        cores = max(1, min(num_cores(), torch.get_num_threads()) // self._settings.workers)
        wanted = self._settings.network_processes
        if wanted is None:
            on_cpu = find_device(self._settings.device).type == "cpu"
            wanted = (min(cores, _MOST_PROCESSES) if cores > 1 else 0) if on_cpu else 1
        threads = self._settings.threads or max(1, cores // max(1, wanted))
        torch.set_num_threads(threads)
        if wanted:
            self._processes = NetworkProcesses(wanted, device=self._settings.device, threads=threads)

    def load(self, folder: Path, *, version: str) -> Tagger:
        """Load a model and let it work once.

        Args:
            folder: Where it is.
            version: What is there; see ``taggers/fingerprint.py``.

        Raises:
            ModelNotFound: There is no such folder.
            ModelFolderError: It is damaged.
            ModelError: A process cannot load it.
        """
        if self._processes is None:
            return load_warm(folder, device=self._settings.device, precision=self._settings.precision)
        tagger = load(folder, device="cpu", precision="fp32")
        remote = self._processes.load(folder, fingerprint=version, precision=self._settings.precision)
        tagger.compute_elsewhere(remote.compute, device=remote.device, precision=remote.precision)
        return_memory()  # that of the weights
        warm_up(tagger)
        self._elsewhere[tagger] = remote
        return tagger

    def check_held(self, tagger: Tagger) -> None:
        """Go on only if what computes the networks of a model that was loaded still has it.

        Raises:
            ModelLost: It has to be loaded again.
        """
        if tagger in self._elsewhere:
            self._elsewhere[tagger].check_held()

    def close(self) -> None:
        """End the processes."""
        if self._processes is not None:
            self._processes.close()
