"""Who reads slowly gets everything; who reads nothing is left, and so is whose request has no head or end to it."""

import asyncio
import re
import socket
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

import pytest
import uvicorn

from service.patience import MAX_HEAD_BYTES, PatientProtocol

BODY = b"x" * 20_000_000
IDLE_S = 0.4
PATIENCE_S = 60


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(BODY))]})
    await send({"type": "http.response.body", "body": BODY})


class Clock:
    """That of an event loop, which goes on when the test says so, and not while the machine has no time for it."""

    def __init__(self) -> None:
        self.now = asyncio.get_running_loop().time()

    def __call__(self) -> float:
        return self.now


class Scenario(Protocol):
    def __call__(
        self, reader: asyncio.StreamReader, server: uvicorn.Server, clock: Clock
    ) -> Coroutine[Any, Any, None]: ...


def with_answer_under_way(scenario: Scenario) -> None:
    async def run() -> None:
        protocol: Any = partial(PatientProtocol, idle_s=IDLE_S)
        server = uvicorn.Server(uvicorn.Config(answer, http=protocol, ws="none", lifespan="off", log_config=None))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2], limit=1_000)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.MonkeyPatch.context() as patch:
                clock = Clock()
                patch.setattr(asyncio.get_running_loop(), "time", clock)
                await reader.readuntil(b"\r\n\r\n")
                await scenario(reader, server, clock)
            writer.transport.abort()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_S)

    asyncio.run(run())


def test_who_reads_nothing_is_left() -> None:
    async def scenario(reader: asyncio.StreamReader, server: uvicorn.Server, clock: Clock) -> None:
        assert server.server_state.connections
        async with asyncio.timeout(PATIENCE_S):
            while server.server_state.connections:
                clock.now += IDLE_S / 6
                await asyncio.sleep(0)

    with_answer_under_way(scenario)


def test_who_reads_slowly_gets_everything() -> None:
    async def scenario(reader: asyncio.StreamReader, server: uvicorn.Server, clock: Clock) -> None:
        started = clock.now
        for _ in range(20):
            clock.now += IDLE_S / 6
            await asyncio.sleep(0)
            await reader.readexactly(len(BODY) // 20)
        assert clock.now - started > 3 * IDLE_S

    with_answer_under_way(scenario)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = bytearray()
    message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    if scope["path"] == "/slow":
        await asyncio.sleep(IDLE_S)
    text = b"%d %s" % (len(body), bytes(body[:10]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


def converse(*pieces: bytes, pause_s: float = 0, **options: Any) -> bytes:
    """What a server that echoes says to these pieces until it, or else the client, ends the connection."""
    heard = bytearray()

    async def listen(reader: asyncio.StreamReader) -> None:
        while said := await reader.read(65_536):
            heard.extend(said)

    async def run() -> None:
        protocol: Any = partial(PatientProtocol, idle_s=IDLE_S, **options)
        server = uvicorn.Server(uvicorn.Config(echo, http=protocol, ws="none", lifespan="off", log_config=None))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            hearing = asyncio.create_task(listen(reader))
            for piece in pieces:
                if hearing.done():
                    break
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
            await asyncio.wait_for(hearing, PATIENCE_S)
            writer.transport.abort()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_S)

    asyncio.run(run())
    return bytes(heard)


def statuses(heard: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", heard)]


CLOSE = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
TOO_MUCH = b"x" * (2 * MAX_HEAD_BYTES)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nA: " + TOO_MUCH,
        b"GET / HTTP/1.1\r\nA: " + TOO_MUCH + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEAD_BYTES // 3),
        b"GET /" + TOO_MUCH,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: " + TOO_MUCH,
    ],
)
def test_a_head_too_long_is_refused(head: bytes) -> None:
    heard = converse(head)
    assert statuses(heard) == [431]
    assert b"\r\nconnection: close\r\n" in heard


def test_a_head_without_end_is_refused() -> None:
    assert statuses(converse(b"GET / HTTP/1.1\r\nA: ", *[b"x" * 1_000] * 1_000)) == [431]


def test_what_comes_before_a_head_too_long_is_answered() -> None:
    heard = converse(b"GET /slow HTTP/1.1\r\n\r\n" + CLOSE[:20] + TOO_MUCH)
    assert statuses(heard) == [200]
    assert statuses(converse(b"GET / HTTP/1.1\r\n\r\n", CLOSE[:20] + TOO_MUCH, pause_s=IDLE_S)) == [200, 431]


def test_the_bytes_of_one_head_count_alone() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\nA: " % len(BODY) + b"x" * (MAX_HEAD_BYTES // 2) + b"\r\n\r\n"
    heard = converse(*[head + BODY] * 3, *[head[:1_000], head[1_000:], BODY] * 2, CLOSE)
    assert statuses(heard) == [200] * 6
    assert heard.count(b"%d xxxxxxxxxx" % len(BODY)) == 5


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_wish_for_another_protocol_is_passed_over(size: int, caplog: pytest.LogCaptureFixture) -> None:
    conversation = (
        (b"POST /a?b HTTP/1.1\r\nA:\r\n" + UPGRADE + b"Content-Length: %d\r\n\r\n" % len(CLOSE) + CLOSE)
        + (b"POST / HTTP/1.1\r\n" + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n")
        + (b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        + (b"POST / HTTP/1.1\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nxy")
    )
    heard = converse(*[conversation[start : start + size] for start in range(0, len(conversation), size)])
    assert statuses(heard) == [200] * 4
    assert re.findall(rb"\r\n\r\n(\d+ [^H]*)", heard) == [b"%d GET / " % len(CLOSE), b"4 abcd", b"0 ", b"2 xy"]
    assert not caplog.messages


def test_nothing_is_read_behind_a_tunnel() -> None:
    for target in (b"x:443", b"/"):
        heard = converse(b"CONNECT " + target + b" HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(CLOSE) + CLOSE)
        assert len(statuses(heard)) == 1


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"GET / HTTP/1.1\r\nA: "], [408]),
        ([b"GET / HTTP/1.1\r\nA: ", *[b"x"] * 40], [408]),
        ([b"GET / HTTP/1.1\r\n\r\nGET / HT"], [200, 408]),
        ([b"GET /slow HTTP/1.1\r\n\r\nGET / HT"], [200, 408]),
        ([b"GET / HTTP/1.1\r\n\r\n", b"\r\n"], [200]),
        ([], []),
    ],
)
def test_a_head_that_does_not_come_is_not_waited_for(pieces: list[bytes], expected: list[int]) -> None:
    assert statuses(converse(*pieces, pause_s=IDLE_S / 8, head_s=IDLE_S / 2)) == expected


def test_a_body_and_the_next_request_may_take_longer_than_a_head() -> None:
    post = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
    heard = converse(post, b"a", b"b", b"cd", b"", CLOSE, pause_s=IDLE_S / 2, head_s=IDLE_S / 4)
    assert statuses(heard) == [200, 200]
