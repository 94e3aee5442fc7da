"""CSV: a document a row; wrong rows named by their line."""

import pytest

from taggers.errors import FormatError
from taggers.formats.tables import read_csv


def rows(text: str, **options) -> list[tuple[str | None, str]]:
    return [(document.id, document.text) for document in read_csv(text.splitlines(keepends=True), "a.csv", **options)]


def test_columns_are_found_by_name_and_others_ignored() -> None:
    assert rows("x,text,id\n1,a,7\n\n2,b,8\n") == [("7", "a"), ("8", "b")]
    assert rows("body,key\na,7\n", text_field="body", id_field="key") == [("7", "a")]
    assert rows("\n\ufefftext\na\n"[1:]) == [(None, "a")]
    assert rows("") == []


def test_quotes_may_hold_anything() -> None:
    assert rows('text\r\n"a ""b"", c\r\nd"\r\n') == [(None, 'a "b", c\r\nd')]


def test_field_of_any_length() -> None:
    assert rows("text\n" + "x" * 200_000 + "\n") == [(None, "x" * 200_000)]


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("a,b\n1,2\n", {}, "a.csv:1: expected a column 'text', found the columns a, b"),
        ("text\na\n", {"id_field": "key"}, "a.csv:1: expected a column 'key', found the columns text"),
        ('text,n\n"a\nb",1\nc\n', {}, "a.csv:4: expected 2 fields as in the header, found 1"),
        ("text\na,b\n", {}, "a.csv:2: expected 1 fields as in the header, found 2"),
        ('text\na\n"b\n', {}, "a.csv:3: expected a row of CSV, found: unexpected end of data"),
        ('text\n"b"c\n', {}, "a.csv:2: expected a row of CSV, found: ',' expected after '\"'"),
    ],
)
def test_wrong_rows_are_named_by_their_line(text, options, problem) -> None:
    with pytest.raises(FormatError) as caught:
        rows(text, **options)
    assert str(caught.value) == problem


def test_rows_before_a_wrong_one_come_first() -> None:
    documents = read_csv(["text\n", "a\n", "b,c\n"], "a.csv")
    assert next(documents).text == "a"
    with pytest.raises(FormatError):
        next(documents)
