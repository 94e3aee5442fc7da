"""Files at an address, which fsspec reads: found, and opened so that what passes is told from what is wrong there."""

import glob
from collections.abc import Callable, Mapping, Sequence
from errno import ENOENT
from http import HTTPStatus
from io import BufferedReader, RawIOBase
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from taggers.errors import InputUnreachable, TaglineError

WEB = ("http://", "https://")
_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_REDIRECTION = 3
_CONNECT_S = 30
_SILENCE_S = 300
_LASTING = (PermissionError, ValueError, TypeError, NotImplementedError)
"""What asking again will not change. Most else that a client raises, each has errors of its own, may pass."""


def find_there(name: str, *, wanted: Callable[[str], bool], may_move: bool) -> tuple[Any, Sequence[tuple[str, str]]]:
    """The files that an address stands for, sorted, as they are now.

    Args:
        name: An address, or a pattern of some.
        wanted: Whether a file in a folder is.
        may_move: Whether a server may send us to another address.

    Returns:
        The file system, and of each file what it is called and its path there.

    Raises:
        TaglineError: There is no such kind of address, its package is missing, or it is not for us to read.
        InputUnreachable: It does not answer.
        FileNotFoundError: There is no such file.
    """
    filesystem, path = place_of(name, may_move=may_move)
    try:
        filesystem.invalidate_cache()  # what it was told before, maybe days ago
        if name.startswith(WEB):  # a question mark is no pattern there, and a page is no folder
            return filesystem, [(name, path)]
        if glob.has_magic(path):
            inside = filesystem.glob(path, detail=True)
            found = [file for file, details in inside.items() if _is_file(filesystem, file, details)]
        elif filesystem.isdir(path):
            found = [file for file in filesystem.find(path) if wanted(file)]
        else:
            return filesystem, [(name, path)]
    except Exception as error:
        raise _as_ours(error, name) from error
    return filesystem, [(filesystem.unstrip_protocol(file), file) for file in sorted(found) if not _hidden(file, path)]


def place_of(name: str, *, may_move: bool = True) -> tuple[Any, str]:
    """The file system of an address, and the path there.

    Args:
        name: An address.
        may_move: Whether a server may send us to another address.

    Raises:
        TaglineError: There is no such kind of address, or its package is missing.
    """
    try:
        filesystem, path = url_to_fs(name, **(_web_options(may_move=may_move) if name.startswith(WEB) else {}))
    except Exception as error:
        raise TaglineError(f"{name}: {error}") from error
    return filesystem, path


def look_at(filesystem: Any, path: str, name: str) -> Mapping[str, Any]:
    """What is told of a file.

    Raises:
        TaglineError: It is not for us to read.
        InputUnreachable: Its place does not answer.
        FileNotFoundError: There is no such file.
    """
    try:
        details: Mapping[str, Any] = filesystem.info(path)
    except Exception as error:
        raise _as_ours(error, name) from error
    return details


def open_there(filesystem: Any, path: str, name: str) -> BufferedReader:
    """Open a file.

    Raises:
        TaglineError: It is not for us to read.
        InputUnreachable: Its place does not answer; reading may raise that, too.
        FileNotFoundError: There is no such file.
    """
    if isinstance(filesystem, LocalFileSystem):
        return BufferedReader(filesystem.open(path, "rb"))
    try:
        return BufferedReader(_Reader(filesystem.open(path, "rb"), name))
    except Exception as error:
        raise _as_ours(error, name) from error


def _web_options(*, may_move: bool) -> Mapping[str, Any]:
    from aiohttp import ClientTimeout  # which only those who read pages need

    # Of its own, aiohttp gives a page five minutes from its first byte to its last, and we tag more slowly than that.
    client = {"timeout": ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)}
    if may_move:
        return {"client_kwargs": client}
    return {"allow_redirects": False, "client_kwargs": client | {"raise_for_status": _stay}}


class _Reader(RawIOBase):
    """A file of fsspec whose errors are ours."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self._name = name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        # A page of a length that nobody told says that it is, and then cannot be moved in.
        return bool(self._file.seekable()) and getattr(self._file, "size", 0) is not None

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)  # type: ignore[no-any-return]

    def tell(self) -> int:
        return self._file.tell()  # type: ignore[no-any-return]

    def readinto(self, buffer: Any) -> int:
        try:
            return self._file.readinto(buffer)  # type: ignore[no-any-return]
        except Exception as error:
            raise _as_ours(error, self._name) from error

    def close(self) -> None:
        self._file.close()
        super().close()


def _as_ours(error: BaseException, name: str) -> Exception:
    is_missing = isinstance(error, FileNotFoundError)
    if is_missing and error.__cause__ is not None and name.startswith(WEB):
        return _as_ours(error.__cause__, name)  # fsspec calls a page missing whatever went wrong
    status = getattr(error, "status", None)  # aiohttp's errors have one
    if is_missing or status == HTTPStatus.NOT_FOUND:
        return FileNotFoundError(ENOENT, "No such file", name)
    unnamed = "it has stopped answering" if isinstance(error, TimeoutError) else type(error).__name__
    reason = (str(error) or unnamed).splitlines()[0]
    problem = reason if reason.startswith(name) else f"{name}: {reason}"
    refused = isinstance(status, int) and status // 100 == 4 and status not in _BUSY
    return TaglineError(problem) if refused or isinstance(error, _LASTING) else InputUnreachable(problem)


def _is_file(filesystem: Any, file: str, details: Mapping[str, Any]) -> bool:
    return details["type"] == "file" or (details["type"] == "other" and bool(filesystem.isfile(file)))  # a link


def _hidden(file: str, path: str) -> bool:
    """Whether a file is hidden, or in a folder that is, below the path or pattern that gave it."""
    given = path.strip("/").split("/")
    fixed = next((index for index, part in enumerate(given) if glob.has_magic(part)), len(given))
    asked_for = any(part.startswith(".") for part in given[fixed:])
    return not asked_for and any(part.startswith(".") for part in file.strip("/").split("/")[fixed:])


async def _stay(response: Any) -> None:
    """Called by aiohttp with every answer."""
    if response.status // 100 == _REDIRECTION and "Location" in response.headers:
        raise PermissionError(f"{response.url} has moved to {response.headers['Location']}: name that address")
    if response.status != HTTPStatus.NOT_FOUND:  # of which fsspec tells
        response.raise_for_status()
