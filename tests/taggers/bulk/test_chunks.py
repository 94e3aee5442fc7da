"""Chunks: all of the input, in order, the same wherever one begins; none is large."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from taggers.bulk import chunks
from taggers.bulk.chunks import Position, read_chunks
from taggers.bulk.pieces import Failure, ReadOptions
from taggers.bulk.sources import find_sources, total_bytes


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 7)
    for number in range(10):
        Path(f"{number}.txt").write_text(f"text {number}")
    Path("a.jsonl").write_text('{"text": "a"}\n' * 20)
    Path("b.csv").write_text("no text\n1\n")
    Path("c.csv").write_text("text\n" + "c\n" * 20)
    return find_sources(["."])


def test_reading_goes_on_behind_any_chunk_with_the_same_chunks(sources) -> None:
    whole = list(read_chunks(sources, ReadOptions()))
    assert [len(chunk.items) for chunk in whole] == [7] * 7 + [2]
    assert [chunk.first for chunk in whole] == list(range(0, 51, 7))
    assert whole[-1].end.records == 51
    assert whole[-1].bytes_read == total_bytes(sources)
    assert sum(isinstance(item, Failure) for chunk in whole for item in chunk.items) == 1
    for done, chunk in enumerate(whole, 1):
        assert list(read_chunks(sources, ReadOptions(), chunk.end)) == whole[done:]


def test_long_documents_fill_a_chunk_sooner(tmp_path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(" " * 200_000)
    assert [len(chunk.items) for chunk in read_chunks(find_sources([str(tmp_path)]), ReadOptions())] == [2, 1]


def test_file_that_is_gone_by_its_turn_is_a_failure(tmp_path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    sources = find_sources([str(tmp_path)])
    (tmp_path / "a.txt").unlink()
    (chunk,) = read_chunks(sources, ReadOptions())
    assert chunk.items[0] == Failure(sources[0].name, "reading ended here: No such file or directory")
    assert chunk.items[1].content == b"b.txt"
    assert chunk.end == Position(source=2, records=2)


def test_rows_take_as_much_of_a_chunk_as_all_their_columns_have_room(tmp_path) -> None:
    table = pa.table({"text": ["a"] * 5, "picture": [b"x" * 150_000] * 5, "deep": [[{"é": "é" * 50_000}]] * 5})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    sources = find_sources([str(tmp_path)])
    assert [len(chunk.items) for chunk in read_chunks(sources, ReadOptions())] == [2, 2, 1]
    assert [len(chunk.items) for chunk in read_chunks(sources, ReadOptions(max_record_bytes=1))] == [2, 2, 1]


def test_rows_are_as_far_as_there_are_rows_before_them(tmp_path) -> None:
    table = pa.table({name: [f"{name} {n}" * 10 for n in range(10_000)] for name in ("text", "id", "note")})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    (source,) = find_sources([str(tmp_path)])
    assert source.size
    for chunk in read_chunks([source], ReadOptions()):
        assert chunk.bytes_read == source.size * chunk.end.records // 10_000


def test_nothing_gives_no_chunk(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    assert list(read_chunks(find_sources([str(tmp_path)]), ReadOptions())) == []
