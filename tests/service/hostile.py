"""Texts and bodies that nobody sends who means well."""

import json
import random
from collections.abc import Iterator

SURROGATES = range(0xD800, 0xE000)


def texts() -> Iterator[str]:
    """Texts that are valid Unicode, and nothing else about them is usual."""
    yield from _rows_of_code_points()
    bidi = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    yield "".join(f"{mark}Ada {mark}\u05d0\u05d1 {mark}9.5" for mark in bidi)
    yield bidi * 20
    joiners = "\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\u2061\u2064\ufeff\U000e0001\U000e0020\U000e007f"
    yield "".join(f"{mark}word{mark} {mark} wo{mark}rd." for mark in joiners)
    yield "😀👩‍👩‍👧‍👦🏳️‍🌈🇩🇪🇫1️⃣👍🏽\U0001f3f4\U000e0067\U000e0062\U000e007f ❤️❤︎ 👩‍ ‍👩" * 20
    yield "a" + "\u0300\u0323\u20dd" * 500 + " \u0300 \u0301\u0301 e\u0301" + "\u0e33" * 50
    yield "한국어 \u1112\u1161\u11ab\u1100 " * 20
    yield "x" * 20_000
    yield "\U0001f600" * 1_000 + "é" * 1_000
    yield ".".join("ab" for _ in range(1_000))
    yield "'" * 500 + '"' * 500 + "doesn't" * 100
    yield "".join(map(chr, range(0x20))) * 10 + "\x7f" + "".join(map(chr, range(0x80, 0xA0))) + "\0"
    yield "one\r\ntwo\rthree\n\rfour\n\n\r\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029five\r"
    yield "\ufeffAda\ufeff wrote.\ufeff\r\n\ufeff"
    yield "\ufffe\ufffd\uffff"
    yield "<script>&amp;</p>\t# newdoc id = x\n1\ta\t_\n\n'\"\\u0041\\" * 20
    yield " " * 5_000 + "a" + "\n" * 5_000


def _rows_of_code_points() -> Iterator[str]:
    """Some of every block of Unicode (each begins at a multiple of 16): assigned or not, private, no characters."""
    generator = random.Random(0)
    step = 1024
    for row in range(0, 0x110000, step):
        if row < 0x33000 or 0xE0000 <= row < 0xE1000:
            starts = range(row, row + step, 16)
        elif row % 0x10000 == 0:  # a plane that holds nothing, or one of private characters
            starts = range(row, row + 0x10000, 0xFFF0)
        else:
            continue
        codes = [start + generator.randrange(16) for start in starts]
        found = [chr(code) for code in codes if code not in SURROGATES]
        if found:
            yield "".join(f"a{character} {character} " for character in found)


def bodies() -> Iterator[tuple[bytes, str]]:
    """Bodies of a request with their types; some are just what they should be."""
    whole = json.dumps({"text": "Ada é 😀 wrote."}, ensure_ascii=False)
    for media_type in (
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=none",
        "text/plain",
        "text/html; charset=utf-7",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "image/png",
        "application/msgpack",
        "text/x-conllu",
        "no type at all",
        ";;;",
        "application/json" + "; a=b" * 500,
    ):
        yield whole.encode(), media_type
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        yield whole.encode(encoding), "application/json"
    yield '{"text": "é"}'.encode("latin-1"), "application/json"
    yield whole.encode()[:12], "application/json"
    yield '{"text": "é"}'.encode().replace(b'\xa9"}', b""), "application/json"
    yield b'{"text": "\xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80"}', "application/json"
    for escape in ("\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud83d\\u0041", "\\ud83d\\ude00", "\\u0000"):
        yield f'{{"text": "a{escape}b"}}'.encode(), "application/json"
        yield f'{{"documents": [{{"tokens": [["a{escape}b"]], "id": "{escape}"}}]}}'.encode(), "application/json"
        yield f'{{"text": "a", "model": "{escape}", "tasks": ["{escape}"]}}'.encode(), "application/json"
        yield f'{{"text": "a", "{escape}": 1}}'.encode(), "application/json"
    for opening in ("[", '{"a":', '{"documents":[', '{"text":['):
        yield opening.encode() * 100_000, "application/json"
        yield b'{"documents": ' + opening.encode() * 100_000, "application/json"
    yield b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "application/json"
    yield b'{"text": "a", "text": "b"}', "application/json"
    yield b'{"text": "a", "documents": [], "text": "b"}', "application/json"
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 10_000, b"-0", b"01", b"0x10"):
        yield b'{"text": ' + number + b"}", "application/json"
        yield b'{"documents": [{"id": ' + number + b', "text": "a"}]}', "application/json"
    for body in (b"", b" ", b"null", b"0", b'""', b"[]", b"{}", b"{} {}", b'{"text": "a"}\0', b"\0", b"\xff\xfe"):
        yield body, "application/json"
        yield body, "application/msgpack"
        yield body, "text/x-conllu"
    for body in (
        b"\x81\xa4text\xa1\xff",  # a string that is not UTF-8
        b"\x81\xa4text\xdb\xff\xff\xff\xff",  # one of 4 GB, which does not come
        b"\x91" * 100_000,
        b"\x81\xa4text" * 100_000,
        b"\x81\xa4text\xcb\x7f\xf8\0\0\0\0\0\0",  # NaN
        b"\x82\xa4text\xa1a\xa4text\xa1b",
        b"\x81\xc4\x04text\xa1a",
        b"\x81\xa4text\xd6\xff\0\0\0\0",  # a time
        b"\x81\x91\x91\x01\xa1a",
    ):
        yield body, "application/msgpack"
    row = "{}\t{}\t_\t_\t_\t_\t_\t_\t_\t_\n"
    for conllu in (
        row.format(1, "a") + row.format(1, "b"),
        row.format("1-2", "ab") + row.format(1, "a"),
        row.format("99999999999999999999", "a"),
        row.format("1.1", "a"),
        row.format(1, "\u202e\0\u2028"),
        "# text = b\n" + row.format(1, "a"),
        "# newdoc id = \ufffe\n" * 1_000,
        row.format(1, "") + "\n",
        row.format(1, "a").replace("\n", "\r\n"),
        row.format(1, "a").replace("\t", " "),
        row.format("²", "a"),
        row.format("1-99999999", "a") + row.format(1, "a"),
        "\t" * 100_000,
        "\n" * 100_000,
    ):
        yield conllu.encode(), "text/x-conllu"
