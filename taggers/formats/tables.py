"""Tables of one text a row: CSV as RFC 4180 has it, with a header, commas and fields that may hold line ends."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from taggers.errors import FormatError
from taggers.formats.lines import strip_mark
from taggers.formats.raw import RawDocument

DEFAULT_ID_FIELD = "id"

_MAX_FIELD_SIZE = 2**31 - 1  # the csv module's own limit of 128 KiB is shorter than a long article


def read_csv(
    stream: Iterable[str], path: str = "<stream>", *, text_field: str = "text", id_field: str = DEFAULT_ID_FIELD
) -> Iterator[RawDocument]:
    """The documents of a stream of lines, each as soon as its row is there; blank lines are skipped.

    Args:
        stream: Lines with their line ends, which stay as they are inside quotes.
        path: What errors call the stream.
        text_field: The column that holds the text.
        id_field: The column that holds the id; it may be absent if it is the usual ``id``.

    Raises:
        FormatError: A column is missing, a quote is wrong, or a row has more or fewer fields than the header.
    """
    csv.field_size_limit(_MAX_FIELD_SIZE)
    reader = csv.reader(_without_mark(stream), strict=True)
    header: list[str] | None = None
    text_column = 0
    id_column: int | None = None
    line = 1
    try:
        for row in reader:
            if row and header is None:
                header = row
                text_column, id_column = _find_columns(header, path, line, text_field, id_field)
            elif row and header is not None:
                if len(row) != len(header):
                    raise FormatError(path, line, f"expected {len(header)} fields as in the header, found {len(row)}")
                yield RawDocument(row[text_column], None if id_column is None else row[id_column])
            line = reader.line_num + 1  # a row may take several lines
    except csv.Error as error:
        raise FormatError(path, line, f"expected a row of CSV, found: {error}") from None


def _find_columns(
    header: Sequence[str], path: str, line: int, text_field: str, id_field: str
) -> tuple[int, int | None]:
    """Where text and id stand."""
    for name in (text_field, id_field):
        if name not in header and (name == text_field or name != DEFAULT_ID_FIELD):
            raise FormatError(path, line, f"expected a column {name!r}, found the columns {', '.join(header)}")
    return header.index(text_field), header.index(id_field) if id_field in header else None


def _without_mark(stream: Iterable[str]) -> Iterator[str]:
    lines = iter(stream)
    for first in lines:
        yield strip_mark(first)
        yield from lines
