"""What runs in a process of the networks: the models, and threads that compute what comes through their pipes."""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import torch

from service.lanes import Lane, work_in
from service.loading import load_warm
from service.memory import return_regularly, spare_collections
from service.niceness import yield_cores
from service.pickling import from_bytes, to_bytes
from taggers.allocator import return_memory
from taggers.batch import TokenBatch
from taggers.config import Precision
from taggers.errors import ModelNotFound, TaglineError
from taggers.fingerprint import fingerprint
from taggers.pipeline import NetworkName, Tagger
from taggers.precision import Used


@dataclass(frozen=True, slots=True)
class Load:
    """Order: have a model, under this number.

    Attributes:
        number: The number.
        folder: Where it is.
        fingerprint: What must be there.
        device: Where it computes.
        precision: In how many bits, if that does no harm.
    """

    number: int
    folder: Path
    fingerprint: str
    device: str
    precision: Precision


@dataclass(frozen=True, slots=True)
class Drop:
    """Order: have this model no longer. It is not answered."""

    number: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """Answer to ``Load``."""

    device: str
    precision: Used


@dataclass(frozen=True, slots=True)
class Compute:
    """What comes through a pipe: a batch for a network of a model."""

    number: int
    network: NetworkName
    batch: TokenBatch


@dataclass(frozen=True, slots=True)
class Failed:
    """Answer to whatever did not work.

    Attributes:
        reason: Why, in one line.
        out_of_memory: Whether half of it might work.
    """

    reason: str
    out_of_memory: bool = False


def host(orders: Connection, pipes: Mapping[Lane, Sequence[Connection]], threads: int) -> None:
    """Do what the service says, for as long as it lives.

    Args:
        orders: Where orders come from.
        pipes: Where batches come from. Each lane has a thread, which computes one after the other: side by side they
            would take no less time, and more memory. That of the background lets others go before.
        threads: How many cores one batch may use.
    """
    # A terminal sends Ctrl-C to every process, and a service manager its signals; what they mean is for the service to
    # say. Its death is seen by its pipes.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    yield_cores()  # or those who are only to be refused would wait for whoever computes
    torch.set_num_threads(threads)
    models: dict[int, Tagger] = {}
    for lane, its_pipes in pipes.items():
        threading.Thread(target=_compute_all, args=(its_pipes, lane, models), daemon=True).start()
    return_regularly()
    with suppress(EOFError, OSError):
        while True:
            order = orders.recv()
            if isinstance(order, Drop):
                models.pop(order.number, None)
                spare_collections()
                return_memory()
            else:
                orders.send(_load(order, models))
    os._exit(0)  # whatever the threads are at


def _load(order: Load, models: dict[int, Tagger]) -> Loaded | Failed:
    try:
        tagger = load_warm(order.folder, device=order.device, precision=order.precision)
        if fingerprint(order.folder) != order.fingerprint:
            return Failed(f"{order.folder} has changed since it was loaded")
    except ModelNotFound:
        return Failed(f"{order.folder} is gone")
    except (TaglineError, RuntimeError, MemoryError) as error:
        return Failed(_one_line(error))
    models[order.number] = tagger
    spare_collections()
    return Loaded(str(tagger.device), tagger.precision)


def _compute_all(pipes: Sequence[Connection], lane: Lane, models: Mapping[int, Tagger]) -> None:
    work_in(lane)
    with suppress(EOFError, OSError):
        while True:
            ready: list[Connection] = wait(pipes)  # type: ignore[assignment]  # of those that it was given
            for pipe in ready:
                pipe.send_bytes(_compute(pipe.recv_bytes(), models))


def _compute(message: bytes, models: Mapping[int, Tagger]) -> bytes:
    """The answer to a message; it and the batch are forgotten when it is made."""
    try:
        order: Compute = from_bytes(message)
        return to_bytes(models[order.number].compute(order.network, order.batch))
    except Exception as error:
        failed = Failed(_one_line(error), isinstance(error, MemoryError | torch.OutOfMemoryError))
    if failed.out_of_memory:
        torch.cuda.empty_cache()  # only here are the batch's tensors gone, with the traceback that held them
    return to_bytes(failed)


def _one_line(error: BaseException) -> str:
    if isinstance(error, TaglineError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
