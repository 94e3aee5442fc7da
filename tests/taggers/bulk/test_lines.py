"""Lines: every byte is in one, places are right, and one that is too long costs no memory and no other line."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.bulk.lines import Lines, skip_bytes
from taggers.errors import TaglineError


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@given(content=st.binary(max_size=60).map(lambda content: content.replace(b"x", b"\n")), limit=st.integers(1, 12))
def test_every_byte_is_in_a_line_at_its_place(content, limit) -> None:
    lines = list(Lines(stream(content), limit=limit))
    assert [line.length for line in lines] == [len(line) for line in io.BytesIO(content)]
    for number, line in enumerate(lines, 1):
        assert line.number == number
        found = content[line.offset : line.offset + line.length]
        assert line.content == (found if line.length <= limit else None)


def test_line_of_any_length_is_passed_over_in_little_memory() -> None:
    class Endless(io.RawIOBase):
        left = 300_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            length = min(len(buffer), self.left)
            buffer[:length] = b"a" * length
            self.left -= length
            return length

    tracemalloc.start()
    (line,) = Lines(io.BufferedReader(Endless(), 1 << 16), limit=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (line.content, line.length) == (None, 300_000_000)
    assert peak < 10_000_000


class Pipe(io.BytesIO):
    """A stream in which one cannot move."""

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_bytes_are_skipped(kind) -> None:
    read = io.BufferedReader(kind(b"0123456789"))
    skip_bytes(read, 0, name="a")
    read.read(1)
    skip_bytes(read, 4, name="a")
    assert read.read(1) == b"5"
    skip_bytes(read, 4, name="a")
    with pytest.raises(TaglineError, match=r"^a ends before the place where this job left off"):
        skip_bytes(read, 1, name="a")
