"""Arrow streams one behind the other -> one Parquet file whose columns have room for all of them."""

import duckdb
import pandas
import pyarrow as pa
import pyarrow.parquet
import pytest

from taggers.document import Document, Span
from taggers.formats import parquet
from taggers.formats.arrow import documents_to_table, rows_of
from taggers.formats.parquet import common_type, streams_to_parquet, table_to_stream


def document(number: int, **tags: tuple[str, ...]) -> Document:
    made = Document.from_words([["Ada", "came"]], id=str(number))
    sentence = made.sentences[0].annotated(tags=tags, spans={"ner": (Span(0, 1, "PER"),)})
    return Document(made.text, (sentence,), made.id)


def made(tmp_path, *tables: pa.Table) -> pa.Table:
    (tmp_path / "spool").write_bytes(b"".join(map(table_to_stream, tables)))
    streams_to_parquet(tmp_path / "spool", tmp_path / "a.parquet")
    return pyarrow.parquet.read_table(tmp_path / "a.parquet")


def test_columns_that_come_up_late_are_null_before(tmp_path) -> None:
    table = made(
        tmp_path,
        documents_to_table([document(0)], [{"n": 1}]),
        documents_to_table([document(1, upos=("X", "Y"), head=("1", "2"))], [{"n": 2.5, "late": "x"}]),
        documents_to_table([Document("", ())], [{"n": None}], layers=["ner"]),
    )
    assert table.schema.field("n").type == pa.float64()
    assert table.column("n").to_pylist() == [1.0, 2.5, None]
    assert table.column("late").to_pylist() == [None, "x", None]
    tokens = [row[0]["tokens"] if row else None for row in table.column("sentences").to_pylist()]
    assert [token["upos"] for token in tokens[0]] == [None, None]
    assert [token["head"] for token in tokens[1]] == ["1", "2"]
    assert [spans["ner"] and len(spans["ner"]) for spans in table.column("spans").to_pylist()] == [1, 1, None]


def test_values_of_other_types_become_text(tmp_path) -> None:
    table = made(
        tmp_path,
        documents_to_table([document(0)], [{"n": 1}]),
        documents_to_table([document(1)], [{"n": "one"}]),
        documents_to_table([document(2)], [{"n": [1]}]),
    )
    assert table.column("n").to_pylist() == ["1", "one", "[1]"]


def test_what_parquet_has_no_column_for_becomes_text(tmp_path) -> None:
    table = made(
        tmp_path,
        documents_to_table([document(0)], [{"meta": {}, "deep": {"a": [{}], "b": None}}]),
        documents_to_table([document(1)], [{"meta": None, "deep": None}]),
    )
    assert table.column("meta").to_pylist() == ["{}", None]
    assert table.column("deep").to_pylist() == [{"a": ["{}"], "b": None}, None]


def test_long_integers_among_floats_lose_no_digit(tmp_path) -> None:
    long = 1234567890123456789
    table = made(
        tmp_path,
        documents_to_table([document(0)], [{"n": 1, "deep": {"n": long}, "m": long}]),
        documents_to_table([document(1)], [{"n": 1.5, "deep": {"n": 0.5}, "m": 1.5}]),
    )
    assert table.column("n").to_pylist() == [1.0, 1.5]
    assert table.column("m").to_pylist() == [str(long), "1.5"]
    assert table.column("deep").to_pylist() == [f'{{"n":{long}}}', '{"n":0.5}']


@pytest.mark.parametrize("other", [pa.timestamp("us"), pa.string(), pa.duration("ns")])
def test_times_in_nanoseconds_meet_other_columns(tmp_path, other) -> None:
    kinds = [pa.timestamp("ns"), other]
    numbers = [1_767_323_045_123_456_789, 5]
    columns = [
        pa.array([number if kind != pa.string() else "x"], kind) for number, kind in zip(numbers, kinds, strict=True)
    ]
    rows = [
        documents_to_table([document(0)], rows_of(pa.table({"at": column})), types={"at": column.type})
        for column in columns
    ]
    table = made(tmp_path, *rows)
    if other == pa.timestamp("us"):
        assert table.column("at").cast(pa.int64()).to_pylist() == [numbers[0], 5000]
    else:
        last = "x" if other == pa.string() else "PT0.000000005S"
        assert table.column("at").to_pylist() == ["2026-01-02T03:04:05.123456789", last]


def test_nothing_is_a_table_without_rows(tmp_path) -> None:
    table = made(tmp_path)
    assert (table.num_rows, table.column_names) == (0, ["id", "text", "sentences"])


def test_row_groups_are_bounded_and_rows_in_order(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP_BYTES", 1)
    table = made(tmp_path, *(documents_to_table([document(number)], [{}]) for number in range(5)))
    assert table.column("id").to_pylist() == list("01234")
    assert pyarrow.parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups == 5


def test_duckdb_and_pandas_read_it(tmp_path) -> None:
    tagged = document(7, upos=("PROPN", "VERB"), feats=("Number=Sing", "_"))
    made(tmp_path, documents_to_table([tagged], [{"stars": 5}]))
    path = tmp_path / "a.parquet"
    found = duckdb.sql(
        f"select id, stars, token.text, token.feats['Number'] from (select id, stars, unnest(sentences[1].tokens) "
        f"as token from '{path}') where token.upos = 'PROPN'"
    ).fetchall()
    assert found == [("7", 5, "Ada", "Sing")]
    assert duckdb.sql(f"select spans.ner[1].label from '{path}'").fetchall() == [("PER",)]
    frame = pandas.read_parquet(path)
    assert (frame.stars[0], frame.spans[0]["ner"][0]["text"]) == (5, "Ada")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (pa.int64(), pa.int64(), pa.int64()),
        (pa.null(), pa.date32(), pa.date32()),
        (pa.int64(), pa.float64(), pa.float64()),
        (pa.list_(pa.null()), pa.list_(pa.string()), pa.list_(pa.string())),
        (pa.struct({"a": pa.int64()}), pa.struct({"b": pa.bool_()}), pa.struct({"a": pa.int64(), "b": pa.bool_()})),
        (pa.int64(), pa.bool_(), pa.string()),
        (pa.date32(), pa.string(), pa.string()),
        (pa.timestamp("ns"), pa.timestamp("us"), pa.timestamp("ns")),
        (pa.time32("s"), pa.time64("us"), pa.time64("us")),
        (pa.duration("ms"), pa.duration("s"), pa.duration("ms")),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.string()),
        (pa.timestamp("ns"), pa.duration("ns"), pa.string()),
    ],
)
def test_common_types(one, other, both) -> None:
    assert common_type(one, other) == both
    assert common_type(other, one).equals(both) or pa.types.is_struct(both)
