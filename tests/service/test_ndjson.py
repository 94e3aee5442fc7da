import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ndjson import BYTE_ORDER_MARK, Line, LineSplitter


def split(*pieces: bytes, max_bytes: int = 8) -> list[Line]:
    splitter = LineSplitter(max_bytes=max_bytes)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return [*lines, *splitter.finish()]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"a\nb\n"], [(1, b"a"), (2, b"b")]),
        ([b"a\nb"], [(1, b"a"), (2, b"b")]),
        ([b"a\r\nb\r", b"\nc\r"], [(1, b"a"), (2, b"b"), (3, b"c")]),
        ([b"\n\r\n \t\na\n\n"], [(4, b"a")]),
        ([b"a", b"b", b"\n", b"c"], [(1, b"ab"), (2, b"c")]),
        ([b"\xef", b"\xbb\xbfa\n\xef\xbb\xbfb"], [(1, b"a"), (2, BYTE_ORDER_MARK + b"b")]),
        ([b"12345678\n123456789\nx"], [(1, b"12345678"), (2, None), (3, b"x")]),
        ([BYTE_ORDER_MARK + b"12345678\r\n"], [(1, b"12345678")]),
        ([BYTE_ORDER_MARK + b"123456789\r\n"], [(1, None)]),
        ([b"1234567890123", b"4", b"5\nx\n123456789"], [(1, None), (2, b"x"), (3, None)]),
    ],
)
def test_lines_are_cut_and_counted(pieces: list[bytes], lines: list[tuple[int, bytes | None]]) -> None:
    assert [(line.number, line.content) for line in split(*pieces)] == lines


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"\r\n", b"ab\ncd", b"123456789"])), st.integers(1, 12)
)
def test_where_pieces_end_makes_no_difference(pieces: list[bytes], max_bytes: int) -> None:
    assert split(*pieces, max_bytes=max_bytes) == split(b"".join(pieces), max_bytes=max_bytes)


def test_a_line_over_the_limit_is_not_held() -> None:
    splitter = LineSplitter(max_bytes=100)
    for _ in range(1000):
        assert not list(splitter.feed(b"x" * 1000))
        assert len(splitter._begun) <= 100
    (line,) = splitter.feed(b"\n")
    assert (line.number, line.content, line.size) == (1, None, 0)
