"""Siblings: the processes of one service (``--workers``), which serve the same models: a reload reaches all of them.

They meet in a folder that their parent made: each listens on a socket there, and whoever is asked for a reload does it
first and tells the others when it went well.
"""

import asyncio
import fcntl
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from service.answers import ModelDescription
from service.errors import RefusedModel, Reloading
from service.registry import Phase, Registry

_DONE = b"done"
_POLL_S = 0.05


class Siblings:
    """One process of a service among others, or alone.

    Args:
        registry: Its models.
        folder: Where the processes meet; None if there is only one.
    """

    def __init__(self, registry: Registry, *, folder: Path | None) -> None:
        self._registry = registry
        self._folder = folder
        self._socket = None if folder is None else folder / f"{uuid4().hex[:12]}.sock"

    @asynccontextmanager
    async def meeting(self) -> AsyncIterator[None]:
        """Do what the others tell, and first look where they load their models from."""
        if self._folder is None or self._socket is None:
            yield
            return
        for name in self._registry.names:
            moved = self._place(name, "folder")
            if moved.exists():
                self._registry.move(name, Path(moved.read_text("utf-8")))
        async with await asyncio.start_unix_server(self._obey, self._socket):
            try:
                yield
            finally:
                self._socket.unlink()

    async def reload(self, name: str, folder: Path | None) -> ModelDescription:
        """Load a model again, in every process; otherwise as ``Registry.reload``.

        Raises:
            Reloading: It is being loaded already, by whichever process.
            RefusedModel: The folder is damaged.
        """
        if self._folder is None:
            return await self._registry.reload(name, folder)
        name = self._registry.full_name(name)
        with self._alone(name):
            made = await self._registry.reload(name, folder)
            if folder is not None:
                self._place(name, "folder").write_text(str(folder), "utf-8")
            others = [path for path in self._folder.glob("*.sock") if path != self._socket]
            order = json.dumps([name, None if folder is None else str(folder)]).encode()
            problems = await asyncio.gather(*(_tell(other, order) for other in others))
        for problem in filter(None, problems):
            raise RefusedModel(f"another worker goes on with the old model: {problem}")
        return made

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, folder = json.loads(await reader.read())
            while self._registry.phase is Phase.LOADING:  # it may have read the old files
                await asyncio.sleep(_POLL_S)
            await self._registry.reload(name, folder and Path(folder))
            writer.write(_DONE)
        except Exception as error:  # whatever it is, who told it must know
            writer.write(str(error).encode() or type(error).__name__.encode())
        finally:
            writer.close()

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Let no other process load the model."""
        with self._place(name, "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Reloading(f"model {name!r} is being loaded already") from None
            yield

    def _place(self, name: str, kind: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{quote(name, safe='')}.{kind}"


async def _tell(other: Path, order: bytes) -> str:
    """What kept another process from it; empty if nothing did, or it has ended and so has nothing old."""
    try:
        reader, writer = await asyncio.open_unix_connection(other)
    except (ConnectionRefusedError, FileNotFoundError):
        return ""
    try:
        writer.write(order)
        writer.write_eof()
        answer = await reader.read()
    except ConnectionError:
        return ""
    finally:
        writer.close()
    return "" if answer in (_DONE, b"") else answer.decode()
