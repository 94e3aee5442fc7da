"""JSON Lines in every shape that is read, and the one shape that is written."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.document import Document
from taggers.errors import FormatError
from taggers.formats.conllu import read_conllu_file, write_conllu
from taggers.formats.jsonl import CharSpan, RawDocument, read_jsonl, read_jsonl_file, write_jsonl
from taggers.offsets import OffsetUnit
from tests.strategies import documents, texts

SETTINGS = settings(max_examples=100)
units = st.sampled_from(OffsetUnit)


def test_every_shape_is_read(fixtures):
    assert read_jsonl_file(fixtures / "spans.jsonl") == [
        RawDocument(
            "Ana leu Os Maias.", "layers", {"ner": (CharSpan(0, 3, "PER"),), "work": (CharSpan(8, 16, "BOOK"),)}
        ),
        RawDocument("Zoë met 😀 Li.", None, {"ner": (CharSpan(0, 3, "PER"), CharSpan(10, 12, "PER"))}),
        RawDocument("東京へ行く。", "7", {"ner": (CharSpan(0, 2, "LOC"),)}),
        Document.from_words([["Already", "split", "."], ["Twice"]], id="words"),
        RawDocument("", "bare", {}),
    ]


def test_other_fields_and_another_layer():
    line = '{"body": "Li", "key": "a", "spans": [{"start": 0, "end": 2, "label": "X"}]}'
    [document] = read_jsonl([line], text_field="body", id_field="key", layer="chunk")
    assert document == RawDocument("Li", "a", {"chunk": (CharSpan(0, 2, "X"),)})


@pytest.mark.parametrize(
    ("unit", "start", "end"), [(OffsetUnit.CODEPOINT, 2, 4), (OffsetUnit.UTF16, 3, 5), (OffsetUnit.UTF8, 5, 8)]
)
def test_offsets_are_read_in_the_unit_that_they_count_in(unit, start, end):
    line = json.dumps({"text": "😀 Zé", "label": [[start, end, "PER"]]})
    [document] = read_jsonl(["\ufeff" + line + "\r\n"], offsets=unit)
    assert document.spans == {"ner": (CharSpan(2, 4, "PER"),)}


def test_a_conllu_file_survives_the_way_through_jsonl(fixtures):
    documents = read_conllu_file(fixtures / "mixed.conllu")
    copies = list(read_jsonl(write_jsonl(documents)))
    assert copies == documents
    assert "".join(write_conllu(copies)) == (fixtures / "mixed.conllu").read_text()


@SETTINGS
@given(st.lists(documents(scored=True), max_size=2), units)
def test_write_then_read_is_identity(originals, unit):
    lines = list(write_jsonl(originals, offsets=unit))
    assert all(line.splitlines(keepends=True) == [line] for line in lines)
    assert list(read_jsonl(lines, offsets=unit)) == originals


@SETTINGS
@given(texts(), st.none() | texts(), st.data(), units)
def test_raw_documents_come_back(text, name, data, unit):
    edges = st.lists(st.integers(0, len(text)), min_size=2, max_size=2).map(sorted)
    spans = {layer: tuple(CharSpan(*data.draw(edges), "X") for _ in range(2)) for layer in ("ner", "b")}
    original = RawDocument(text, name, spans)
    assert list(read_jsonl(write_jsonl([original], offsets=unit), offsets=unit)) == [original]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "expected a JSON object, found Expecting property name"),
        ("[1]", "line: expected an object, found [1]"),
        ("[" * 100_000, "expected a JSON object, found"),
        ('{"id": "a"}', "text: expected a string, found no such field"),
        ('{"text": 3}', "text: expected a string, found 3"),
        ('{"text": "a", "id": []}', "id: expected an integer, found []"),
        ('{"text": "\\ud800"}', "expected valid Unicode, found a lone surrogate"),
        ('{"text": "a", "spans": {"ner": {}}}', "spans.ner: expected a list, found {}"),
        ('{"text": "a", "spans": [{"start": 0, "label": "X"}]}', "spans.ner[0].end: expected an integer, found no"),
        ('{"text": "a", "spans": [{"start": true, "end": 1, "label": "X"}]}', "spans.ner[0].start: expected an int"),
        ('{"text": "a", "spans": [{"start": 0, "end": 2, "label": "X"}]}', "offset 2 is outside the text"),
        ('{"text": "abc", "spans": [{"start": 2, "end": 1, "label": "X"}]}', "spans.ner[0]: expected a range inside 0"),
        ('{"text": "a", "label": [[0, 1]]}', "spans.ner[0]: expected [start, end, label], found 2 values"),
        ('{"tokens": ["a"]}', "tokens[0]: expected a list, found 'a'"),
        ('{"tokens": [[1]]}', "tokens[0]: expected a string, found 1"),
    ],
)
def test_errors_name_the_line_and_the_field(line, problem):
    with pytest.raises(FormatError) as caught:
        list(read_jsonl(['{"text": ""}', "", line], "x.jsonl"))
    assert str(caught.value).startswith(f"x.jsonl:3: {problem}")


@SETTINGS
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(["text", "spans", "tokens", "label", "sentences", "start", "end"]), children
            )
        ),
    )
)
def test_any_json_gives_documents_or_a_format_error(value):
    with contextlib.suppress(FormatError):
        list(read_jsonl([json.dumps(value)]))
