"""Patience, which ends: with a client that reads nothing, and with a request whose head is too long or does not come.

What was written waits in the connection's buffer, which a connection that is closed still sends: to a client that does
not read for ever, and a service that is told to stop would wait for it.

What was read of a head waits in the parser, which knows no limit and is there before any key is asked for.

The parser also takes what follows a wish for another protocol for that protocol. No other is spoken here, so such a
request is one like any other (RFC 9110, 7.8), and its body is not the next request.
"""

import asyncio
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""So long may the head of a request be, and so long what follows its body: some more, for it is read in pieces."""

_HEAD_S = 30
"""So long may the head of a request take to come."""

_PIECE_BYTES = 16_384

_FAREWELL_S = 1
"""So long is heard and forgotten what is still sent after a refusal, which a connection closed at once would lose."""


class _Stage(Enum):
    """What the client sends next."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with an end to waiting.

    Args:
        idle_s: How long a client may read nothing while something waits for it.
        head_s: How long it may take to send the head of a request.
        options: What uvicorn tells.
    """

    def __init__(self, *, idle_s: float, head_s: float = _HEAD_S, **options: Any) -> None:
        super().__init__(**options)
        self._idle_s = idle_s
        self._unread = 0
        self._watch: asyncio.TimerHandle | None = None
        self._head_s = head_s
        self._due: asyncio.TimerHandle | None = None
        self._stage = _Stage.REQUEST
        self._num_bare_bytes = 0
        self._is_deaf = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client, who has something to ask."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Read it piece by piece, and no further than a head may be long."""
        self._unset_keepalive_if_required()
        if self._stage is not _Stage.BODY or not self._owes_answer:
            self._expect_head()
        pieces = memoryview(data)
        for start in range(0, len(data), _PIECE_BYTES):
            if self._is_deaf or self.transport.is_closing():
                return
            piece = pieces[start : start + _PIECE_BYTES]
            self._num_bare_bytes += len(piece)
            self._read(piece)
            if self._num_bare_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first letter of a request."""
        self._stage = _Stage.HEAD
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The end of a head."""
        self._num_bare_bytes = 0
        if not self._is_read_anew():
            self._stage = _Stage.BODY
            self._stop_expecting()
            super().on_headers_complete()
            if self.parser.should_upgrade():  # a tunnel, behind which is no other request
                self._is_deaf = True
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Some of a body, which others limit."""
        self._num_bare_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._num_bare_bytes = 0
        if not self._is_read_anew():
            self._stage = _Stage.REQUEST
            super().on_message_complete()

    def pause_writing(self) -> None:
        """More waits for the client than should: see to it that it goes on reading."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """It has read."""
        self._stop_looking()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_looking()
        self._stop_expecting()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._watch = self.loop.call_later(self._idle_s, self._look)

    def _look(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread:
            self._look_later()
        else:
            self.transport.abort()

    def _stop_looking(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _read(self, data: bytes | memoryview) -> None:
        rest = data
        while rest:
            try:
                self.parser.feed_data(rest)
                rest = b""
            except HttpParserUpgrade as upgrade:
                (end,) = upgrade.args
                rest = self._forget_upgrade() + rest[end:] if self._is_read_anew() else b""
            except HttpParserError:
                rest = b""
                msg = "Invalid HTTP request received."
                self.logger.warning(msg)
                self.send_400_response(msg)

    def _forget_upgrade(self) -> bytes:
        """The head just read, without its wish for another protocol, for a parser that has read nothing."""
        head = self._head_anew()
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return head

    def _is_read_anew(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _head_anew(self) -> bytes:
        start = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode("ascii"))
        fields = [b"%s: %s" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([start, *fields, b"", b""])

    def _expect_head(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(self._head_s, self._miss_head)

    def _miss_head(self) -> None:
        self._due = None
        if self._owes_answer:  # which goes first, and until then no more may be read
            self._expect_head()
        elif self._stage is _Stage.HEAD and not self._is_deaf:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _stop_expecting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    @property
    def _owes_answer(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: HTTPStatus) -> None:
        """Read no more, answer so if it is this request's turn, and end the connection."""
        self._is_deaf = True
        self.logger.warning("Request refused: %s.", status.phrase)
        if self._stage is not _Stage.BODY and self._owes_answer:
            self.cycle.keep_alive = False  # the requests before it are answered, and the last of them ends it
        elif self._stage is not _Stage.BODY or self._is_first_unanswered():
            self._answer(status)
        else:
            self.transport.close()

    def _is_first_unanswered(self) -> bool:
        return self._owes_answer and not self.pipeline and not self.cycle.response_started

    def _answer(self, status: HTTPStatus) -> None:
        if self._owes_answer:  # nobody else answers any more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        text = f"{status.phrase}.".encode("ascii")
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINE[status] + head + text)
        self.transport.write_eof()
        self.loop.call_later(_FAREWELL_S, self.transport.abort)
