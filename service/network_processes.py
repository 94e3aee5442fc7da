"""NetworkProcesses: the networks of all models, in processes that do nothing else.

A network hands the interpreter over at each of its steps, and stands still until other Python code lets go of it; in a
process of its own it goes on. Several of them, each on its share of the cores, are faster than one batch at a time on
all: cores that work on one batch wait for each other at every step.
"""

import logging
import multiprocessing
import os
import socket
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from pathlib import Path
from queue import SimpleQueue

import torch

from service.errors import ModelLost
from service.lanes import Lane, working_lane
from service.network_host import Compute, Drop, Failed, Load, Loaded, host
from service.pickling import from_bytes, to_bytes
from taggers.batch import TokenBatch
from taggers.config import Precision
from taggers.errors import ModelError
from taggers.labeler import Labels
from taggers.pipeline import NetworkName
from taggers.precision import Used
from taggers.processes import how_it_ended, start_shielded

logger = logging.getLogger("tagline")

_PIPES = {Lane.INTERACTIVE: 2, Lane.BACKGROUND: 1}
"""So many batches of all networks can be in one process at once: one of a lane is computed, and the next is there."""

_ENDING_S = 5.0

_PATIENCE_S = 60
"""A batch takes a second or so. A process that says nothing for twice as long as this hangs: once is not enough, for
it may be that the machine stood still, and this process comes to look at the clock before the other can go on."""


class _Died(Exception):
    """A process is no more."""


class _Process:
    """A process, and the pipes to it."""

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")  # torch and threads do not survive a fork
        self._orders, orders = context.Pipe()
        theirs: dict[Lane, list[Connection]] = {lane: [] for lane in _PIPES}
        self._pipes: dict[Lane, SimpleQueue[Connection]] = {lane: SimpleQueue() for lane in _PIPES}
        for lane, number in _PIPES.items():
            for _ in range(number):
                our, their = context.Pipe()
                _bound_waiting(our)
                self._pipes[lane].put(our)
                theirs[lane].append(their)
        self._process = context.Process(target=host, args=(orders, theirs, threads), name="networks", daemon=True)
        start_shielded(self._process)
        for pipe in chain([orders], *theirs.values()):
            pipe.close()
        self._ordering = threading.Lock()
        self.running = 0
        self.models: set[int] = set()

    def load(self, order: Load) -> Loaded | Failed:
        """Have it load a model.

        Raises:
            _Died: It is no more.
        """
        try:
            with self._ordering:
                self._orders.send(order)
                answer: Loaded | Failed = self._orders.recv()
        except (EOFError, OSError) as error:
            raise _Died from error
        if isinstance(answer, Loaded):
            self.models.add(order.number)
        return answer

    def drop(self, number: int) -> None:
        """Have it forget a model."""
        self.models.discard(number)
        with suppress(OSError), self._ordering:
            self._orders.send(Drop(number))

    def compute(self, order: Compute) -> Labels | Failed:
        """Have it compute.

        Raises:
            _Died: It is no more.
        """
        pipes = self._pipes[working_lane.get()]
        pipe = pipes.get()
        try:
            pipe.send_bytes(to_bytes(order))
            if not (pipe.poll(_PATIENCE_S) or pipe.poll(_PATIENCE_S)):
                raise BlockingIOError
            answer: Labels | Failed = from_bytes(pipe.recv_bytes())
        except (EOFError, OSError) as error:
            if isinstance(error, BlockingIOError):
                self._give_up()
            raise _Died from error
        finally:
            pipes.put(pipe)
        return answer

    def _give_up(self) -> None:
        logger.error("a process of the networks hangs: no answer to a batch in %d s", 2 * _PATIENCE_S)
        self.kill()

    def kill(self) -> None:
        """End it at once; whoever waits for it is told that it died."""
        self._process.kill()

    def let_go(self) -> None:
        """Let it end when it can."""
        self._orders.close()

    def end(self, *, within_s: float = _ENDING_S) -> str:
        """End it; how it ended if it had before. One call at a time."""
        self.let_go()
        self._process.join(within_s)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        return how_it_ended(self._process)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RemoteModel:
    """A model that is loaded in the processes, for as long as somebody holds this."""

    processes: "NetworkProcesses"
    number: int
    device: torch.device
    precision: Used

    def compute(self, network: NetworkName, batch: TokenBatch) -> Labels:
        """Run one of its networks, on the process that has the least to do.

        Raises:
            MemoryError: Memory was short.
            ModelLost: No process has the model any more.
            RuntimeError: The network failed.
        """
        return self.processes.compute(Compute(self.number, network, batch))

    def check_held(self) -> None:
        """Go on only if a process has the model.

        Raises:
            ModelLost: None has it any more.
        """
        self.processes.check_held(self.number)


class NetworkProcesses:
    """The processes of a service. Every method may be called in any thread.

    Args:
        num_processes: How many.
        device: Where they compute.
        threads: How many cores each may use for a batch.
    """

    def __init__(self, num_processes: int, *, device: str, threads: int) -> None:
        self._device = device
        self._threads = threads
        self._numbers = count()
        self._models: dict[int, Load] = {}
        self._refusals: dict[int, str] = {}
        self._choosing = threading.Lock()
        self._replacing = threading.Lock()
        self._starting: set[_Process] = set()
        self._closed = False
        self._processes = [_Process(threads) for _ in range(num_processes)]
        # At the latest before multiprocessing waits for them, which do not end before their pipes are closed.
        self.close = Finalize(None, self._end_all, exitpriority=10)
        """End them."""

    def __len__(self) -> int:
        return len(self._processes)

    def load(self, folder: Path, *, fingerprint: str, precision: Precision) -> RemoteModel:
        """Load a model in all processes, side by side.

        Args:
            folder: Where it is.
            fingerprint: What must be there; see ``taggers/fingerprint.py``.
            precision: In how many bits it computes, if that does no harm.

        Raises:
            ModelError: One of them cannot.
        """
        order = Load(next(self._numbers), folder, fingerprint, self._device, precision)
        with self._replacing, ThreadPoolExecutor(len(self)) as side_by_side:
            if self._closed:  # whoever began to load before that: nobody would end what takes a process's place now
                raise ModelError("the service is shutting down")
            answers = list(side_by_side.map(lambda process: self._load(order, process), self._processes[:]))
            for answer in answers:
                if isinstance(answer, Failed):
                    self._drop(order.number)
                    raise ModelError(answer.reason)
            self._models[order.number] = order  # a process that takes the place of another is given it
        assert isinstance(answer, Loaded)
        model = RemoteModel(self, order.number, torch.device(answer.device), answer.precision)
        # In a thread, for whoever was the last to hold it has no time to wait for an order that is being obeyed.
        forget = threading.Thread(target=self._forget, args=(order.number,), daemon=True)
        weakref.finalize(model, forget.start).atexit = False
        return model

    def compute(self, order: Compute) -> Labels:
        """Have a batch computed by the process that has the least to do; by another one if it dies.

        Raises:
            MemoryError: Memory was short.
            ModelLost: No process has the model any more, or they have been ended.
            RuntimeError: The network failed.
        """
        how = ""
        for _ in range(2):
            with self._least_busy(order.number) as process:
                try:
                    answer = process.compute(order)
                except _Died:
                    how = self._replace(process)
                    continue
            if not isinstance(answer, Failed):
                return answer
            raise (MemoryError if answer.out_of_memory else RuntimeError)(answer.reason)
        if self._closed:
            raise ModelLost("the service is shutting down")
        self.check_held(order.number)
        raise MemoryError(f"the process that computed {how}; was memory short?")

    def check_held(self, number: int) -> None:
        """Go on only if a process has the model of this number.

        Raises:
            ModelLost: None has it any more; it says why without where, for the log has that.
        """
        self._able(number)

    def _able(self, number: int) -> list[_Process]:
        if able := [process for process in self._processes if number in process.models]:
            return able
        why = f"; {reason}" if (reason := self._refusals.get(number)) else ""
        raise ModelLost(f"no process has the model any more: load it again{why}")

    def _end_all(self) -> None:
        self._closed = True
        while not self._replacing.acquire(timeout=_ENDING_S):  # by whom a process is loading a model, or hangs
            for process in (*self._processes, *self._starting):
                process.kill()
        try:
            for process in self._processes:
                process.let_go()
            until = time.monotonic() + _ENDING_S
            for process in self._processes:
                process.end(within_s=max(0.0, until - time.monotonic()))
        finally:
            self._replacing.release()

    @contextmanager
    def _least_busy(self, number: int) -> Iterator[_Process]:
        with self._choosing:
            process = min(self._able(number), key=lambda one: one.running)
            process.running += 1
        try:
            yield process
        finally:
            with self._choosing:
                process.running -= 1

    def _replace(self, dead: _Process) -> str:
        """Start another process in the place of one that died, unless somebody has done so; how it ended."""
        with self._replacing:
            if dead in self._processes and not self._closed:
                self._put_another(dead)
            return dead.end()

    def _load(self, order: Load, process: _Process) -> Loaded | Failed:
        with suppress(_Died):  # long ago perhaps: nobody notices while it has nothing to do
            return process.load(order)
        if self._closed:
            return Failed("the service is shutting down")
        return _load_first(self._put_another(process), order)

    def _put_another(self, dead: _Process) -> _Process:
        logger.error("a process of the networks %s; another one takes its place", dead.end())
        process = _Process(self._threads)
        self._starting.add(process)
        for order in self._models.values():
            answer = _load_first(process, order)
            if isinstance(answer, Failed):
                logger.error("it cannot load a model, which has to be loaded again: %s", answer.reason)
                self._refusals[order.number] = answer.reason.replace(str(order.folder), "its folder")
        with self._choosing:
            self._processes[self._processes.index(dead)] = process
        self._starting.remove(process)
        return process

    def _forget(self, number: int) -> None:
        with self._replacing:
            self._models.pop(number, None)
            self._refusals.pop(number, None)
            self._drop(number)

    def _drop(self, number: int) -> None:
        for process in self._processes:
            process.drop(number)


def _load_first(process: _Process, order: Load) -> Loaded | Failed:
    """Have a process load a model for which it may have been started."""
    try:
        return process.load(order)
    except _Died:
        return Failed("a process of the networks died while it loaded a model; was memory short?")


def _bound_waiting(pipe: Connection) -> None:
    """Let what is sent and received through a pipe wait no longer for a process that hangs meanwhile."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as ours:
        for direction in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, direction, struct.pack("@ll", 2 * _PATIENCE_S, 0))
