"""``tagline serve`` in processes that are forked from one that has imported everything: quick to start, often.

The command is the real one, with a process of its own that can be killed; what is saved is the seconds that importing
torch takes each time.
"""

import multiprocessing
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

WITHIN_S = 120

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tagline", "service.cli", "taggers.pipeline", "torch", "transformers", "pyarrow"])


class Forked:
    """A running ``tagline serve``."""

    def __init__(self, process: ForkServerProcess, address: str) -> None:
        self.process = process
        self.address = address

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
    written = log.stat().st_size if log.exists() else 0
    tokens = ("serve", "--model", str(model), "--port", "0")
    process = _CONTEXT.Process(target=_run, args=(tokens, environment, log))
    process.start()
    try:
        yield Forked(process, _wait_until_ready(process, log, written))
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


def _wait_until_ready(process: ForkServerProcess, log: Path, written: int) -> str:
    """Its address, which it tells behind what others have written to the log."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        assert process.is_alive()
        assert time.monotonic() < deadline
        told = log.read_bytes()[written:] if log.exists() else b""
        if found := re.search(rb"Tagline is ready on (http://\S+) ", told):
            return found[1].decode()
        time.sleep(0.02)
