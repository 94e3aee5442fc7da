"""Holder: a server process that works on jobs, and whether it lives.

Each holds a lock on a file of its own as long as it lives, however it ends; the system sees to that. So a server that
starts again, on the same machine, finds at once what the one before it left, and waits for no lease.
"""

import fcntl
import os
import socket
from pathlib import Path
from uuid import uuid4

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Holder:
    """This process.

    Args:
        folder: Where the processes of all servers have their files.

    Raises:
        OSError: It cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.id = uuid4().hex
        self._folder = folder
        self._lock = os.open(self._path(self.id), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """It ends in good order, and holds nothing any more."""
        self._path(self.id).unlink(missing_ok=True)
        os.close(self._lock)

    def is_dead(self, id: str) -> bool:
        """Whether another process, on this machine, is dead."""
        if id == self.id:
            return False
        try:
            lock = os.open(self._path(id), os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        self._path(id).unlink(missing_ok=True)
        return True

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.lock"


def this_machine() -> str:
    """What the processes have in common that can see each other's locks: the running system, in containers or not."""
    return _BOOT_ID.read_text("ascii").strip() if _BOOT_ID.exists() else socket.gethostname()[:64]
