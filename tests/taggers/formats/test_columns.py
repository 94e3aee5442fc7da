"""Reading every dialect of column files, and repairing what their scheme forbids."""

import contextlib
import logging
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.document import Document, Span
from taggers.errors import FormatError
from taggers.formats.columns import ColumnDialect, ColumnReport, read_columns, read_columns_file, write_columns
from taggers.spans import Scheme
from tests.strategies import documents

SETTINGS = settings(max_examples=100)


def spans_of(documents, layer="ner"):
    return [
        [(" ".join(sentence.words[span.start : span.stop]), span.label) for span in sentence.spans[layer]]
        for document in documents
        for sentence in document
    ]


def test_universal_ner_with_stray_tags(fixtures):
    report = ColumnReport()
    documents = read_columns_file(fixtures / "numbered.iob2", report=report)
    assert [document.id for document in documents] == ["letter-1", "letter-2"]
    assert spans_of(documents) == [[("Mia Berg", "PER"), ("København", "LOC")], [], [("Porto", "LOC")]]
    assert report.by_kind == {"B-O read as B-PER": 1, "B-O read as O": 1, "I-LOC read as B-LOC": 1}
    assert report.repaired == 3


def test_the_text_is_that_of_the_comments_where_the_words_are_in_it(fixtures):
    first, second = read_columns_file(fixtures / "numbered.iob2")
    assert first.text == "Mia Berg lives in København, doesn't she?\nYes : she does."
    assert second.text == "Ele mora em o Porto", "words that are not there win over the text"
    assert second.sentences[0].comments[-1] == "# text = Ele mora no Porto"
    for document in (first, second):
        document.check()
        for sentence in document:
            assert [document.text[start:end] for start, end in sentence.offsets] == list(sentence.words)


def test_conll2003_columns_in_iob1(fixtures):
    report = ColumnReport()
    documents = read_columns_file(fixtures / "conll2003.iob2", report=report)
    assert spans_of(documents) == [[("Kofi Ado", "PER"), ("Ama", "PER"), ("Accra", "LOC")], [("Lake Volta", "LOC")]]
    assert documents[0].sentences[0].words[4:6] == ("#", "5")
    assert documents[0].sentences[0].tags == {"xpos": ("NNP", "NNP", "NNP", "VBD", "#", "CD", "IN", "NNP", ".")}
    assert report.repaired == 0, "I- at the start is how IOB1 is written"


def test_another_column_and_another_layer(fixtures):
    dialect = ColumnDialect(separator=None, columns=4, tag=2, xpos=1)
    documents = read_columns_file(fixtures / "conll2003.iob2", dialect=dialect, layer="chunk")
    assert spans_of(documents, "chunk")[1] == [("Lake Volta", "NP")]
    assert set(documents[0].sentences[0].spans) == {"chunk"}


def test_tweets_with_hashes_blank_lines_that_hold_tabs_and_rows_without_a_form(fixtures, caplog):
    report = ColumnReport()
    with caplog.at_level(logging.INFO):
        [document] = read_columns_file(fixtures / "tweets.iob2", report=report)
    assert [sentence.words for sentence in document] == [("@", "Lina", "#", "#fika"), ("in", "St", "Göran", "😀")]
    assert spans_of([document]) == [[("Lina", "person")], [("St Göran", "location")]]
    assert report.by_kind == {"row without a form left out": 1}
    assert "tweets.iob2: 1 rows repaired" in caplog.text


def test_bilou_shows_by_its_prefixes(fixtures):
    documents = read_columns_file(fixtures / "bilou.iob2")
    assert spans_of(documents) == [[("La vie ici", "work"), ("Aix", "place")]]


def test_an_empty_stream_has_no_documents():
    assert list(read_columns([])) == []
    assert list(read_columns(["", "# nothing but a comment"])) == []


def test_what_a_written_file_looks_like(fixtures):
    documents = read_columns_file(fixtures / "numbered.iob2")
    lines = "".join(write_columns(documents, scheme=Scheme.BIOES)).split("\n")
    assert lines[:6] == [
        "# newdoc id = letter-1",
        "# sent_id = letter-1-1",
        "# text = Mia Berg lives in København, doesn't she?",
        "Mia\tB-PER",
        "Berg\tE-PER",
        "lives\tO",
    ]
    bare = Document.from_words([["a\tb", "c"], []])
    assert list(write_columns([bare])) == ["a b\tO\nc\tO\n\n"]


@pytest.mark.parametrize("word", ["-DOCSTART-", "\N{NO-BREAK SPACE}"])
def test_words_that_would_read_as_something_else_are_refused(word):
    with pytest.raises(ValueError, match="columns have no place for the word"):
        list(write_columns([Document.from_words([[word, "x"]])]))


def test_a_mark_of_byte_order_is_a_word_where_it_is_one():
    original = Document.from_words([["\ufeff", "Ada"]])
    [back] = read_columns("".join(write_columns([original])).split("\n"))
    assert back.sentences[0].words == ("\ufeff", "Ada")


@pytest.mark.parametrize("scheme", [Scheme.BIOES, Scheme.BILOU])
def test_one_long_span_shows_its_scheme(scheme):
    document = Document.from_words([["word"] * 13])
    long = document.sentences[0].annotated(spans={"ner": (Span(0, 13, "WORK"),)})
    [back] = read_columns("".join(write_columns([Document(document.text, (long,))], scheme=scheme)).split("\n"))
    assert back.sentences[0].spans == long.spans


@SETTINGS
@given(st.lists(documents(min_sentences=1), max_size=3), st.sampled_from(Scheme))
def test_write_then_read_is_identity(originals, scheme):
    lines = "".join(write_columns(originals, scheme=scheme)).split("\n")
    report = ColumnReport()
    copies = list(read_columns(lines, dialect=ColumnDialect(scheme=scheme), report=report))
    assert report.repaired == 0
    assert [document.id for document in copies] == [document.id for document in originals]
    for original, copy in zip(originals, copies, strict=True):
        copy.check()
        assert [sentence.words for sentence in copy] == [sentence.words for sentence in original]
        assert [sentence.spans["ner"] for sentence in copy] == [sentence.spans.get("ner", ()) for sentence in original]


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        (
            ["a\tO", "b", "c\tO"],
            2,
            "expected 2 tab-separated columns with a tag such as O or B-PER in column 2, found 'b'",
        ),
        (["a\tO", "b\tO\tO", "c\tO"], 2, "expected 2 tab-separated columns"),
        (["a\tO", "b\tPER", "c\tO"], 2, "expected 2 tab-separated columns with a tag"),
        (["a O", "b c O", "c O"], 2, "expected 2 blank-separated columns"),
        (["1\ta\tO", "3\tb\tO"], 2, "expected token 2, found '3'"),
        (["a\tO", "# late", "b\tO"], 2, "expected 2 tab-separated columns .* found a comment inside a sentence"),
        (["a\tO", "b\tO", " \tB-PER"], 3, "expected a form for the tag B-PER, found none"),
        ([*["a\tB-X"] * 20, "", "b\tO", "c\tE-X"], 23, "expected a BIO tag, as most of the file has, found 'E-X'"),
        (["", "some", "words"], 2, "expected a column of tags such as O or B-PER, found 'some'"),
    ],
)
def test_errors_name_the_line_and_what_was_expected(lines, line, problem):
    with pytest.raises(FormatError, match=f"^x:{line}: {problem}") as caught:
        list(read_columns(lines, "x"))
    assert caught.value.line == line


DAMAGES = {
    "no tag": lambda line: re.split(r"[ \t]", line)[0],
    "no prefix": lambda line: re.sub(r"(?<=[ \t])(O|[BI]-\w+)((?=\t-)|$)", "PER", line),
    "another separator": lambda line: re.sub(r"[ \t]", ",", line),
}


@SETTINGS
@given(st.data(), st.sampled_from(sorted(DAMAGES)), st.sampled_from(["numbered", "conll2003"]))
def test_a_damaged_line_is_an_error_with_its_number(fixtures, data, damage, name):
    lines = (fixtures / f"{name}.iob2").read_text().split("\n")
    rows = [index for index, line in enumerate(lines) if re.search("[ \t]", line) and line[:2] not in ("# ", "-D")]
    at = data.draw(st.sampled_from(rows))
    lines[at] = DAMAGES[damage](lines[at])
    dialect = {
        "numbered": ColumnDialect("\t", 3, 1, 2, numbered=True),
        "conll2003": ColumnDialect(None, 4, 0, 3, xpos=1),
    }[name]
    with pytest.raises(FormatError) as caught:
        list(read_columns(lines, dialect=dialect))
    assert caught.value.line == at + 1


@SETTINGS
@given(st.lists(st.text(st.sampled_from("BIOES-LU#1 \tab") | st.characters(codec="utf-8"), max_size=12), max_size=8))
def test_any_lines_give_documents_or_a_format_error(lines):
    with contextlib.suppress(FormatError):
        for document in read_columns(lines):
            document.check()


# What the SOURCE.md of the sets say but for rows that hold no word: file -> rows left out, sentences left empty by it.
FORMLESS = {"btc/f.conll": (3, 0), "btc/h.conll": (4, 1)}
STATED = re.compile(r"^\| ([\w./-]+) \|(?: 100 \|)? (\d+) \| (\d+) \| (\d+) \| (.*) \|$", re.MULTILINE)


@pytest.mark.corpora
def test_every_column_file_of_the_corpora_has_the_counts_that_its_source_states(corpora):
    seen = 0
    for source in sorted([*corpora.glob("ner/*/SOURCE.md"), corpora / "chunk" / "conll2000" / "SOURCE.md"]):
        for name, sentences, tokens, entities, types in STATED.findall(source.read_text()):
            path = next(
                path for suffix in ("", ".iob2", ".txt") if (path := source.parent / f"{name}{suffix}").is_file()
            )
            documents = read_columns_file(path)
            found = [sentence for document in documents for sentence in document]
            dropped, emptied = FORMLESS.get(f"{source.parent.name}/{name}", (0, 0))
            stated = {label: int(count) for label, count in (item.rsplit(" ", 1) for item in types.split(", "))}
            stray = stated.pop("O", 0)
            counts = Counter(span.label for sentence in found for span in sentence.spans["ner"])
            assert counts == stated, path
            assert counts.total() == int(entities) - stray, path
            assert sum(map(len, found)) == int(tokens) - dropped, path
            assert len(found) == int(sentences) - emptied, path
            for document in documents:
                document.check()
            seen += 1
    assert seen > 40


@pytest.mark.corpora
def test_stray_tags_of_universal_ner_are_repaired_and_counted(corpora):
    report = ColumnReport()
    documents = read_columns_file(corpora / "ner" / "uner_en_ewt" / "train.iob2", report=report)
    assert report.by_kind == {"B-O read as O": 540}
    assert len(documents) == 540
    assert documents[0].sentences[0].spans["ner"][0] == Span(0, 3, "ORG")
