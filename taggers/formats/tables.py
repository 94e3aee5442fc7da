"""Tables of one text a row: CSV as RFC 4180 has it, with a header, commas and fields that may hold line ends."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from taggers.errors import FormatError
from taggers.formats.lines import strip_mark

DEFAULT_ID_FIELD = "id"
_ANY_SIZE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        line: Where it begins, counted from 1.
        fields: Its fields by their columns; None where the row is wrong.
        problem: What is wrong with it: what was expected and what was found.
    """

    line: int
    fields: Mapping[str, str] | None
    problem: str = ""


def read_table(
    lines: Iterator[str],
    path: str = "<stream>",
    *,
    text_field: str = "text",
    id_field: str = DEFAULT_ID_FIELD,
    number: Callable[[], int],
) -> Iterator[Row]:
    """The rows of a table after its header, each as soon as its lines are there.

    The header is read at once, so that ``lines`` may go on elsewhere in the table from then on. Blank lines are
    skipped, and a wrong row is told of.

    Args:
        lines: With their line ends, which stay as they are inside quotes.
        path: What errors call the table.
        text_field: A column that must be there.
        id_field: Another, unless it is the usual ``id``.
        number: The number of the line that was read last, from 1.

    Raises:
        FormatError: A column is missing, or the header is no row of CSV.
    """
    csv.field_size_limit(_ANY_SIZE)  # the csv module's own limit of 128 KiB is shorter than a long article
    first = map(strip_mark, islice(lines, 1))  # before its quotes are looked for
    reader = csv.reader(chain(first, lines), strict=True)
    try:
        header = next((fields for fields in reader if fields), None)
    except csv.Error as error:
        raise FormatError(path, number(), f"expected a header of CSV, found: {error}") from None
    if header is None:
        return iter(())
    check_columns(header, path, number(), text_field=text_field, id_field=id_field)
    return _rows(reader, header, number)


def _rows(reader: Iterator[list[str]], header: Sequence[str], number: Callable[[], int]) -> Iterator[Row]:
    while True:
        line = number() + 1  # a row may take several lines
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines = f" (lines {line} to {number()})" if number() > line else ""
            yield Row(line, None, f"expected a row of CSV, found: {error}{lines}")
            continue
        if len(fields) == len(header):
            yield Row(line, dict(zip(header, fields, strict=True)))
        elif fields:
            yield Row(line, None, f"expected {len(header)} fields as in the header, found {len(fields)}")


def check_columns(columns: Sequence[str], path: str, line: int, *, text_field: str, id_field: str) -> None:
    """Go on only if the columns of text and id are there, and each column is there once.

    Raises:
        FormatError: One is not, and is not the usual ``id``.
    """
    for name in (text_field, id_field):
        if name not in columns and (name == text_field or name != DEFAULT_ID_FIELD):
            raise FormatError(path, line, f"expected a column {name!r}, found the columns {', '.join(columns)}")
    if twice := [name for index, name in enumerate(columns) if name in columns[:index]]:
        raise FormatError(path, line, f"expected every column once, found {twice[0]!r} twice")
