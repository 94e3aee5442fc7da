"""CSV: a document a row; wrong rows named by their line, the others read on."""

from collections.abc import Iterator

import pytest

from taggers.errors import FormatError
from taggers.formats.tables import Row, read_table


class Numbered:
    """Lines that say which of them was read last."""

    def __init__(self, text: str) -> None:
        self.number = 0
        self._lines = iter(text.splitlines(keepends=True))

    def __iter__(self) -> "Numbered":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def table(text: str, **options) -> Iterator[Row]:
    lines = Numbered(text)
    return read_table(lines, "a.csv", number=lambda: lines.number, **options)


def rows(text: str, **options) -> list[dict[str, str] | str]:
    return [f"{row.line}: {row.problem}" if row.fields is None else dict(row.fields) for row in table(text, **options)]


def test_rows_have_their_fields_by_column() -> None:
    assert rows("x,text,id\n1,a,7\n\n2,b,8\n") == [
        {"x": "1", "text": "a", "id": "7"},
        {"x": "2", "text": "b", "id": "8"},
    ]
    assert rows("\n\ufefftext\na\n"[1:]) == [{"text": "a"}]
    assert rows("text\n") == rows("") == rows("\n\n") == []


def test_quotes_may_hold_anything() -> None:
    assert rows('text\r\n"a ""b"", c\r\nd"\r\n') == [{"text": 'a "b", c\r\nd'}]


def test_field_of_any_length() -> None:
    assert rows("text\n" + "x" * 200_000 + "\n") == [{"text": "x" * 200_000}]


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("a,b\n1,2\n", {}, "a.csv:1: expected a column 'text', found the columns a, b"),
        ("text\na\n", {"id_field": "key"}, "a.csv:1: expected a column 'key', found the columns text"),
        ("text,a,a\n1,2,3\n", {}, "a.csv:1: expected every column once, found 'a' twice"),
        ('"text"x\n', {}, "a.csv:1: expected a header of CSV, found: ',' expected after '\"'"),
    ],
)
def test_table_with_a_wrong_header_is_refused(text, options, problem) -> None:
    with pytest.raises(FormatError) as caught:
        table(text, **options)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('text,n\n"a\nb",1\nc\nd,2\n', ["4: expected 2 fields as in the header, found 1", {"text": "d", "n": "2"}]),
        ("text\na,b\nc\n", ["2: expected 1 fields as in the header, found 2", {"text": "c"}]),
        ('text\n"b"c\nd\n', ["2: expected a row of CSV, found: ',' expected after '\"'", {"text": "d"}]),
        ('text\na\n"b\n', [{"text": "a"}, "3: expected a row of CSV, found: unexpected end of data"]),
        (
            'text\n"a\nb"c\nd\n',
            ["2: expected a row of CSV, found: ',' expected after '\"' (lines 2 to 3)", {"text": "d"}],
        ),
    ],
)
def test_wrong_rows_are_named_by_their_line_and_the_others_read(text, found) -> None:
    assert [row for row in rows(text) if row != {"text": "a", "n": "1"} and row != {"text": "a\nb", "n": "1"}] == found
