"""Sources: files, folders, patterns and addresses, in order; what is not there is told at once."""

import errno
import io
import os
import sys
from pathlib import Path

import fsspec
import pytest

from taggers.bulk.sources import Source, find_sources, total_bytes
from taggers.errors import TaglineError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "sub/c.jsonl.gz", "sub/.hidden.txt", ".git/d.txt", "sub/picture.png", "sub/noname"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"abc")
    return tmp_path


def names(*given: str, **options) -> list[str]:
    return [source.name for source in find_sources(given, **options)]


def test_order_is_that_given_and_inside_a_folder_sorted() -> None:
    assert names("b.txt", "a.txt", "-") == ["b.txt", "a.txt", "-"]
    assert names(".") == ["a.txt", "b.txt", "sub/c.jsonl.gz"]
    assert names("sub", "a.txt") == ["sub/c.jsonl.gz", "a.txt"]
    assert names("*.txt") == ["a.txt", "b.txt"]
    assert names("**/*.gz") == ["sub/c.jsonl.gz"]


def test_format_told_takes_all_but_hidden_files() -> None:
    assert names("sub", format="text") == ["sub/c.jsonl.gz", "sub/noname", "sub/picture.png"]


def test_folder_goes_on_behind_links_and_none_is_read_twice() -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/e.txt").write_text("e")
    Path("in").mkdir()
    Path("in/link").symlink_to("../elsewhere")
    Path("in/round").symlink_to("../in")
    assert names("in") == ["in/link/e.txt"]
    Path("in/lost.txt").symlink_to("nowhere")
    with pytest.raises(FileNotFoundError, match=r"in/lost.txt"):
        names("in")


def test_folder_that_may_not_be_read_is_told(monkeypatch) -> None:
    scandir = os.scandir

    def refuse(path):  # the superuser, who may run this, may read any folder
        if Path(path) == Path("sub"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="sub"):
        names(".")


def test_own_output_is_no_input() -> None:
    assert names(".", exclude=[Path("a.txt")]) == ["b.txt", "sub/c.jsonl.gz"]
    for name in ("a.txt", "sub/../a.txt"):
        with pytest.raises(TaglineError, match=f"^{name} is where the output goes"):
            names(name, exclude=[Path("a.txt")])


def test_name_that_is_no_unicode_can_be_written() -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    Path(name).write_text("")
    (found,) = find_sources([name])
    assert (found.label, found.document_id) == ("caf\\xe9.txt", "caf\\xe9.txt")
    with found.open() as stream:
        assert stream.read() == b""


def test_pattern_that_is_a_file_is_that_file() -> None:
    Path("[a].txt").write_text("")
    assert names("[a].txt") == ["[a].txt"]


def test_format_and_compression_by_the_suffix() -> None:
    (found,) = find_sources(["sub/c.jsonl.gz"])
    assert (found.format, found.compression, found.size) == ("jsonl", "gz", 3)
    (found,) = find_sources(["sub/noname"])
    assert (found.format, found.compression) == (None, None)
    (found,) = find_sources(["sub/c.jsonl.gz"], format="text")
    assert (found.format, found.compression) == ("text", "gz")


def test_version_differs_once_the_file_has_changed() -> None:
    before = find_sources(["a.txt"])
    assert find_sources(["a.txt"]) == before
    Path("a.txt").write_bytes(b"other")
    assert find_sources(["a.txt"]) != before


def test_sizes_add_up_where_they_are_known() -> None:
    assert total_bytes(find_sources(["a.txt", "b.txt"])) == 6
    assert total_bytes(find_sources(["a.txt", "-"])) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("*.xml", r"\*.xml: no file matches"),
        ("empty", r"empty: no file in this folder ends in .txt, "),
        ("sub/picture.png", "the suffix tells no format; say which: --from text, jsonl, csv, parquet, conllu"),
        ("a.json.gz", "the suffix tells no format"),
        ("memory://nothing/*.txt", "no file matches"),
        ("nonsense://a.txt", "nonsense"),
        ("", "expected the name of a file, found an empty one"),
    ],
)
def test_nothing_to_read_is_told(name, problem) -> None:
    Path("empty").mkdir()
    Path("a.json.gz").write_bytes(b"")
    with pytest.raises(TaglineError, match=problem):
        find_sources([name])


@pytest.mark.parametrize("name", ["no.txt", "memory://no.txt"])
def test_file_that_is_not_there_is_told_with_its_name(name) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        find_sources(["a.txt", name])
    assert caught.value.filename == name


@pytest.fixture
def remote():
    files = fsspec.filesystem("memory")
    for name in ("x/b.txt", "x/a.jsonl", "x/c.bin"):
        files.pipe(f"/{name}", name.encode())
    yield
    files.rm("/x", recursive=True)


def test_addresses_are_files_folders_and_patterns_too(remote) -> None:
    assert names("memory://x/b.txt") == ["memory://x/b.txt"]
    assert names("memory://x") == ["memory:///x/a.jsonl", "memory:///x/b.txt"]
    assert names("memory://x/*.txt") == ["memory:///x/b.txt"]
    (found,) = find_sources(["memory://x/b.txt"])
    assert (found.format, found.size) == ("text", 7)
    with found.open() as stream:
        assert stream.peek(1)
        assert stream.read() == b"x/b.txt"


def test_standard_input_is_read_and_left_open(monkeypatch) -> None:
    stream = io.BufferedReader(io.BytesIO(b"abc"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    source = Source("-", None)
    with source.open() as opened:
        assert opened.read() == b"abc"
    assert not stream.closed
    assert (source.label, source.document_id) == ("<stdin>", None)
