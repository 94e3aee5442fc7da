"""The commands ``tag`` and ``models``, run in this process on a tiny model: formats in and out, offsets, errors."""

import io
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import tagline
from taggers.formats.conllu import read_conllu_file
from taggers.formats.jsonl import read_jsonl
from tests.tiny import tiny_folder

TEXT = "Ada 👩‍🔬 wrote\r\nto Zoe\u0308.\r\n\r\nShe's here!\r"
CONLLU = """\
# newdoc id = a
# sent_id = a1
# text = I can't.
1\tI\tme\tX\tX\t_\t3\tnsubj\t_\t_
2-3\tcan't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tca\t_\t_\t_\t_\t3\taux\t_\tGloss=kann
3\tn't\t_\t_\t_\t_\t0\troot\t_\tNE=B-LOC
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_
4\t.\t_\t_\t_\t_\t3\tpunct\t_\t_

"""


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tag(model, monkeypatch, capsysbinary, tmp_path):
    """Run ``tagline tag`` in an empty folder; the status, and what came out as bytes and as lines of errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taggers.bulk.progress._INTERVAL_S", math.inf)  # a slow machine tells how far it is

    def run(*tokens: str, stdin: bytes = b"") -> tuple[int, bytes, list[str]]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        line = ["tag", "--model", str(model), "--workers", "1", *tokens]
        status = tagline.run(tagline.build_app(line), line)
        captured = capsysbinary.readouterr()
        return status, captured.out, captured.err.decode().splitlines()

    return run


def documents(out: bytes) -> list[dict]:
    return [json.loads(line) for line in out.decode("utf-8").splitlines()]


def check_offsets(document: dict) -> None:
    text = document["text"]
    for sentence in document["sentences"]:
        inside = {i for token in sentence.get("multiword", ()) for i in range(*token["tokens"])}
        for index, token in enumerate(sentence["tokens"]):
            assert index in inside or text[token["start"] : token["end"]] == token["text"]
            assert sentence["start"] <= token["start"] < token["end"] <= sentence["end"]
    for span in document["spans"].get("ner", ()):
        assert text[span["start"] : span["end"]] == span["text"]


def test_text_files_are_documents_whose_text_is_not_touched(tag) -> None:
    for name, text in (("a.txt", TEXT), ("b.txt", "\ufeff" + TEXT), ("c.txt", "")):
        Path(name).write_bytes(text.encode("utf-8"))
    status, out, err = tag("b.txt", "a.txt", "c.txt")
    assert (status, err) == (0, [])
    found = documents(out)
    assert [document["id"] for document in found] == ["b.txt", "a.txt", "c.txt"]
    assert [document["text"] for document in found] == [TEXT, TEXT, ""]
    for document in found:
        check_offsets(document)


@pytest.mark.parametrize("names", [(), ("-",)])
def test_standard_input_is_one_text_without_an_id(tag, names) -> None:
    status, out, _ = tag(*names, stdin=TEXT.encode("utf-8"))
    (document,) = documents(out)
    assert (status, document["id"], document["text"]) == (0, None, TEXT)
    check_offsets(document)


def test_files_and_standard_input_keep_their_order_and_each_its_format(tag) -> None:
    Path("a.txt").write_text("first")
    Path("c.csv").write_bytes(b'id,text\r\n7,"third ""one"", with\r\na line"\r\n')
    Path("d.conllu").write_text(CONLLU)
    Path("noname").write_text('{"text": "fifth"}')
    _, out, _ = tag("a.txt", "-", "c.csv", "d.conllu", "noname", stdin=b'{"id": 2, "text": "second"}\n')
    assert [(document["id"], document["text"]) for document in documents(out)] == [
        ("a.txt", "first"),
        ("2", "second"),
        ("7", 'third "one", with\r\na line'),
        ("a", "I can't."),
        (None, "fifth"),
    ]


@pytest.mark.parametrize(("format", "line"), [("jsonl", '{{"n": {0}, "t": "d{0}"}}\n'), ("csv", "{0},d{0}\n")])
def test_rows_keep_their_order_over_many_groups(tag, format, line) -> None:
    header = "n,t\n" if format == "csv" else ""
    rows = header + "".join(line.format(index) for index in range(600))
    options = ("--from", format, "--id-field", "n", "--text-field", "t", "--tasks", "upos")
    _, out, _ = tag(*options, stdin=rows.encode())
    assert [(document["id"], document["text"]) for document in documents(out)] == [
        (str(index), f"d{index}") for index in range(600)
    ]


def test_jsonl_with_tokens_keeps_them(tag) -> None:
    _, out, _ = tag(stdin=b'{"tokens": [["Already", "split"], ["."]]}\n')
    (document,) = documents(out)
    assert [[token["text"] for token in sentence["tokens"]] for sentence in document["sentences"]] == [
        ["Already", "split"],
        ["."],
    ]


def test_conllu_keeps_all_but_what_is_predicted(tag) -> None:
    Path("a.conllu").write_text(CONLLU)
    status, out, _ = tag("a.conllu", "--to", "conllu", "--tasks", "upos,ner")
    assert status == 0
    before, after = ([line.split("\t") for line in text.splitlines()] for text in (CONLLU, out.decode()))
    words = [index for index, row in enumerate(before) if row[0].isdecimal()]
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if index in words:
            old, new = (row[:3] + row[4:9] + [_without_entity(row[9])] for row in (old, new))
        assert new == old
    assert all(after[index][3] not in ("X", "_") for index in words)


def _without_entity(misc: str) -> str:
    return "|".join(item for item in misc.split("|") if not item.startswith("NE=")) or "_"


def test_text_comes_back_from_conllu(tag) -> None:
    tag("--to", "conllu", "-o", "out.conllu", stdin=TEXT.encode())
    assert [document.text for document in read_conllu_file("out.conllu")] == [TEXT]


def test_conllu_of_a_tagged_jsonl_is_that_of_the_text(tag) -> None:
    _, first, _ = tag("--to", "conllu", stdin=TEXT.encode())
    _, tagged, _ = tag(stdin=TEXT.encode())
    _, second, _ = tag("--to", "conllu", stdin=tagged)
    assert first == second


def test_iob2_has_the_spans(tag) -> None:
    _, out, _ = tag("--to", "iob2", stdin=b'{"tokens": [["Ada", "in", "London"]]}')
    rows = [line.split("\t") for line in out.decode().splitlines() if line]
    assert [row[0] for row in rows] == ["Ada", "in", "London"]
    assert all(row[1] == "O" or row[1][:2] in ("B-", "I-") for row in rows)
    status, _, err = tag("--to", "iob2", "--tasks", "upos", stdin=b"Ada")
    assert (status, err) == (1, ["tagline: IOB2 holds a layer of spans, but the tasks asked for fill none"])


def test_table_has_a_row_for_each_word(tag) -> None:
    _, out, _ = tag(
        "--to",
        "table",
        "--tasks",
        "upos",
        stdin=b'{"id": "x", "tokens": [["Ada", "in\x1b", "[b]"]]}'.replace(b"\x1b", b"\\u001b"),
    )
    lines = out.decode().splitlines()
    assert lines[0] == "x"
    assert lines[1].split() == ["word", "upos"]
    assert [line.split()[0] for line in lines[3:6]] == ["Ada", "in\\x1b", "[b]"]


def test_only_the_tasks_asked_for(tag) -> None:
    _, out, _ = tag("--tasks", "ner, upos", stdin=b"Ada wrote.")
    (document,) = documents(out)
    assert set(document["sentences"][0]["tokens"][0]) == {"text", "start", "end", "upos"}
    assert set(document["spans"]) == {"ner"}


def test_other_columns_pass_through_every_way(tag) -> None:
    Path("in.csv").write_text('id,text,stars,author\n1,Ada wrote.,5,"X, Y"\n')
    tag("in.csv", "-o", "a.parquet")
    tag("a.parquet", "-o", "b.jsonl.zst")
    tag("b.jsonl.zst", "-o", "c.jsonl")
    (document,) = documents(Path("c.jsonl").read_bytes())
    assert [document[name] for name in ("id", "text", "stars", "author")] == ["1", "Ada wrote.", "5", "X, Y"]
    tag("in.csv", "-o", "d.jsonl")
    assert Path("d.jsonl").read_bytes() == Path("c.jsonl").read_bytes()


def test_each_line_of_a_text_is_a_document(tag) -> None:
    _, out, _ = tag("--per-line", stdin=b"one\r\n\ntwo")
    assert [(document["id"], document["text"]) for document in documents(out)] == [
        ("1", "one"),
        ("2", ""),
        ("3", "two"),
    ]


def test_page_shows_the_texts(tag) -> None:
    tag("-o", "a.html", stdin=b"Ada <wrote>.")
    page = Path("a.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "&lt;" in page
    assert page.endswith("</html>\n")


def test_folder_is_tagged_into_itself_without_its_output(tag) -> None:
    Path("a.txt").write_text("Ada")
    for _ in range(2):
        assert tag(".", "-o", "out.jsonl") == (0, b"", [])
        assert len(documents(Path("out.jsonl").read_bytes())) == 1


def test_batches_change_nothing_but_rounding(tag) -> None:
    rows = "".join(json.dumps({"text": "Ada wrote to London. " * n}) + "\n" for n in (1, 9, 2, 0, 5)).encode()
    found = [documents(tag("--max-batch-tokens", size, stdin=rows)[1]) for size in ("1", "50", "4000")]
    for one, other in pairwise(found):
        assert [document["sentences"] for document in one] == [document["sentences"] for document in other]


def test_output_file_appears_when_all_is_done(tag) -> None:
    Path("out.jsonl").write_text("old")
    assert tag("-o", "out.jsonl", stdin=b"Ada") == (0, b"", [])
    (document,) = read_jsonl(Path("out.jsonl").read_text().splitlines())
    assert document.text == "Ada"
    assert [path.name for path in Path().iterdir()] == ["out.jsonl"]


def test_suffix_of_the_output_tells_its_format(tag) -> None:
    for name, start in (("a.conllu", "# sent_id"), ("a.iob2", "A\t"), ("a.jsonl", "{"), ("a", "{")):
        tag("-o", name, stdin=b"Ada is here")
        assert Path(name).read_text().startswith(start)


def test_malformed_line_is_named_and_the_others_are_tagged(tag) -> None:
    rows = b'{"text": "a"}\n{"text": "b"}\n{"text": 3}\n{"text": "c"}\n'
    Path("in.jsonl").write_bytes(rows)
    status, out, err = tag("in.jsonl")
    problem = "in.jsonl:3: text: expected a string, found 3"
    assert (status, err) == (1, [f"tagline: {problem}", "tagline: 1 of 4 documents failed, named above"])
    assert [document["text"] for document in documents(out)] == ["a", "b", "c"]

    Path("out.jsonl").write_text("old")
    status, _, err = tag("in.jsonl", "-o", "out.jsonl")
    assert (status, err) == (1, ["tagline: 1 of 4 documents failed, named in out.jsonl.errors.jsonl"])
    assert Path("out.jsonl").read_bytes() == out
    (failure,) = documents(Path("out.jsonl.errors.jsonl").read_bytes())
    assert "{place}: {reason}".format(**failure) == problem


@pytest.mark.parametrize(
    ("tokens", "stdin", "problem"),
    [
        ([], b"ab\nc\xe9d", "<stdin>:2: expected UTF-8, found byte 0xE9 at byte offset 4"),
        ([], b'{"a": 1}', "<stdin>:1: text: expected a string, found no such field"),
        (["--from", "csv"], b"a,b\n", "<stdin>:1: expected a column 'text', found the columns a, b"),
        (["--from", "conllu"], b"1\ta\n", "<stdin>:1: expected 10 tab-separated columns, found 2"),
        (["--from", "parquet"], b"", "<stdin>:1: expected Parquet that can be read, found: "),
        (["--max-record-bytes", "3"], b"long", "<stdin>: expected a text (or texts: --per-line) of at most 3 bytes"),
    ],
)
def test_document_that_fails_is_one_line_and_one_more_says_how_many(tag, tokens, stdin, problem) -> None:
    status, out, err = tag(*tokens, stdin=stdin)
    assert (status, out, err[1:]) == (1, b"", ["tagline: 1 of 1 document failed, named above"])
    assert err[0].startswith(f"tagline: {problem}")


@pytest.mark.parametrize(
    ("tokens", "stdin", "problem"),
    [
        (["nope.txt"], b"", "nope.txt: No such file or directory"),
        (["-", "nope.txt"], b"a", "nope.txt: No such file or directory"),
        (["."], b"", ".: no file in this folder ends in .txt, .text, .md, .jsonl, .ndjson, .csv, .parquet, .conllu"),
        (["*.txt"], b"", "*.txt: no file matches"),
        (["--to", "parquet"], b"", "Parquet needs a file of its own: name one, -o OUT.parquet"),
        (["--tasks", "upos,nope"], b"", "unknown task 'nope'; this model has: feats, lemma, ner, upos, xpos"),
        (["--device", "abacus"], b"", "unknown device 'abacus': expected auto, cpu, cuda or cuda:N"),
        (["-o", "no/folder"], b"a", "no/folder.journal: No such file or directory"),
    ],
)
def test_failure_is_one_line_and_status_1(tag, tokens, stdin, problem) -> None:
    status, out, err = tag(*tokens, stdin=stdin)
    assert (status, out, len(err)) == (1, b"", 1)
    assert err[0].startswith("tagline: ")
    assert err[0].endswith(problem)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("tokens", "problem"),
    [
        (["--no-such-option"], "Unknown option: --no-such-option."),
        (["-o", "--to"], "Unknown option: --to."),
        (["--resume"], "--resume needs a file to go on with: -o OUT."),
        (["--max-batch-tokens", "0"], "Must be >= 1"),
        (["--to", "xml"], "Choose from:"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(tag, tokens, problem) -> None:
    status, out, err = tag(*tokens)
    assert (status, out, len(err)) == (2, b"", 1)
    assert problem in err[0]
    assert err[0].endswith("See tagline tag --help")


def test_nothing_to_read_on_a_terminal_is_wrong_use(monkeypatch, capsys) -> None:
    master, terminal = os.openpty()
    with os.fdopen(terminal) as stream, os.fdopen(master):
        monkeypatch.setattr(sys, "stdin", stream)
        assert tagline.run(tagline.build_app(["tag"]), ["tag"]) == 2
    assert capsys.readouterr().err == (
        "tagline: No file to tag: give one, or - to type a text. See tagline tag --help\n"
    )


@pytest.mark.parametrize("tokens", [["tag", "--help"], ["models", "--help"], ["models"]])
def test_what_tags_nothing_needs_no_torch(tokens) -> None:
    code = f"import sys, tagline; tagline.run(tagline.build_app({tokens}), {tokens}); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.splitlines()[-1] == "False"
    assert "--help" not in tokens or f"Example: tagline {tokens[0]} " in answer


@pytest.fixture
def models(capsys):
    def run(*tokens: str) -> tuple[int, str, str]:
        line = ["models", *tokens]
        status = tagline.run(tagline.build_app(line), line)
        return status, *capsys.readouterr()

    return run


def test_models_lists_those_installed(models, model, monkeypatch) -> None:
    monkeypatch.setattr("taggers.catalog.PRETRAINED", model.parent)
    monkeypatch.setenv("COLUMNS", "120")
    status, out, _ = models()
    assert status == 0
    assert out.splitlines()[0].split() == ["name", "also", "language", "tasks", "MB", "scores"]
    assert out.splitlines()[1].split()[0] == "tiny"


def test_models_says_that_there_are_none(models, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path)
    status, out, _ = models()
    assert (status, out) == (
        0,
        "no models are installed; a model folder can be used by its path: tagline tag --model FOLDER\n",
    )


def test_models_prints_a_card_as_it_is_when_piped(models, model) -> None:
    (model / "README.md").write_text("---\nlicense: x\n---\n# Tiny\n", encoding="utf-8")
    assert models(str(model)) == (0, "---\nlicense: x\n---\n# Tiny\n", "")


def test_unknown_model_is_one_line(models) -> None:
    status, out, err = models("nope")
    assert (status, out) == (1, "")
    assert err.startswith("tagline: unknown model 'nope'; there are: ")
    assert err.count("\n") == 1
