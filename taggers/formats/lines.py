"""The lines of an annotation file, decoded so that even a bad byte is reported with its line.

A line ends at LF alone: ``str.splitlines`` and universal newlines would also cut at characters that words may hold.
"""

from pathlib import Path

from taggers.errors import FormatError

_BYTE_ORDER_MARK = "\ufeff"


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file without their LF; a byte order mark at the start is dropped.

    Raises:
        FormatError: A line is not valid UTF-8.
        OSError: The file cannot be read.
    """
    return decode_lines(path.read_bytes(), path)


def decode_lines(content: bytes, path: str | Path) -> list[str]:
    """The lines of a file's content in UTF-8 without their LF; a byte order mark at the start is dropped.

    Raises:
        FormatError: A line is not valid UTF-8.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FormatError(path, line, f"expected UTF-8, found byte 0x{content[error.start]:02X}") from None
    return strip_mark(text).split("\n")


def decode_at(content: bytes, path: str, *, line: int, offset: int) -> str:
    """Decode bytes that begin on ``line`` and ``offset`` bytes into a file; a byte order mark stays.

    Raises:
        FormatError: They are not valid UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        found = f"byte 0x{content[error.start]:02X} at byte offset {offset + error.start}"
        raise FormatError(path, line, f"expected UTF-8, found {found}") from None


def strip_mark(line: str) -> str:
    """The first line of a stream without its byte order mark."""
    return line.removeprefix(_BYTE_ORDER_MARK)
