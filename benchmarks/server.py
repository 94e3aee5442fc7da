"""A ``tagline serve`` of a load script's own: started as a subprocess on a free port, asked, measured, stopped."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from service.footprint import held_by_family

_KEPT_S = 2.0
"""A connection that was idle for longer may be closed by the service while we write."""

VARIANTS = Path(__file__).with_name("variants.py")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the body, and the seconds that it took."""

    status: int
    body: bytes
    seconds: float


class Server:
    """A running service.

    Args:
        process: The process, which has said where it listens.
        port: Where.
    """

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes, *, vanish_after_s: float | None = None) -> Reply | None:
        """Send a request over a connection that is kept for the next one; measured from here, connecting included.

        Args:
            path: Where to.
            body: JSON.
            vanish_after_s: Hang up after so long; then there is no reply.
        """
        started = time.perf_counter()
        reader, writer = await self._connect()
        head = f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        if vanish_after_s is not None:
            await asyncio.sleep(vanish_after_s)
            writer.transport.abort()
            return None
        fields = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"\r\ncontent-length: (\d+)", fields, re.IGNORECASE)
        answer = await reader.readexactly(int(found[1]) if found else 0)
        seconds = time.perf_counter() - started
        self._idle.append((time.perf_counter(), reader, writer))
        return Reply(int(fields.split(None, 2)[1]), answer, seconds)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            since, reader, writer = self._idle.pop()
            if time.perf_counter() - since < _KEPT_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def tag(self, text: str) -> Reply:
        """Have a text tagged."""
        reply = await self.post("/v1/tag", body_of(text))
        assert reply is not None
        return reply

    def count(self, metric: str, label: str = "") -> float:
        """What the service counted, over all samples of a metric that have the label."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        samples = (line.rpartition(" ") for line in lines if line.startswith(f"{metric}{{") and label in line)
        return sum(float(value) for _, _, value in samples)

    def memory_mib(self) -> int:
        """What it and its processes hold, pages that they share counted once."""
        return held_by_family(self.process.pid) >> 20


def body_of(text: str) -> bytes:
    """The short form of a request."""
    return json.dumps({"text": text}).encode()


@contextmanager
def serve(model: str, *, variant: str | None = None, **settings: object) -> Iterator[Server]:
    """Start a service, wait until it is ready, and stop it at the end.

    Args:
        model: Name or folder.
        variant: One of ``variants.py`` that takes the place of what is measured.
        settings: Settings of the service.
    """
    start = [str(VARIANTS), variant] if variant else ["-c", "import tagline; tagline.main()"]
    chosen = {f"TAGLINE_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, *start, "serve", "--model", model, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TAGLINE_LOG_LEVEL": "error", **chosen},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not found:
            raise SystemExit(f"the service did not start: {line}")
        yield Server(process, int(found[1]))
    finally:
        process.terminate()
        process.wait()


def percentile(seconds: Sequence[float], share: float) -> float:
    """The time within which that share of the requests was answered."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]
