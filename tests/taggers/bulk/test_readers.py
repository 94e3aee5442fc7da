"""Inputs: any text comes through every format as it was; formats are found out; bad bytes are named by their place."""

import csv
import gzip
import io
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.bulk.chunks import read_chunks
from taggers.bulk.compression import compressor
from taggers.bulk.pieces import Failure, Found, ReadOptions
from taggers.bulk.readers import read_pieces
from taggers.bulk.records import Record, parse_piece
from taggers.bulk.sources import Source, find_sources
from tests.strategies import texts

ROW = "{0}\ta\t_\t_\t_\t_\t_\t_\t_\t_\n"


def items(names: Sequence[str], *, format="auto", **options) -> list[Record | Failure]:
    """What is in these files, read as a job reads them and parsed as a worker parses it."""
    reading = ReadOptions(**options)
    chunks = read_chunks(find_sources(names, format=format), reading)
    found = [item for chunk in chunks for item in chunk.items]
    return [item if isinstance(item, Failure) else parse_piece(item, reading) for item in found]


def read(name: str, content: bytes, folder: Path, **options) -> list[Record | Failure]:
    (folder / name).write_bytes(content)
    return items([str(folder / name)], **options)


def found_in(path: Path, *, offset: int = 0, line: int = 0) -> list[Found]:
    (source,) = find_sources([str(path)])
    with source.open() as raw:
        return list(read_pieces(source, raw, ReadOptions(), offset=offset, line=line))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@given(text=texts())
def test_text_is_the_file_without_its_byte_order_mark(folder, text) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        (record,) = read("a.txt", mark + text.encode("utf-8"), folder)
        assert record.document.text == (text if mark else text.removeprefix("\ufeff"))
        assert record.document.id == str(folder / "a.txt")


@given(rows=st.lists(st.tuples(texts(), texts()), max_size=4), end=st.sampled_from(["\n", "\r\n"]))
def test_texts_come_through_rows_as_they_were(folder, rows, end) -> None:
    lines = "".join(json.dumps({"id": id, "text": text}) + end for id, text in rows)
    found = read("a.jsonl", lines.encode("utf-8"), folder)
    assert [(record.document.id, record.document.text) for record in found] == rows

    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator=end).writerows([("id", "text"), *rows])
    found = read("a.csv", table.getvalue().encode("utf-8"), folder)
    assert [(record.document.id, record.document.text) for record in found] == rows

    ids, written = zip(*rows, strict=True) if rows else ((), ())
    columns = {"id": pa.array(ids, pa.string()), "text": pa.array(written, pa.string())}
    pyarrow.parquet.write_table(pa.table(columns), folder / "a.parquet")
    found = items([str(folder / "a.parquet")])
    assert [(record.document.id, record.document.text) for record in found] == rows


@given(lines=st.lists(texts().map(lambda text: text.replace("\n", "").replace("\r", "")), max_size=5))
def test_each_line_is_a_document_of_its_own(folder, lines) -> None:
    for end in ("\n", "\r\n"):
        content = "".join(line + end for line in lines).encode("utf-8")
        found = read("a.txt", content, folder, per_line=True)
        expected = [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []
        assert [record.document.text for record in found] == expected
        assert [record.document.id for record in found] == [f"{folder / 'a.txt'}:{n + 1}" for n in range(len(lines))]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"text": "a"}\n{"text": "b"}', "a"),
        (b'\xef\xbb\xbf  { "text": "a"}', "a"),
        (b"1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", "a"),
        (b"# text = a\r\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\r\n", None),
        (b"{curly} braces", "{curly} braces"),
        (b"# A heading\n\ntext", "# A heading\n\ntext"),
        (b"1\tone\n2\ttwo\n", "1\tone\n2\ttwo\n"),
        (b"", ""),
        (gzip.compress(b'{"text": "a"}', mtime=0), "a"),
    ],
)
def test_without_a_suffix_the_first_line_tells(content, text, tmp_path) -> None:
    first = read("noname", content, tmp_path)[0]
    if text is None:  # seen to be CoNLL-U, and refused as such
        assert first == Failure(f"{tmp_path / 'noname'}:2", first.reason)
        assert "expected word 2, found the end of the sentence" in first.reason
    else:
        assert first.document.text == text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_byte_order_mark_before_quotes_and_on_a_line_of_its_own(line_end, tmp_path) -> None:
    (row,) = read("a.csv", f'\ufeff"text","n"{line_end}"Ada","1"{line_end}'.encode(), tmp_path)
    assert (row.document.text, row.extra) == ("Ada", {"n": "1"})
    word = "\t".join(["1", "Ada", *"________"])
    (document,) = read("a.conllu", f"\ufeff{line_end}# newdoc{line_end}{word}{line_end}{line_end}".encode(), tmp_path)
    assert document.document.sentences[0].words == ("Ada",)
    assert read("b.conllu", f"\ufeff{line_end}".encode(), tmp_path) == []


def test_date_that_python_has_not_costs_only_its_row(tmp_path) -> None:
    path = tmp_path / "a.parquet"
    days = pa.array([0, 2**31 - 1, 1], pa.int32()).cast(pa.date32())
    pyarrow.parquet.write_table(pa.table({"text": ["a", "b", "c"], "day": days}), path)
    one, two, three = items([str(path)])
    assert (one.document.text, three.document.text) == ("a", "c")
    assert two == Failure(f"{path}:2", two.reason)
    assert two.reason.startswith("expected values that Python knows, found: ")


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (b'{"text": "a"}\n', "a"),
        (b"\xef\xbb\xbf# newdoc id = x\n" + b"# text = a\n" * 2000 + ROW.format(1).encode() + b"\n", "a"),
        (b"# A heading\n# and one more\n", "# A heading\n# and one more\n"),
        (gzip.compress(b'{"text": "a"}\n', mtime=0), "a"),
        (b"\x1f", "\x1f"),
        (b"", ""),
    ],
)
def test_format_of_a_pipe_does_not_depend_on_how_fast_it_comes(content, first) -> None:
    class Slow(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def readinto(self, buffer) -> int:
            return super().readinto(memoryview(buffer)[:1])

    found = next(read_pieces(Source("-", None), io.BufferedReader(Slow(content)), ReadOptions()))
    record = parse_piece(found.item, ReadOptions())
    assert record.document.text == first


@pytest.mark.parametrize("compress", [gzip.compress, compressor("zst")])
def test_compressed_input_of_a_format_told_needs_no_suffix(compress, tmp_path) -> None:
    (row,) = read("rows", compress(b"id,text\n1,hello\n"), tmp_path, format="csv")
    assert row.document.text == "hello"


def test_text_of_parquet_is_measured_in_bytes(tmp_path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pa.table({"text": ["é" * 5, "é" * 6]}), path)
    one, two = items([str(path)], max_record_bytes=10)
    assert one.document.text == "é" * 5
    assert two == Failure(f"{path}:2", "expected a text of at most 10 bytes, found 12")


def test_format_told_wins_over_the_suffix(tmp_path) -> None:
    assert read("a.jsonl", b"{", tmp_path, format="text")[0].document.text == "{"


@pytest.mark.parametrize(
    ("name", "content", "line", "found"),
    [
        ("a.txt", b"ab\r\ncd\n\xff", 3, "byte 0xFF at byte offset 7"),
        ("a.txt", "é".encode()[:1], 1, "byte 0xC3 at byte offset 0"),
        ("a.txt", b"\xef\xbb\xbf\xed\xa0\x80", 1, "byte 0xED at byte offset 3"),  # a surrogate
        ("a.jsonl", b'{"text": "a"}\n{"text": "\x80"}\n{"text": "c"}\n', 2, "byte 0x80 at byte offset 24"),
        ("a.csv", b"text\nb\n\xc0\nd\n", 3, "byte 0xC0 at byte offset 7"),
        ("a.csv", b"t\xc0\nb\n", 1, "byte 0xC0 at byte offset 1"),
        ("a.conllu", b"# a\n1\t\xfe", 2, "byte 0xFE at byte offset 6"),
    ],
)
def test_bad_bytes_are_named_by_their_place_and_cost_only_their_record(name, content, line, found, tmp_path) -> None:
    failures = [item for item in read(name, content, tmp_path) if isinstance(item, Failure)]
    assert failures == [Failure(f"{tmp_path / name}:{line}", f"expected UTF-8, found {found}")]
    if name in ("a.jsonl", "a.csv") and line > 1:
        assert len(items([str(tmp_path / name)])) == 3


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"x" * 101, ["a.txt: expected a text (or texts: --per-line) of at most 100 bytes, found 101"]),
        ("a.txt", b"x" * 100, ["x"]),
        ("a.jsonl", b'{"text": "%b"}\n{"text": "b"}\n' % (b"x" * 200), ["a.jsonl:1: expected a line of at most", "b"]),
        ("a.csv", b'text\n"%b"\nb\n' % (b"x" * 200), ["a.csv:2: expected a row of at most 100 bytes, found 203", "b"]),
        (
            "a.csv",
            b'text\na\n"%b' % (b"x\n" * 200),
            [
                "a",
                "a.csv:3: expected a row of at most 100 bytes, found 401 in lines 3 to 202, with a quote that nothing",
            ],
        ),
        (
            "a.csv",
            b'text,n\n"%b",1\nb,2\n' % (b"x, y\n" * 200),
            ["a.csv:2: expected a row of at most 100 bytes, found 1,005 in lines 2 to 202", "b"],
        ),
        (
            "a.csv",
            b'n,text\n1,"a ""b""\n%b""\n c"\n2,"b"\n' % (b"x" * 200),
            ["a.csv:2: expected a row of at most 100 bytes, found 218 in lines 2 to 4", "b"],
        ),
        (
            "a.conllu",
            b"# newdoc\n" + ROW.format(1).encode() * 9 + b"\n# newdoc\n" + ROW.format(1).encode(),
            ["a.conllu:1: expected a document of at most 100 bytes, found 190", "a"],
        ),
    ],
)
def test_what_is_too_long_is_named_and_costs_only_itself(name, content, expected, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    found = items([name], max_record_bytes=100)
    for item, start in zip(found, expected, strict=True):
        said = f"{item.place}: {item.reason}" if isinstance(item, Failure) else item.document.text
        assert said.startswith(start)


def test_one_line_of_300_megabytes_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("a.jsonl").open("wb") as stream:
        stream.write(b'{"text": "before"}\n{"text": "')
        for _ in range(300):
            stream.write(b"x" * 1_000_000)
        stream.write(b'"}\n{"text": "behind"}\n')
    before, failure, behind = items(["a.jsonl"])
    assert (before.document.text, behind.document.text) == ("before", "behind")
    assert failure == Failure("a.jsonl:2", "expected a line of at most 16,777,216 bytes, found 300,000,013")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_file_that_is_cut_off_is_named_and_what_was_whole_is_kept(suffix, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = b"".join(b'{"text": "%d %d"}\n' % (n, n * 7919) for n in range(20_000))
    content = compressor(suffix[1:])(rows)
    Path(f"a.jsonl{suffix}").write_bytes(content[: len(content) // 2])
    Path("b.txt").write_text("behind")
    *whole, failure, behind = items([f"a.jsonl{suffix}", "b.txt"])
    assert [record.document.text for record in whole] == [f"{n} {n * 7919}" for n in range(len(whole))]
    assert behind.document.text == "behind"
    assert failure.place == f"a.jsonl{suffix}:{len(whole) + 1}" if whole else f"a.jsonl{suffix}"
    assert failure.reason.startswith("reading ended here: ")


def test_table_without_the_column_is_named_and_the_next_file_read(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("a,b\n1,2\n3,4\n")
    pyarrow.parquet.write_table(pa.table({"a": [1]}), "a.parquet")
    Path("no.parquet").write_bytes(b"no Parquet at all")
    Path("b.txt").write_text("behind")
    one, two, three, behind = items(["a.csv", "a.parquet", "no.parquet", "b.txt"])
    assert one == Failure("a.csv:1", "expected a column 'text', found the columns a, b")
    assert two == Failure("a.parquet:1", "expected a column 'text', found the columns a")
    assert three.reason.startswith("expected Parquet that can be read, found: ")
    assert behind.document.text == "behind"


def test_reading_goes_on_behind_any_piece_as_if_it_had_not_stopped(tmp_path) -> None:
    rows = "".join(f'{n},"text {n}\nline"\n' for n in range(5))
    (tmp_path / "a.csv").write_text("id,text\n" + rows)
    (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "{n}"}}\n\n' for n in range(5)))
    (tmp_path / "a.conllu").write_text(
        "".join(f"# newdoc id = {n}\n{ROW.format(1)}\n{ROW.format(1)}\n" for n in range(5))
    )
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    table = pa.table({"text": [f"{n}" for n in range(5)]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    for path in tmp_path.iterdir():
        whole = found_in(path)
        assert len(whole) == 5
        for done, found in enumerate(whole, 1):
            assert found_in(path, offset=found.offset, line=found.line) == whole[done:]


def test_documents_of_conllu_have_their_lines(tmp_path) -> None:
    content = f"\n# newdoc id = a\n{ROW.format(1)}\n# c\n# newdoc id = b\n{ROW.format(1)}\n{ROW.format(3)}"
    one, two = read("a.conllu", content.encode(), tmp_path)
    assert one.document.id == "a"
    assert two == Failure(f"{tmp_path / 'a.conllu'}:9", two.reason)


def test_named_pipe_is_read_line_by_line_as_lines_come(tmp_path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    first_was_read = threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(b'{"text": "first"}\n')
            first_was_read.wait(10)
            stream.write(b'{"text": "second"}\n')

    writer = threading.Thread(target=write)
    writer.start()
    (source,) = find_sources([str(pipe)])
    assert source.size is None
    with source.open() as raw:
        pieces = read_pieces(source, raw, ReadOptions())
        assert next(pieces).item.content == b'{"text": "first"}\n'  # would wait for ever if it wanted the second
        first_was_read.set()
        assert [found.item.content for found in pieces] == [b'{"text": "second"}\n']
    writer.join()
