"""Chunks that this process reads for workers elsewhere, kept until they are answered.

What can be read but once, such as a pipe, can so be sent again when those who had it are gone.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator

from taggers.bulk.chunks import Chunk


class Backlog:
    """Reads ahead in a thread of its own, by so many chunks and one that has no room yet.

    Args:
        chunks: What is read, once.
        room: How many chunks may be there that are not answered.
    """

    def __init__(self, chunks: Iterable[Chunk], *, room: int) -> None:
        self._room = room
        self._unanswered: deque[Chunk] = deque()
        self._num_answered = 0
        self._ended = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(chunks,), daemon=True).start()

    @property
    def finished(self) -> bool:
        """Whether everything is read and answered.

        Raises:
            Exception: What the reader failed with, once all before it is answered.
        """
        with self._changed:
            if self._unanswered or not self._ended:
                return False
            if self._error is not None:
                raise self._error
            return True

    def unanswered(self, stop: threading.Event) -> Iterator[Chunk]:
        """The first chunk that is not answered, and those behind it as they come, until there are no more.

        Args:
            stop: Ends it earlier; whoever sets it calls ``wake``.
        """
        with self._changed:
            number = self._num_answered
        while (chunk := self._wait_for(number, stop)) is not None:
            yield chunk
            number += 1

    def wake(self) -> None:
        """Have everybody who waits look whether to stop."""
        with self._changed:
            self._changed.notify_all()

    def answered(self) -> None:
        """The first chunk is answered, and there is room for another."""
        with self._changed:
            self._unanswered.popleft()
            self._num_answered += 1
            self._changed.notify_all()

    def _wait_for(self, number: int, stop: threading.Event) -> Chunk | None:
        def is_there() -> bool:
            return number - self._num_answered < len(self._unanswered)

        with self._changed:
            self._changed.wait_for(lambda: stop.is_set() or self._ended or is_there())
            if stop.is_set() or not is_there():
                return None
            return self._unanswered[number - self._num_answered]

    def _read(self, chunks: Iterable[Chunk]) -> None:
        try:
            for chunk in chunks:
                with self._changed:
                    self._changed.wait_for(lambda: len(self._unanswered) < self._room)
                    self._unanswered.append(chunk)
                    self._changed.notify_all()
        except Exception as error:  # it belongs to whoever waits for the chunks
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()
