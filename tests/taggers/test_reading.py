"""Inputs: any text comes through every format as it was; formats are found out; bad bytes are named by their place."""

import csv
import io
import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.errors import FormatError, TaglineError
from taggers.reading import Inputs
from tests.strategies import texts


def read(name: str, content: bytes, folder: Path, **options) -> list:
    (folder / name).write_bytes(content)
    return list(Inputs([str(folder / name)], **options))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@given(text=texts())
def test_text_is_the_file_without_its_byte_order_mark(folder, text) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        (document,) = read("a.txt", mark + text.encode("utf-8"), folder)
        assert document.text == (text if mark else text.removeprefix("\ufeff"))
        assert document.id == str(folder / "a.txt")


@given(rows=st.lists(st.tuples(texts(), texts()), max_size=4), end=st.sampled_from(["\n", "\r\n"]))
def test_texts_come_through_rows_as_they_were(folder, rows, end) -> None:
    lines = "".join(json.dumps({"id": id, "text": text}) + end for id, text in rows)
    found = read("a.jsonl", lines.encode("utf-8"), folder)
    assert [(document.id, document.text) for document in found] == rows

    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator=end).writerows([("id", "text"), *rows])
    found = read("a.csv", table.getvalue().encode("utf-8"), folder)
    assert [(document.id, document.text) for document in found] == rows


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"text": "a"}\n{"text": "b"}', "a"),
        (b'\xef\xbb\xbf  { "text": "a"}', "a"),
        (b"1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", "a"),
        (b"# text = a\r\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\r\n" + b"1\td\t_\t_\t_\t_\t_\t_\t_\t_\r\n" * 0, None),
        (b"{curly} braces", "{curly} braces"),
        (b"# A heading\n\ntext", "# A heading\n\ntext"),
        (b"1\tone\n2\ttwo\n", "1\tone\n2\ttwo\n"),
        (b"", ""),
    ],
)
def test_without_a_suffix_the_first_line_tells(content, text, tmp_path) -> None:
    if text is None:  # seen to be CoNLL-U, and refused as such
        with pytest.raises(FormatError, match=r"expected word 2, found the end of the sentence"):
            read("noname", content, tmp_path)
    else:
        assert read("noname", content, tmp_path)[0].text == text


def test_format_told_wins_over_the_suffix(tmp_path) -> None:
    assert read("a.jsonl", b"{", tmp_path, format="text")[0].text == "{"


@pytest.mark.parametrize("name", ["a.xyz", "a.json", "a.txt.gz"])
def test_unknown_suffix_is_asked_about(name, tmp_path) -> None:
    with pytest.raises(TaglineError, match="the suffix tells no format; say which: --from"):
        read(name, b"", tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "line", "found"),
    [
        ("a.txt", b"ab\r\ncd\n\xff", 3, "byte 0xFF at byte offset 7"),
        ("a.txt", "é".encode()[:1], 1, "byte 0xC3 at byte offset 0"),
        ("a.txt", b"\xef\xbb\xbf\xed\xa0\x80", 1, "byte 0xED at byte offset 3"),  # a surrogate
        ("a.jsonl", b'{"text": "a"}\n{"text": "\x80"}\n', 2, "byte 0x80 at byte offset 24"),
        ("a.csv", b"text\nb\n\xc0\n", 3, "byte 0xC0 at byte offset 7"),
        ("a.conllu", b"# a\n1\t\xfe", 2, "byte 0xFE at byte offset 6"),
    ],
)
def test_bad_bytes_are_named_by_their_place(name, content, line, found, tmp_path) -> None:
    with pytest.raises(FormatError) as caught:
        read(name, content, tmp_path)
    assert str(caught.value) == f"{tmp_path / name}:{line}: expected UTF-8, found {found}"


def test_what_there_is_to_read_and_what_was_read(tmp_path) -> None:
    for name, content in (("a.txt", "é".encode()), ("b.jsonl", b'{"text": "b"}\n' * 3)):
        (tmp_path / name).write_bytes(content)
    inputs = Inputs([str(tmp_path / "a.txt"), str(tmp_path / "b.jsonl")])
    assert (inputs.total_bytes, inputs.bytes_read) == (44, 0)
    documents = iter(inputs)
    next(documents)
    assert inputs.bytes_read == 2
    assert len(list(documents)) == 3
    assert inputs.bytes_read == 44
    assert Inputs([str(tmp_path / "a.txt"), "-"]).total_bytes is None


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
    inputs = Inputs([str(pipe)])
    assert inputs.total_bytes is None
    documents = iter(inputs)
    assert next(documents).text == "first"  # would wait for ever if it wanted the second
    first_was_read.set()
    assert [document.text for document in documents] == ["second"]
    writer.join()
