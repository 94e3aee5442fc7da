"""A Ray cluster: its workers, and its view of addresses.

This process writes the output and decides what is read when; Ray Data moves chunks through a pool of actors, each with
a loaded model, and keeps their order (``ray_stream``).
"""

import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from taggers.bulk.engines import TagInput, enough_workers
from taggers.bulk.input import Input
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.readers import look_into
from taggers.bulk.sources import InputFormat, Source, find_sources
from taggers.bulk.work import Work
from taggers.bulk.workers import ON_ONE_GPU
from taggers.catalog import find_bundled
from taggers.errors import TaglineError

_CONNECT_S = 10.0
_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS
"""What both sides of gRPC begin with, a frame of settings: RFC 9113 (2022), 3.4."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # a cluster started here tells nobody
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""What Ray reads when it is imported, so that standard error is ours."""


@contextmanager
def open_ray(address: str | None) -> Iterator["RayEngine"]:
    """A cluster for as long as the block lasts; one that was there before stays.

    Args:
        address: ``HOST:PORT``, ``auto`` for one that runs here, ``local`` to start one here; None for the one that
            ``RAY_ADDRESS`` names or that runs here, else one that is started here.

    Raises:
        TaglineError: There is no such cluster, or Ray is not installed.
    """
    if address is not None and "://" in address:
        raise TaglineError(f"{address}: a Ray Client cannot stream; submit the command to the cluster: ray job submit")
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        # from None: the command line has a sentence of its own for a module that is the cause of a failure
        raise TaglineError(f"Ray cannot be used ({error}): pip install 'tagline[ray]'") from None
    try:
        with _silence(), _ending_as_before():
            _check_answers(address or os.environ.get("RAY_ADDRESS", ""))
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TaglineError(
            f"no Ray cluster at {address or os.environ.get('RAY_ADDRESS', 'this machine')}: {reason}"
        ) from error
    with only_in_files("ray.data"), redirect_stdout(_OnlyBytes(sys.stdout)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="ray")
        try:
            yield RayEngine()
        finally:
            ray.shutdown()  # which prints what Ray has kept to itself until then


class _OnlyBytes:
    """Standard output for those who write bytes; what is printed goes nowhere.

    Ray prints there what machines complain of, from a thread of its own and in the midst of our output. Its logs have
    that, too.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _check_answers(address: str) -> None:
    """A cluster answers at ``HOST:PORT``: Ray itself would go on knocking for minutes, at its dashboard's, too."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        return
    with socket.create_connection((host, int(port)), timeout=_CONNECT_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in ("1", "true"):
            connection.sendall(_GREETING)
            if connection.recv(len(_SETTINGS))[3:4] != _SETTINGS[3:4]:
                raise OSError("another service answers there")


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing goes to standard error: Ray's part in C++ says there how much it is going to say."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _ending_as_before() -> Iterator[None]:
    """SIGTERM ends this process as it did: Ray aborts and writes of a crash to standard error."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


@contextmanager
def only_in_files(logger: str) -> Iterator[None]:
    """What a logger says is neither shown nor kept: an error keeps the worker that it is about, and that its room."""
    handlers = [one for one in logging.getLogger(logger).handlers if isinstance(one, logging.StreamHandler)]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)


class RayEngine:
    """The cluster that this process is connected to."""

    def find_sources(self, names: Sequence[str], *, format: InputFormat, exclude: Sequence[Path]) -> tuple[Source, ...]:
        """The files that names stand for: addresses as the cluster sees them, unless there is another name among them.

        Raises:
            TaglineError: As of ``sources.find_sources``.
            OSError: A file is not there.
        """
        from taggers.bulk.ray_addresses import find_there, is_address

        if all(map(is_address, names)):
            return find_there(names, format)
        return find_sources(names, format=format, exclude=exclude)

    def look_into(self, sources: Sequence[Source], options: ReadOptions) -> None:
        """Look into the only input, from where it is read.

        Raises:
            TaglineError: As of ``readers.look_into``.
        """
        from taggers.bulk.ray_addresses import look_into_there
        from taggers.bulk.ray_stream import is_remote

        asked = Input(tuple(sources), options)
        if is_remote(asked):
            look_into_there(asked)
        else:
            look_into(sources, options)

    @contextmanager
    def open_workers(self, work: Work, *, count: int | None, size: int | None) -> Iterator[TagInput]:
        """Workers on the cluster, each on one core or with a part of a GPU; they start as the input is read.

        Raises:
            TaglineError: The device is none that a cluster has.
        """
        from taggers.bulk.ray_stream import Pool, tag_input

        room, num_gpus = _room(work.device)
        pool = Pool(count or enough_workers(room, size), num_gpus)
        if find_bundled(work.model) is None and Path(work.model).is_dir():
            work = replace(work, model=str(Path(work.model).resolve()))  # workers have another working directory
        yield partial(tag_input, work=work, pool=pool)


def _room(device: str) -> tuple[int, float]:
    """For how many workers there is room by now, and the part of a GPU that each needs."""
    import ray

    resources = ray.cluster_resources()
    num_gpus = int(resources.get("GPU", 0))
    match device:
        case "cpu":
            pass
        case "cuda":
            return num_gpus * ON_ONE_GPU, 1 / ON_ONE_GPU
        case "auto":
            if num_gpus:
                return num_gpus * ON_ONE_GPU, 1 / ON_ONE_GPU
        case _:
            raise TaglineError(f"device {device}: on a cluster it is Ray who chooses among GPUs; say cuda")
    return int(resources.get("CPU", 0)), 0
