"""Compressed streams: there and back in chunks, told by their names or first bytes, and not silent when cut off."""

import gzip
import io

import pytest

from taggers.bulk.compression import BROKEN_STREAM, compressor, decompressed, guess_compression, split_suffix
from taggers.bulk.lines import skip_bytes

CONTENT = b"".join(b"line %d\n" % number for number in range(20_000))


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.txt.gz", ("a.txt", "gz")),
        ("a.JSONL.ZST", ("a.JSONL", "zst")),
        ("a.txt", ("a.txt", None)),
        ("gz", ("gz", None)),
    ],
)
def test_suffix(name, found) -> None:
    assert split_suffix(name) == found


@pytest.mark.parametrize("compression", ["gz", "zst", None])
def test_chunks_one_behind_the_other_come_back_as_one(compression) -> None:
    compress = compressor(compression)
    written = compress(CONTENT) + compress(b"") + compress(b"the end")
    assert guess_compression(written) == compression
    read = decompressed(stream(written), compression)
    assert read.readline() == b"line 0\n"
    assert read.read() == CONTENT[7:] + b"the end"


@pytest.mark.parametrize("compression", ["gz", "zst"])
@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_what_is_cut_off_is_told_behind_what_could_be_read(compression, kept) -> None:
    written = compressor(compression)(CONTENT)
    read = decompressed(stream(written[: int(len(written) * kept)]), compression)
    lines: list[bytes] = []
    with pytest.raises(BROKEN_STREAM):
        lines.extend(iter(read.readline, b""))
    assert CONTENT.startswith(b"".join(lines))
    assert all(line.endswith(b"\n") for line in lines)


@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_what_can_be_read_of_a_damaged_stream_does_not_depend_on_how_it_is_asked_for(compression) -> None:
    written = compressor(compression)(CONTENT)[:-20]

    def lines_behind(skipped: int) -> int:
        read = decompressed(stream(written), compression)
        skip_bytes(read, skipped, name="a")
        lines: list[bytes] = []
        with pytest.raises(BROKEN_STREAM):
            lines.extend(iter(read.readline, b""))
        return skipped + sum(map(len, lines))

    assert lines_behind(0) == lines_behind(7) == lines_behind(50_009) == lines_behind(100_000)
    assert lines_behind(0) > len(CONTENT) / 2  # Zstandard compresses in blocks of 128 KB


@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_what_is_not_compressed_is_told(compression) -> None:
    with pytest.raises(BROKEN_STREAM):
        decompressed(stream(b"plain text, as it turns out"), compression).read()


def test_same_content_gives_the_same_bytes() -> None:
    assert gzip.decompress(compressor("gz")(CONTENT)) == CONTENT
    assert compressor("gz")(CONTENT) == compressor("gz")(CONTENT)  # no time of day in it
