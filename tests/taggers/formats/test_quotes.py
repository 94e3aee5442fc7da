"""Quotes are open where Python's own reader of CSV, which reads the whole field, has not come to its end."""

import csv

from hypothesis import given
from hypothesis import strategies as st

from taggers.formats.quotes import Quotes


def rows_end_at(lines: list[str]) -> list[int]:
    """How many lines each row takes that is read, up to its end or to what is wrong with it."""
    taken = 0

    def counted():
        nonlocal taken
        for line in lines:
            taken += 1
            yield line

    reader = csv.reader(counted(), strict=True)
    ends = []
    while taken < len(lines):
        try:
            next(reader)
        except csv.Error as error:
            if str(error) == "unexpected end of data":
                break
        ends.append(taken)
    return ends


@given(st.text('a",\r\n', max_size=40), st.integers(1, 5))
def test_a_line_end_in_a_field_is_told_from_the_end_of_a_row(text, size) -> None:
    lines = [line + "\n" for line in text.split("\n")]
    quotes = Quotes()
    ends = []
    for number, line in enumerate(lines, 1):
        content = line.encode()
        for start in range(0, len(content), size):
            quotes.feed(content[start : start + size])
        if not quotes.open:
            ends.append(number)
    assert ends == rows_end_at(lines)


def test_the_mark_before_the_first_quote_is_none_of_the_field() -> None:
    quotes = Quotes()
    quotes.feed('\ufeff"a\n'.encode())
    assert quotes.open
