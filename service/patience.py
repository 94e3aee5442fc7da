"""Patience: the connection of a client that reads nothing of its answer is ended after a while.

What was written waits in the connection's buffer, which a connection that is closed still sends: to a client that does
not read for ever, and a service that is told to stop would wait for it.
"""

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # uvicorn chooses one of two, of which mypy sees neither
    from uvicorn.protocols.http.h11_impl import H11Protocol as AutoHTTPProtocol
else:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol


class PatientProtocol(AutoHTTPProtocol):
    """uvicorn's protocol, with an end to waiting.

    Args:
        idle_s: How long a client may read nothing while something waits for it.
        options: What uvicorn tells.
    """

    def __init__(self, *, idle_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._idle_s = idle_s
        self._unread = 0
        self._watch: asyncio.TimerHandle | None = None

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
