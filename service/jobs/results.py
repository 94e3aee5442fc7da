"""Results: the files of a job's chunks -> its output, in a form, bit by bit."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote
from uuid import uuid4

import msgspec

from service.errors import BadRequest, NotAcceptable
from service.exchange import AnyRequest, accept_of
from service.jobs.job import Order
from service.jobs.part import read_failures, read_lines, read_tagged
from service.jobs.schemas import ResultFormat, ResultOptions
from service.rendering import best_match
from service.stream import NDJSON
from taggers.bulk.compression import split_suffix
from taggers.bulk.pieces import Failure
from taggers.bulk.rendering import OutputOptions, find_renderer, render_good
from taggers.errors import TaglineError
from taggers.formats.answer import document_to_json
from taggers.formats.jsonl import write_line
from taggers.offsets import OffsetUnit

PARQUET = "application/vnd.apache.parquet"

Item = TypeVar("Item")

MEDIA_TYPES: Mapping[ResultFormat, str] = {
    "jsonl": NDJSON,
    "parquet": PARQUET,
    "conllu": "text/x-conllu",
    "iob2": "text/plain",
    "html": "text/html",
}
"""Form -> media type. The first is the default."""

_AT_ONCE = 50
"""So many documents are written in one go."""

_FAILURES_AT_ONCE = 1_000


def choose_result(request: AnyRequest, options: ResultOptions) -> ResultFormat:
    """The form that the query asks for, else the one that the client likes best.

    Raises:
        NotAcceptable: It takes none of them.
    """
    if options.format is not None:
        return options.format
    found = best_match(accept_of(request), tuple(MEDIA_TYPES.values()))
    if found is None:
        raise NotAcceptable(f"expected Accept to allow one of {', '.join(MEDIA_TYPES.values())}")
    return next(format for format, media_type in MEDIA_TYPES.items() if media_type == found)


def check_result(order: Order, format: ResultFormat, unit: OffsetUnit = OffsetUnit.CODEPOINT) -> None:
    """Go on only if a job's results have this form.

    Raises:
        BadRequest: They do not.
    """
    if unit is not OffsetUnit.CODEPOINT and format != "jsonl":
        raise BadRequest("only JSON Lines can have other offsets than code points")
    try:
        find_renderer(OutputOptions(format), span_tasks=order.layers)
    except (TaglineError, ImportError) as error:
        lacking = "Parquet needs an extra on the server: pip install 'tagline[bulk]'"
        raise BadRequest(str(error) if isinstance(error, TaglineError) else lacking) from None


def write_results(order: Order, files: Sequence[Path], format: ResultFormat, unit: OffsetUnit) -> Iterator[bytes]:
    """The output of a job, any form but Parquet.

    Args:
        order: What was asked for.
        files: Those of its chunks.
        format: The form.
        unit: What offsets count, in JSON Lines.
    """
    if format == "jsonl":
        for file in files:
            yield from read_lines(file) if unit is OffsetUnit.CODEPOINT else _read_in_units(file, unit)
        return
    options = OutputOptions(format, title=f"Tagged by {order.model}")
    render = find_renderer(options, span_tasks=order.layers)
    yield options.head
    for file in files:
        for some in _some(read_tagged(file), _AT_ONCE):
            yield render_good(render, some, options)[0]
    yield options.tail


def make_parquet(order: Order, files: Sequence[Path], target: Path) -> None:
    """Write the output of a job as Parquet, whose footer comes last and says where everything is: so to a file.

    Args:
        order: What was asked for.
        files: Those of its chunks.
        target: The file, which appears when it is whole.

    Raises:
        OSError: It cannot be written.
    """
    from taggers.formats.parquet import streams_to_parquet  # pyarrow takes a moment to import

    options = OutputOptions("parquet")
    render = find_renderer(options, span_tasks=order.layers)
    spool, made = (target.with_name(f"{target.name}-{uuid4().hex}") for _ in range(2))
    try:
        with spool.open("xb") as stream:
            for file in files:
                stream.write(render_good(render, list(read_tagged(file)), options)[0])
        streams_to_parquet(spool, made)
        made.replace(target)
    finally:
        for path in (spool, made):
            path.unlink(missing_ok=True)


def write_failures(order: Order, files: Sequence[Path], format: ResultFormat) -> Iterator[bytes]:
    """The records of a job that gave nothing, as lines of JSON: also those that a form cannot hold.

    Args:
        order: What was asked for.
        files: Those of its chunks.
        format: The form.
    """
    for some in _some(_find_failures(order, files, format), _FAILURES_AT_ONCE):
        yield b"".join(msgspec.json.encode(failure) + b"\n" for failure in some)


def disposition(order: Order, suffix: str) -> str:
    """The header that names the file to save (RFC 6266).

    Args:
        order: What was asked for.
        suffix: What kind of file it is.
    """
    inner = Path(split_suffix(order.name)[0])
    name = f"{inner.stem or 'job'}.{suffix}"
    plain = "".join(character if character.isascii() and character not in '"\\%' else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _find_failures(order: Order, files: Sequence[Path], format: ResultFormat) -> Iterator[Failure]:
    options = OutputOptions(format)
    render = find_renderer(options, span_tasks=order.layers)
    for file in files:
        failures = dict(read_failures(file))
        if format != "jsonl":  # which holds all that was tagged
            for some in _some(read_tagged(file), _AT_ONCE):
                failures |= render_good(render, some, options)[1]
        yield from (failures[number] for number in sorted(failures))


def _some(items: Iterator[Item], count: int) -> Iterator[list[Item]]:
    while some := list(islice(items, count)):
        yield some


def _read_in_units(file: Path, unit: OffsetUnit) -> Iterator[bytes]:
    for some in _some(read_tagged(file), _AT_ONCE):
        yield "".join(
            write_line({**document_to_json(tagged.document, offsets=unit), **tagged.extra}) for tagged in some
        ).encode("utf-8")
