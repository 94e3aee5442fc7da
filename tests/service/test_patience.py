"""Who reads slowly gets everything; who reads nothing is left."""

import asyncio
import socket
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

import uvicorn

from service.patience import PatientProtocol

BODY = b"x" * 20_000_000
IDLE_S = 0.4
PATIENCE_S = 60


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(BODY))]})
    await send({"type": "http.response.body", "body": BODY})


class Scenario(Protocol):
    def __call__(self, reader: asyncio.StreamReader, server: uvicorn.Server) -> Coroutine[Any, Any, None]: ...


def with_answer_under_way(scenario: Scenario) -> None:
    async def run() -> None:
        protocol: Any = partial(PatientProtocol, idle_s=IDLE_S)
        server = uvicorn.Server(uvicorn.Config(answer, http=protocol, ws="none", lifespan="off", log_config=None))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname()[:2], limit=1_000)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await scenario(reader, server)
            writer.transport.abort()
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE_S)

    asyncio.run(run())


def test_who_reads_nothing_is_left() -> None:
    async def scenario(reader: asyncio.StreamReader, server: uvicorn.Server) -> None:
        assert server.server_state.connections
        async with asyncio.timeout(PATIENCE_S):
            while server.server_state.connections:
                await asyncio.sleep(0.01)

    with_answer_under_way(scenario)


def test_who_reads_slowly_gets_everything() -> None:
    async def scenario(reader: asyncio.StreamReader, server: uvicorn.Server) -> None:
        started = asyncio.get_running_loop().time()
        for _ in range(20):
            await asyncio.sleep(IDLE_S / 6)
            await reader.readexactly(len(BODY) // 20)
        assert asyncio.get_running_loop().time() - started > 3 * IDLE_S

    with_answer_under_way(scenario)
