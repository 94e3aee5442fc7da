"""``tagline serve`` in processes that are forked from one that has imported everything: quick to start, often.

The command is the real one, with a process of its own that can be killed; what is saved is the seconds that importing
torch takes each time.
"""

import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx

WITHIN_S = 60

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tagline", "service.cli", "taggers.pipeline", "torch", "transformers", "pyarrow"])


class Forked:
    """A running ``tagline serve``."""

    def __init__(self, process: ForkServerProcess, port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"

    def kill(self) -> None:
        """As a crash does."""
        self.process.kill()
        self.process.join()

    def stop(self) -> int | None:
        """Tell it to stop; its exit status."""
        self.process.terminate()
        self.process.join(WITHIN_S)
        return self.process.exitcode


@contextmanager
def serve_forked(model: Path, *, log: Path, **environment: str) -> Iterator[Forked]:
    """A server that is ready.

    Args:
        model: What it serves.
        log: What it writes is added there.
        environment: Its settings.
    """
    port = _free_port()
    tokens = ("serve", "--model", str(model), "--port", str(port))
    process = _CONTEXT.Process(target=_run, args=(tokens, environment, log))
    process.start()
    try:
        made = Forked(process, port)
        _wait_until_ready(made)
        yield made
    finally:
        process.kill()
        process.join()
        process.close()


def _run(tokens: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.update(environment)
    sys.argv = ["tagline", *tokens]
    import tagline

    tagline.main()


def _wait_until_ready(forked: Forked) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        assert forked.process.is_alive()
        assert time.monotonic() < deadline
        try:
            if httpx.get(f"{forked.address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
