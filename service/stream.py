"""TagStream: NDJSON in, NDJSON out, while the body is still arriving, with only so much in flight.

One task reads, cuts the body into lines and starts their tagging; one writes the answers, in order. A line is in flight
from its arrival until its answer is sent. While the window is full nothing is read, so a client that sends faster than
it is answered, or that does not read its answers, is held up by its own connection and costs no memory.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from litestar.types import Receive, Scope, Send

from service.errors import ClientGone, NotReady, TookTooLong
from service.ndjson import Line, LineSplitter
from service.settings import Settings
from service.window import Window

NDJSON = "application/x-ndjson"

_GROUP_DOCUMENTS = 64
_GROUP_BYTES = 32_000
"""Lines that arrive together are tagged together, so many at most: together they are cheaper to segment."""

_SENT_BYTES = 65_536
"""An answer goes out in pieces of this size, so that a client that reads slowly is seen to read."""

_FAREWELL_S = 1.0

AnswerLines = Callable[[Sequence[Line]], Awaitable[bytes]]
"""The answers for some lines."""

WriteProblem = Callable[[int, Exception], bytes]
"""The line that tells what is wrong with a line, by its number."""


class TagStream:
    """The answer to one request, as an ASGI application.

    Args:
        answer_lines: Tags some lines; it may be called again before it has answered.
        write_problem: Tells why the stream ends early.
        settings: What may be in flight, and how long nothing may happen.
    """

    def __init__(self, answer_lines: AnswerLines, *, write_problem: WriteProblem, settings: Settings) -> None:
        self._answer_lines = answer_lines
        self._write_problem = write_problem
        self._idle_s = settings.stream_idle_timeout_s
        self._splitter = LineSplitter(max_bytes=settings.max_body_bytes)
        self.window = Window(max_documents=settings.stream_documents, max_bytes=settings.stream_bytes)
        self._group: list[Line] = []
        self._answers: asyncio.Queue[tuple[list[Line], asyncio.Task[bytes]] | None] = asyncio.Queue()
        self._unanswered = 1  # the number of the first line that has no answer yet
        self._early_end: Exception | None = None
        self._started = False
        self._inside_line = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer the request.

        Raises:
            ClientGone: The client hung up before the first answer.
        """
        reading = asyncio.create_task(self._read(receive))
        writing = asyncio.create_task(self._write(send))
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            (writing if writing.done() else reading).result()
        except ClientGone:
            if not self._started:
                raise
        except asyncio.CancelledError:  # the server has no more time for us
            await self._stop(reading, writing)
            with suppress(TimeoutError, ClientGone):
                async with asyncio.timeout(_FAREWELL_S):
                    await self._end(send, NotReady("the service is shutting down"))
        except Exception as error:  # our mistake: the log has it, and what was answered stays answered
            if not self._started:
                raise
            with suppress(ClientGone):
                await self._end(send, error)
        finally:
            await self._stop(reading, writing)

    async def _read(self, receive: Receive) -> None:
        """Start what arrives; after that, and only then, wait for the client to hang up."""
        try:
            more = True
            while more:
                message = await self._receive(receive)
                more = message.get("more_body", False)
                for line in self._splitter.feed(message.get("body", b"")):
                    await self._accept(line)
                if not more:
                    for line in self._splitter.finish():
                        await self._accept(line)
                self._start_group()
        except TookTooLong as error:
            self._early_end = error
        self._answers.put_nowait(None)
        while True:
            await _next_message(receive)

    async def _receive(self, receive: Receive) -> Any:
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    return await _next_message(receive)
            except TimeoutError:
                if not self.window.documents:  # else it is the client that waits, for its answers
                    raise TookTooLong(f"nothing was sent for {self._idle_s:g} seconds") from None

    async def _accept(self, line: Line) -> None:
        in_group = sum(other.size for other in self._group)
        if len(self._group) >= _GROUP_DOCUMENTS or in_group + line.size > _GROUP_BYTES:
            self._start_group()
        if not self.window.has_room(line.size):
            self._start_group()  # for they are in the window themselves
            await self.window.wait_for_room(line.size)
        self.window.enter(line.size)
        self._group.append(line)

    def _start_group(self) -> None:
        if self._group:
            tagging = asyncio.ensure_future(self._answer_lines(self._group))
            self._answers.put_nowait((self._group, tagging))
            self._group = []

    async def _write(self, send: Send) -> None:
        while (answer := await self._answers.get()) is not None:
            lines, tagging = answer
            self._unanswered = lines[0].number
            await self._send(send, await tagging)
            self._unanswered = lines[-1].number + 1
            for line in lines:
                self.window.leave(line.size)
        await self._end(send, self._early_end)

    async def _send(self, send: Send, body: bytes) -> None:
        await self._start(send)
        for start in range(0, len(body), _SENT_BYTES):
            piece = body[start : start + _SENT_BYTES]
            await self._send_piece(send, piece, more=True)
            self._inside_line = not piece.endswith(b"\n")

    async def _send_piece(self, send: Send, piece: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(self._idle_s):
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        except TimeoutError:
            raise ClientGone(f"the client read nothing for {self._idle_s:g} seconds") from None

    async def _start(self, send: Send) -> None:
        if not self._started:
            self._started = True
            headers = [
                (b"content-type", NDJSON.encode()),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _end(self, send: Send, error: Exception | None) -> None:
        """The end of the answer, well-formed whatever has happened; it tells if that was no good end."""
        last = b"" if error is None else self._write_problem(self._unanswered, error)
        if last and self._inside_line:
            last = b"\n" + last
        await self._start(send)
        await self._send_piece(send, last, more=False)

    async def _stop(self, *tasks: asyncio.Task[None]) -> None:
        """Drop what is left to do: nobody reads it."""
        left = list(tasks)
        while not self._answers.empty():
            if answer := self._answers.get_nowait():
                left.append(answer[1])  # type: ignore[arg-type]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _next_message(receive: Receive) -> Any:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone("the client hung up")
    return message
