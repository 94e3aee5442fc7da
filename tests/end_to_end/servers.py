"""``tagline serve`` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

WITHIN_S = 120

_HANGS_S = 600
"""No service is looked at for so long, be the machine ever so slow."""


class Served:
    """A running ``tagline serve``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def next_line(self) -> str:
        assert self.process.stdout is not None
        self.lines.append(self.process.stdout.readline())
        return self.lines[-1]

    def wait_until_ready(self) -> str:
        """Its address."""
        found = re.fullmatch(r"Tagline is ready on (http://\S+) \(models: tiny\)\n", self.next_line())
        assert found, self.lines
        return found[1]

    def press_ctrl_c(self) -> None:
        """What a terminal does: every process is told."""
        os.killpg(self.process.pid, signal.SIGINT)

    def stop(self, number: signal.Signals) -> tuple[int, str, str]:
        """Exit status, and what it still wrote."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, out, err


@contextmanager
def serve(*tokens: str, **environment: str) -> Iterator[Served]:
    command = [sys.executable, "-c", "import tagline; tagline.main()", "serve", *tokens]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    alarm = threading.Timer(_HANGS_S, process.kill)
    alarm.start()
    try:
        yield Served(process)
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.kill()
            process.communicate()
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()


def measured(address: str, name: str) -> float:
    """What a service with the model ``tiny`` counts under a name."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=WITHIN_S) as answer:
        found = re.search(rf'^{name}\{{model="tiny"\}} (\S+)$', answer.read().decode(), re.MULTILINE)
    return 0 if found is None else float(found[1])
