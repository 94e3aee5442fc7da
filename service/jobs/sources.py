"""What a job reads: its upload, or an address that the settings allow; looked at before the job is accepted."""

import hashlib
import json
import posixpath
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from fsspec.implementations.local import LocalFileSystem

from service.errors import BadRequest, FieldError, Forbidden
from service.jobs.job import Input, Order
from taggers.bulk.compression import BROKEN_STREAM, Compression, guess_compression
from taggers.bulk.pieces import Failure, Piece, ReadOptions
from taggers.bulk.readers import read_first
from taggers.bulk.sources import Source, find_sources
from taggers.errors import FormatError

_MAGIC_BYTES = 4


def check_address(address: str, allowed: Sequence[str]) -> None:
    """Go on only if an address begins with what is allowed, letter by letter, and stays below it.

    Args:
        address: What a client asks for.
        allowed: Addresses; one without a slash at its end allows itself and what is below it.

    Raises:
        Forbidden: It does not.
    """
    if not allowed:
        raise Forbidden("this service reads no addresses: send the file itself as the body")
    if "::" in address or "\\" in address or not address.isprintable():  # fsspec chains file systems by ::
        raise Forbidden(f"expected a plain address, found {address!r}")
    if not any(_below(address, prefix) for prefix in allowed):
        raise Forbidden(f"expected an address that begins with one of {', '.join(allowed)}")
    decoded = address
    while decoded != (decoded := unquote(decoded)):
        pass
    if ".." in decoded.replace("\\", "/").split("/"):
        raise Forbidden(f"expected an address without .., found {address!r}")


def _below(address: str, prefix: str) -> bool:
    return address.startswith(prefix if prefix.endswith("/") else f"{prefix}/") or address == prefix


def upload_compression(path: Path) -> Compression | None:
    """The compression of an upload, by its first bytes: its name may tell of what was sent, or of what was packed."""
    with path.open("rb") as stream:
        return guess_compression(stream.read(_MAGIC_BYTES))


def read_options(input: Input, *, max_record_bytes: int) -> ReadOptions:
    """How a job's input is read: of a text each line is a document.

    Args:
        input: What is read.
        max_record_bytes: The most bytes of one document.
    """
    return ReadOptions(True, input.text_field, input.id_field, max_record_bytes)


def open_input(order: Order, upload: Path) -> Sequence[Source]:
    """What a job reads, in order.

    Args:
        order: What is asked for.
        upload: Where its upload is, if it has one.

    Raises:
        TaglineError: An address cannot be reached, or tells no format.
        OSError: There is nothing.
    """
    asked = order.input
    if asked.source is not None:
        return find_sources([asked.source], format=asked.format or "auto", may_move=False)
    size = upload.stat().st_size
    # As at a remote place, because what is called by its name lies somewhere else.
    return (Source(order.name, asked.format, asked.compression, size, "", (LocalFileSystem(), str(upload))),)


def describe_sources(sources: Sequence[Source]) -> str:
    """Differs once what is there has changed, as far as can be told."""
    names = json.dumps([(source.name, source.size, source.version) for source in sources])
    return hashlib.sha256(names.encode("utf-8")).hexdigest()


def look_into(sources: Sequence[Source], options: ReadOptions) -> None:
    """Go on only if the first record of each source can be found: hours later would be too late to hear of it.

    Raises:
        BadRequest: A source lacks a column, is damaged from the start, or is of another format or none that we know.
    """
    for source in sources:
        try:
            first = read_first(source, options)
        except FormatError as error:
            raise BadRequest(str(error), _blame(error, options)) from None
        except BROKEN_STREAM as error:
            raise BadRequest(f"{source.label}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        except ImportError:
            raise BadRequest(f"{source.label}: this service has no reader of it: pip install 'tagline[bulk]'") from None
        if source.format is None and first and _is_binary(first.item):
            raise BadRequest(f"{source.label}: expected text in UTF-8, or a format that is named; found neither")


def _is_binary(item: Piece | Failure) -> bool:
    if isinstance(item, Piece) and isinstance(item.content, bytes):
        try:
            item.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return True
    return False


def _blame(error: FormatError, options: ReadOptions) -> Sequence[FieldError]:
    """The parameter that names a column that is not there."""
    fields = {"text_field": options.text_field, "id_field": options.id_field}
    return [
        FieldError(name, error.problem)
        for name, column in fields.items()
        if error.problem.startswith(f"expected a column {column!r}")
    ]


def base_name(address: str) -> str:
    """What people call an address."""
    return posixpath.basename(address.rstrip("/")) or address
