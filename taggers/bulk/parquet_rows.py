"""Parquet -> pieces: one row each, read batch by batch."""

from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any

import pyarrow
import pyarrow.parquet

from taggers.bulk.lines import ends_too_soon
from taggers.bulk.pieces import Failure, Found, Piece, ReadOptions, too_long
from taggers.bulk.sources import Source
from taggers.errors import FormatError
from taggers.formats.arrow import rows_of
from taggers.formats.tables import check_columns

_BATCH_ROWS = 16  # are in memory together, and each may be as long as a record may be
_BUFFER_BYTES = 1 << 20  # of each column, else a row group's part of it is held as a whole


def read_parquet(source: Source, raw: BufferedReader, options: ReadOptions, *, row: int = 0) -> Iterator[Found]:
    """The rows of a Parquet file, each of which takes as much of a chunk as all its columns have room.

    Args:
        source: Which it is.
        raw: Its bytes, in which one can move.
        options: How it is read.
        row: How many rows to pass over.

    Raises:
        FormatError: It is no Parquet, is damaged, cannot be moved in, or lacks a column.
    """
    if source.compression is not None or not raw.seekable():
        raise FormatError(source.label, 1, "expected Parquet as a plain file, whose end is read first")
    try:
        with pyarrow.parquet.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            schema = file.schema_arrow
            if "sentences" not in schema.names:
                check_columns(schema.names, source.label, 1, text_field=options.text_field, id_field=options.id_field)
            size, num_rows = source.size or 0, file.metadata.num_rows
            for fields in _rows_from(file, row, source.label):
                row += 1
                item, room = _item(source, schema, options, row, fields)
                yield Found(item, row, row, room, read=size * row // num_rows)  # a reader of columns goes to and fro
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise FormatError(source.label, row + 1, f"expected Parquet that can be read, found: {reason}") from error


def _rows_from(file: pyarrow.parquet.ParquetFile, row: int, name: str) -> Iterator[Mapping[str, Any] | str]:
    """The rows from ``row`` on, each as its values, or as what is wrong with it."""
    groups = range(file.num_row_groups)
    skipped = 0
    for group in groups:
        length = file.metadata.row_group(group).num_rows
        if skipped + length > row:
            break
        skipped += length
    else:
        if row > skipped:
            raise ends_too_soon(name)
        return
    start = row - skipped
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=list(groups)[group:], use_threads=False):
        if start < batch.num_rows:
            yield from _values(batch.slice(start))
        start = max(0, start - batch.num_rows)


def _values(batch: pyarrow.RecordBatch) -> Iterator[Mapping[str, Any] | str]:
    try:
        rows = rows_of(batch)
    except (ValueError, OverflowError):  # only its row is wrong
        for index in range(batch.num_rows):
            try:
                yield rows_of(batch.slice(index, 1))[0]
            except UnicodeDecodeError as error:
                yield f"expected UTF-8, found: {error}"
            except (ValueError, OverflowError) as error:
                yield f"expected values that Python knows, found: {error}"
    else:
        yield from rows


def _item(
    source: Source, schema: pyarrow.Schema, options: ReadOptions, row: int, fields: Mapping[str, Any] | str
) -> tuple[Piece | Failure, int]:
    """What a row is, and how much room that takes."""
    place = f"{source.label}:{row}"
    if isinstance(fields, str):
        return Failure(place, fields), 0
    length = _bytes_of(fields.get(options.text_field))
    if length > options.max_record_bytes:
        return too_long(place, "a text", length, options.max_record_bytes), 0
    return Piece(source.label, "row", row, 0, fields, schema=schema), _bytes_of(fields)


def _bytes_of(value: Any) -> int:
    """How much room a value takes, at least."""
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        case bytes():
            return len(value)
        case Mapping():
            return sum(map(_bytes_of, value.values()))
        case list():
            return sum(map(_bytes_of, value))
    return 1
