"""Output formats: chosen by name, and a chunk's part the same whatever came before it."""

import os
from pathlib import Path

import pytest

from taggers.bulk.rendering import OutputOptions, Tagged, choose_output, find_renderer
from taggers.document import Document, Span
from taggers.errors import TaglineError


def tagged(number: int, **extra) -> Tagged:
    document = Document.from_words([["Ada", "came"]])
    sentence = document.sentences[0].annotated(spans={"ner": (Span(0, 1, "PER"),)})
    return Tagged(Document(document.text, (sentence,)), number, f"in:{number + 1}", extra)


@pytest.mark.parametrize(
    ("name", "format", "compression"),
    [
        (None, "jsonl", None),
        ("a.conllu", "conllu", None),
        ("a.IOB2", "iob2", None),
        ("a.html", "html", None),
        ("a.parquet", "parquet", None),
        ("a", "jsonl", None),
        ("a.x", "jsonl", None),
        ("a.conllu.gz", "conllu", "gz"),
        ("a.zst", "jsonl", "zst"),
    ],
)
def test_format_by_the_name(name, format, compression) -> None:
    options = choose_output(Path(name) if name else None, None, title="t")
    assert (options.format, options.compression, options.terminal_width) == (format, compression, None)


def test_format_told_wins() -> None:
    assert choose_output(Path("a.html"), "jsonl", title="t").format == "jsonl"


def test_format_on_a_terminal_is_a_table(monkeypatch) -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream, os.fdopen(master):
        monkeypatch.setattr("sys.stdout", stream)
        assert choose_output(None, None, title="t").format == "table"
        assert choose_output(None, None, title="t").terminal_width
        assert choose_output(Path("a.jsonl"), None, title="t").format == "jsonl"


@pytest.mark.parametrize(
    ("output", "problem"),
    [(None, "needs a file"), ("/dev/null", "needs a file"), ("a.parquet.gz", "compressed inside")],
)
def test_parquet_needs_a_file_of_its_own(output, problem) -> None:
    with pytest.raises(TaglineError, match=problem):
        choose_output(output and Path(output), "parquet", title="t")


@pytest.mark.parametrize("format", ["jsonl", "conllu", "iob2", "html", "table"])
def test_parts_are_the_whole_in_pieces(format) -> None:
    render = find_renderer(OutputOptions(format), span_tasks=["ner"])
    documents = [tagged(number) for number in range(4)]
    assert render(documents) == render(documents[:1]) + render(documents[1:3]) + render(documents[3:])
    assert render([]) == b""


def test_other_columns_are_written_behind_ours() -> None:
    line = find_renderer(OutputOptions("jsonl"), span_tasks=[])([tagged(0, stars=5, tags=["x", None])])
    assert line.startswith(b'{"id":null,"text":"Ada came","sentences":')
    assert line.endswith(b',"stars":5,"tags":["x",null]}\n')


def test_iob2_holds_one_span_layer() -> None:
    render = find_renderer(OutputOptions("iob2"), span_tasks=["chunk", "ner"])
    assert render([tagged(0)]) == b"Ada\tB-PER\ncame\tO\n\n"
    assert find_renderer(OutputOptions("iob2"), span_tasks=["chunk"])([tagged(0)]) == b"Ada\tO\ncame\tO\n\n"
    with pytest.raises(TaglineError, match="the tasks asked for fill none"):
        find_renderer(OutputOptions("iob2"), span_tasks=[])


def test_page_is_whole_with_its_head_and_tail() -> None:
    options = OutputOptions("html", title="<t>")
    page = options.head + find_renderer(options, span_tasks=["ner"])([tagged(0)]) + options.tail
    assert page.startswith(b"<!doctype html>")
    assert b"<title>&lt;t&gt;</title>" in page
    assert page.endswith(b"</html>\n")
    assert OutputOptions("jsonl").head == OutputOptions("jsonl").tail == b""
