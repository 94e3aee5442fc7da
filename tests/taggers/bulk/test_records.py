"""Records: what stands beside a text passes through, whatever it is called; what is wrong is said."""

import json

import pytest

from taggers.bulk.pieces import Failure, Piece, ReadOptions
from taggers.bulk.records import Record, parse_piece
from taggers.document import Document
from taggers.formats.raw import RawDocument


def parsed(data: object, **options) -> Record | Failure:
    line = data if isinstance(data, bytes) else json.dumps(data).encode()
    return parse_piece(Piece("a.jsonl", "jsonl", 7, 70, line), ReadOptions(**options))


def test_other_columns_pass_through_in_order() -> None:
    record = parsed({"stars": 5, "text": "Good", "id": 3, "tags": ["x", None], "label": "pos"})
    assert record == Record("a.jsonl:7", RawDocument("Good", "3"), {"stars": 5, "tags": ["x", None], "label": "pos"})
    assert list(record.extra) == ["stars", "tags", "label"]


def test_columns_that_are_called_like_ours_get_another_name() -> None:
    data = {"body": "b", "key": "k", "text": 1, "id": 2, "spans": [], "spans_": 3, "sentences": 4}
    record = parsed(data, text_field="body", id_field="key")
    assert record.document == RawDocument("b", "k")
    assert record.extra == {"text_": 1, "id_": 2, "spans__": [], "spans_": 3, "sentences_": 4}


def test_words_that_are_known_are_kept() -> None:
    record = parsed({"tokens": [["Already", "split"]], "id": "a", "n": 1})
    assert record == Record("a.jsonl:7", Document.from_words([["Already", "split"]], id="a"), {"n": 1})


def test_tagged_document_is_read_as_one() -> None:
    document = Document.from_words([["a"]], id="x")
    data = {
        "id": "x",
        "text": "a",
        "sentences": [{"start": 0, "end": 1, "tokens": [{"text": "a", "start": 0, "end": 1}]}],
    }
    assert parsed({**data, "spans": {}, "n": 1}) == Record("a.jsonl:7", document, {"n": 1})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "expected a JSON object, found Expecting property name enclosed in double quotes at column 2"),
        ([], "line: expected an object, found []"),
        ({}, "text: expected a string, found no such field"),
        ({"text": None}, "text: expected a string, found None"),
        (b'{"text": "\\ud800"}', "expected valid Unicode, found a lone surrogate"),
        (b'{"text": "a", "n": "\\uDFFF"}', "expected valid Unicode, found a lone surrogate"),
        (b"[" * 100_000, "expected a JSON object, found one nested too deep to read"),
        ({"text": "a", "id": 1.5}, "id: expected an integer, found 1.5"),
        ({"text": "a", "sentences": [{}]}, "sentences[0].tokens: expected a list, found no such field"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(data, reason) -> None:
    assert parsed(data) == Failure("a.jsonl:7", reason)


def test_pairs_of_surrogates_are_characters() -> None:
    assert parsed(b'{"text": "\\ud83d\\ude00"}').document.text == "😀"
