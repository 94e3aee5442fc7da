"""Arrow streams, one behind the other in one file -> one Parquet file.

Parquet cannot be appended to once its footer is written, and without one it cannot be read; streams can, and are cut
off at any of their ends. Their schemas may differ, as a column comes up late or takes on another type; the file's has
room for all.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from taggers.formats.arrow import as_json, documents_to_table, values_of

_GROUP_BYTES = 64 << 20
_OURS = frozenset(("id", "text", "sentences", "spans"))
"""Columns whose values always have room in their types."""
_UNITS = ("s", "ms", "us", "ns")
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


def table_to_stream(table: pa.Table) -> bytes:
    """A table as an Arrow stream, which tells where it ends."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def streams_to_parquet(spool: Path, target: Path) -> None:
    """Write a Parquet file, in row groups of some 64 MB, from a file of Arrow streams.

    Raises:
        OSError: A file cannot be read or written.
    """
    schema = _common_schema(spool)
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        group: list[pa.Table] = []
        size = 0
        for table in _tables(spool):
            group.append(pa.table([conformed(table, field) for field in schema], schema=schema))
            size += table.nbytes
            if size >= _GROUP_BYTES:
                writer.write_table(pa.concat_tables(group))
                group, size = [], 0
        if group:
            writer.write_table(pa.concat_tables(group))


def conformed(table: pa.Table, field: pa.Field) -> pa.Array:
    """The column of a field, in its type; nulls where the table has none."""
    if field.name not in table.column_names:
        return pa.nulls(table.num_rows, field.type)
    return _cast(table.column(field.name).combine_chunks(), field.type)


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds values of both: numbers and times widen, structs have the fields of both, else JSON does."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_struct(one) and pa.types.is_struct(other):
        fields = {field.name: field.type for field in one}
        for field in other:
            fields[field.name] = common_type(fields.get(field.name, pa.null()), field.type)
        return pa.struct(fields)
    if pa.types.is_list(one) and pa.types.is_list(other):
        return pa.list_(common_type(one.value_type, other.value_type))
    if _is_time(one) and _is_time(other) and _without_unit(one) == _without_unit(other):
        return max(one, other, key=lambda kind: _UNITS.index(kind.unit))
    numbers = [pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other)]
    return pa.float64() if all(numbers) else pa.string()


def _is_time(kind: pa.DataType) -> bool:
    return any(is_one(kind) for is_one in (pa.types.is_timestamp, pa.types.is_duration, pa.types.is_time))


def _without_unit(kind: pa.DataType) -> tuple[str, str | None]:
    return str(kind).partition("[")[0].rstrip("3264"), getattr(kind, "tz", None)


def _common_schema(spool: Path) -> pa.Schema:
    types = {field.name: field.type for field in documents_to_table([], []).schema}
    for table in _tables(spool):
        for field in table.schema:
            types[field.name] = common_type(types.get(field.name, pa.null()), field.type)
    types = {name: _storable(kind) for name, kind in types.items()}
    for table in _tables(spool):
        for name in types.keys() & set(table.column_names) - _OURS:
            if table.schema.field(name).type != types[name] and not _fits(table, pa.field(name, types[name])):
                types[name] = pa.string()
    return pa.schema(types)


def _storable(kind: pa.DataType) -> pa.DataType:
    """The type in a file: Spark knows no column of nothing, and Parquet no struct without fields."""
    if pa.types.is_null(kind) or (pa.types.is_struct(kind) and not kind.num_fields):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_storable(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_storable(kind.value_type))
    return kind


def _fits(table: pa.Table, field: pa.Field) -> bool:
    """Whether a column has no value that its type in the file would change, as a float does with long integers."""
    try:
        conformed(table, field)
    except pa.ArrowInvalid:
        return False
    return True


def _tables(spool: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(spool)) as file:
        end = file.size()
        while file.tell() < end:
            with pa.ipc.open_stream(file) as reader:
                yield reader.read_all()


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_struct(kind) and pa.types.is_struct(array.type):
        present = {array.type.field(index).name: index for index in range(array.type.num_fields)}
        columns = [
            _cast(array.field(present[field.name]), field.type)
            if field.name in present
            else pa.nulls(len(array), field.type)
            for field in kind
        ]
        return pa.StructArray.from_arrays(columns, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind) and pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, _cast(array.values, kind.value_type), mask=array.is_null())
    if pa.types.is_string(kind):
        return as_json(values_of(array))
    return array.cast(kind)
