"""Arrow columns: any document comes back from them as it was, other columns keep their types."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.bulk.pieces import Piece, ReadOptions
from taggers.bulk.records import parse_piece
from taggers.document import Document, Span
from taggers.formats.arrow import documents_to_table, other_column, rows_of
from taggers.formats.conllu import read_conllu_file
from taggers.formats.jsonl import write_line
from tests import strategies


def back(table: pa.Table) -> list[Document]:
    rows = table.to_pylist(maps_as_pydicts="lossy")
    pieces = [Piece("a.parquet", "row", 1, 0, row, schema=table.schema) for row in rows]
    return [parse_piece(piece, ReadOptions()).document for piece in pieces]


@given(st.lists(strategies.documents(), max_size=3))
def test_documents_come_back_as_they_were(documents) -> None:
    assert back(documents_to_table(documents, [{}] * len(documents))) == documents


def test_all_that_conllu_holds_comes_back(fixtures) -> None:
    documents = read_conllu_file(fixtures / "mixed.conllu")
    assert back(documents_to_table(documents, [{}] * len(documents))) == documents


def test_types_are_those_that_sql_reads() -> None:
    document = Document.from_words([["Ada", "came"]], id="x")
    sentence = document.sentences[0].annotated(
        tags={"lemma": ("Ada", "come"), "feats": ("Number=Sing|Case=Nom", "_"), "upos": ("PROPN", "VERB")},
        spans={"ner": (Span(0, 1, "PER", 0.123456789),)},
    )
    table = documents_to_table([Document("Ada came", (sentence,), "x")], [{}], layers=["ner", "chunk"])
    tokens = table.schema.field("sentences").type.value_type.field("tokens").type.value_type
    assert [field.name for field in tokens] == ["text", "start", "end", "upos", "feats", "lemma"]
    assert tokens.field("feats").type == pa.map_(pa.string(), pa.string())
    (row,) = table.to_pylist(maps_as_pydicts="lossy")
    assert row["sentences"][0]["tokens"][0]["feats"] == {"Number": "Sing", "Case": "Nom"}
    assert row["sentences"][0]["tokens"][1]["feats"] == {}
    assert row["spans"] == {
        "ner": [
            {"label": "PER", "start": 0, "end": 3, "text": "Ada", "sentence": 0, "tokens": [0, 1], "score": 0.123457}
        ],
        "chunk": None,
    }


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1, None, 3], None, pa.int64()),
        ([1, 2.5], None, pa.float64()),
        ([1, 2], pa.int8(), pa.int8()),
        (["a", "b"], pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int32(), pa.string())),
        ([date(2026, 1, 2)], None, pa.date32()),
        ([datetime(2026, 1, 2, tzinfo=UTC)], None, pa.timestamp("us", "UTC")),
        ([Decimal("1.10")], pa.decimal128(9, 2), pa.decimal128(9, 2)),
        ([{"a": 1}, {"b": "x"}], None, pa.struct({"a": pa.int64(), "b": pa.string()})),
        ([None, None], None, pa.null()),
    ],
)
def test_other_columns_have_the_type_of_their_values(values, kind, found) -> None:
    assert other_column(values, kind).type == found


def test_values_without_a_common_type_are_kept_as_text() -> None:
    values = ["a", 1, None, {"b": [2.5]}, 10**30, True]
    assert other_column(values, None).to_pylist() == ["a", "1", None, '{"b":[2.5]}', str(10**30), "true"]
    assert other_column([1000], pa.int8()).to_pylist() == ["1000"]
    assert other_column([True, 1.5, None], None).to_pylist() == ["true", "1.5", None]


NANOSECONDS = 1_767_323_045_123_456_789


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        (pa.timestamp("ns"), NANOSECONDS, "2026-01-02T03:04:05.123456789"),
        (pa.timestamp("ns", "UTC"), NANOSECONDS, "2026-01-02T03:04:05.123456789Z"),
        (pa.timestamp("ns", "Europe/Berlin"), NANOSECONDS, "2026-01-02T04:04:05.123456789+01:00"),
        (pa.time64("ns"), 1, "00:00:00.000000001"),
        (pa.duration("ns"), -1_000_000_007, "-PT1.000000007S"),
    ],
)
def test_times_in_nanoseconds_lose_none(kind, number, text) -> None:
    column = pa.array([number, None, number // 1000 * 1000], kind)
    rows = rows_of(pa.table({"at": column}))
    values = [row["at"] for row in rows]
    assert isinstance(values[2], datetime | time | timedelta)  # as Python has it, where it can
    assert other_column(values, kind).equals(column)
    assert json.loads(write_line(rows[0])) == {"at": text}
    assert other_column([*values, "x"], None).to_pylist()[0] == text


def test_times_in_nanoseconds_inside_a_list_can_be_written() -> None:
    (row,) = rows_of(pa.table({"at": pa.array([[NANOSECONDS]], pa.list_(pa.timestamp("ns")))}))
    assert json.loads(write_line(row)) == {"at": ["2026-01-02T03:04:05.123456789"]}
