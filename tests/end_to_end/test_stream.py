"""A stream over a real connection: clients that send slowly, read slowly, hang up, and a server that stops."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.servers import WITHIN_S, measured, serve
from tests.waiting import until

WINDOW = 40


@pytest.fixture(scope="module")
def address(tiny: Path) -> Iterator[str]:
    limits = {"TAGLINE_STREAM_DOCUMENTS": str(WINDOW), "TAGLINE_MAX_BODY_BYTES": "100000"}
    with serve("--model", str(tiny), "--port", "0", **limits) as served:
        yield served.wait_until_ready()


class Client:
    """One request to ``/v1/tag/stream``, sent and read a piece at a time over small buffers of its own."""

    def __init__(self, address: str, query: str = "") -> None:
        host, port = address.removeprefix("http://").split(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.socket.settimeout(WITHIN_S)
        self.socket.connect((host, int(port)))
        head = f"POST /v1/tag/stream{query} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.socket.sendall(head.encode())
        self._answer: HTTPResponse | None = None

    def send(self, body: bytes) -> None:
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(body), body))

    def finish(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def read_line(self) -> bytes:
        """The next line of the answer; nothing at its end, which must be well-formed."""
        if self._answer is None:
            self._answer = HTTPResponse(self.socket)
            self._answer.begin()
            assert self._answer.status == 200
        return self._answer.readline()

    def read(self) -> Any:
        return json.loads(self.read_line())

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self.socket.close()


def document(number: int, *, text: str = "Ada wrote to Babbage in London. ", padding: int = 0) -> bytes:
    return json.dumps({"id": str(number), "text": text}).encode() + b" " * padding + b"\n"


def test_each_line_is_answered_before_the_next_is_sent(address: str) -> None:
    with closing(Client(address)) as client:
        for number in range(5):
            whole = document(number)
            client.send(whole[:7])
            client.send(whole[7:])
            assert client.read()["id"] == str(number)
        client.send(b'\r\n{"id": 1}\r\n')
        assert client.read()["line"] == 7
        client.send(document(6).rstrip(b"\n"))
        client.finish()
        assert client.read()["id"] == "6"
        assert client.read_line() == b""


def test_mixed_lengths_stay_in_order(address: str) -> None:
    texts = ["word " * 800, "a", "", "Paris is larger than Lyon! " * 20, "😀"] * 10
    body = b"".join(document(number, text=text) for number, text in enumerate(texts))
    with closing(Client(address, "?tasks=upos")) as client:
        for start in range(0, len(body), 3000):
            client.send(body[start : start + 3000])
        client.finish()
        for number, text in enumerate(texts):
            found = client.read()
            assert (found["id"], found["text"]) == (str(number), text)
        assert client.read_line() == b""


def test_a_line_over_the_limit_is_one_error_line(address: str) -> None:
    with closing(Client(address)) as client:
        client.send(document(0))
        for _ in range(100):
            client.send(b"x" * 5000)
        client.send(b"\n" + document(2))
        client.finish()
        assert client.read()["id"] == "0"
        found = client.read()
        assert (found["line"], found["error"]["detail"]) == (2, "expected a line of at most 100000 bytes")
        assert client.read()["id"] == "2"
        assert client.read_line() == b""


def test_who_does_not_read_is_held_up_and_who_hangs_up_is_forgotten(address: str) -> None:
    before = measured(address, "tagline_documents_total")
    num_sent, total = 0, 20_000
    with closing(Client(address)) as client:
        client.socket.settimeout(5)  # a server that is only slow takes something in this time
        with suppress(TimeoutError):
            while num_sent < total:
                client.send(document(num_sent, padding=2000))
                num_sent += 1
        assert num_sent < total / 2  # 40 MB would never end; what buffers on the way hold is some of it
        client.socket.settimeout(WITHIN_S)
        for number in range(100):  # it reads at last, and everything is there and in order
            assert client.read()["id"] == str(number)
    until(lambda: measured(address, "tagline_queue_tokens") <= 0, within_s=WITHIN_S)
    assert measured(address, "tagline_documents_total") - before < num_sent
    with closing(Client(address)) as client:
        client.send(document(1))
        client.finish()
        assert client.read()["id"] == "1"


def test_a_server_that_stops_ends_it_well_formed(tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", TAGLINE_DRAIN_TIMEOUT_S="1") as served:
        with closing(Client(served.wait_until_ready())) as client:
            client.send(document(0))
            assert client.read()["id"] == "0"
            served.process.send_signal(signal.SIGTERM)
            found = client.read()
            assert (found["line"], found["error"]["status"]) == (2, 503)
            assert client.read_line() == b""
        _, log = served.process.communicate(timeout=WITHIN_S)
        assert served.process.returncode == 0
        assert "Traceback" not in log
