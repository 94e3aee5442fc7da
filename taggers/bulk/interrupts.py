"""Ctrl-C that waits while something is done that must not be cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Hears Ctrl-C for as long as it is entered; ``held`` puts it off, a second Ctrl-C is not put off.

    Where interrupts are ignored (nohup) or somebody else's, they stay so; only the main thread may set a handler.
    """

    def __init__(self) -> None:
        self._holding = False
        self._interrupted = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear Ctrl-C for as long as the block lasts."""
        ours = threading.current_thread() is threading.main_thread()
        if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put an interrupt off until the block's end.

        Raises:
            KeyboardInterrupt: One came meanwhile.
        """
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._interrupted:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if not self._holding or self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True
