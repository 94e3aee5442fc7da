import json
from typing import Any

import pytest

from service.errors import BadRequest, TooLarge
from service.schemas import TagRequest, parse_request, tag_request


def parse(body: object) -> TagRequest:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_request(written, tag_request(max_documents=3))


def refused(body: object) -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        parse(body)
    return {field.path: field.message for field in caught.value.fields}


def test_short_form_is_one_document() -> None:
    (document,) = parse({"text": "a b"}).to_documents()
    assert (document.text, document.sentences, document.id) == ("a b", (), None)


def test_documents_are_texts_or_words() -> None:
    asked = parse({"documents": [{"id": "x", "text": ""}, {"tokens": [["a", "b c"], ["d"]]}], "offsets": "utf16"})
    raw, split = asked.to_documents()
    assert (raw.id, raw.text) == ("x", "")
    assert [sentence.words for sentence in split] == [("a", "b c"), ("d",)]
    assert split.text == "a b c\nd"
    assert asked.unit == "utf16"


def test_no_documents_are_no_documents() -> None:
    assert parse({"documents": []}).to_documents() == []
    assert parse({"documents": [{"tokens": []}]}).to_documents()[0].sentences == ()


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"": "neither"}),
        ([], {"": "object"}),
        (None, {"": "object"}),
        ({"text": "a", "documents": []}, {"": "both"}),
        ({"text": 1}, {"text": "string"}),
        ({"text": None}, {"": "neither"}),
        ({"text": "a", "offsets": "bytes"}, {"offsets": "'codepoint', 'utf16' or 'utf8'"}),
        ({"text": "a", "tasks": "upos"}, {"tasks": "array"}),
        ({"text": "a", "tasks": [1]}, {"tasks.0": "string"}),
        ({"text": "a", "modle": "en"}, {"modle": "unknown field; there are: model, tasks, offsets, documents, text"}),
        ({"documents": {}}, {"documents": "array"}),
        ({"documents": [{}]}, {"documents.0": "neither"}),
        ({"documents": [{"text": "a", "tokens": []}]}, {"documents.0": "both"}),
        ({"documents": [{"txt": "a"}]}, {"documents.0.txt": "unknown field; there are: id, text, tokens"}),
        (
            {"documents": [{"text": 1}, {"text": "a", "id": 7}]},
            {"documents.0.text": "string", "documents.1.id": "string"},
        ),
        ({"documents": [{"tokens": ["a"]}]}, {"documents.0.tokens.0": "array"}),
        ({"documents": [{"tokens": [["a"], []]}]}, {"documents.0.tokens.1": "at least 1"}),
        ({"documents": [{"tokens": [["a", ""]]}]}, {"documents.0.tokens.0.1": "expected a word, found ''"}),
        ({"documents": [{"tokens": [["a", "\t "]]}]}, {"documents.0.tokens.0.1": r"expected a word, found '\t '"}),
        ({"documents": [{"tokens": [[None]]}]}, {"documents.0.tokens.0.0": "string"}),
    ],
)
def test_each_bad_field_is_named(body: object, paths: dict[str, str]) -> None:
    found = refused(body)
    assert found.keys() == paths.keys()
    for path, says in paths.items():
        assert says in found[path]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "EOF"),
        (b"{", "EOF"),
        (b'{"text": "a"} x', "trailing"),
        (b'{"text": "\xff"}', "unicode"),
        (rb'{"text": "\ud800"}', "half of a surrogate pair is not valid Unicode"),
        (rb'{"text": "\udc00 \ud83d\ude00"}', "malformed JSON"),
        (b'{"text": "a\x00"}', "control character"),
        (b"[" * 100_000, "recursion"),
        ('{"text": "a"}'.encode("utf-16"), "malformed JSON"),
    ],
)
def test_malformed_json_says_where(body: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=r"(?s)malformed JSON: .* line 1 column [0-9]+") as caught:
        parse(body)
    assert says in str(caught.value)


def test_escaped_controls_and_surrogate_pairs_are_text() -> None:
    assert parse(rb'{"text": "\u0000\u001b \ud83d\ude00"}').text == "\0\x1b 😀"


def test_too_many_documents_name_the_limit() -> None:
    with pytest.raises(TooLarge, match="at most 3 documents"):
        parse({"documents": [{"text": ""}] * 4})
    with pytest.raises(TooLarge, match="at most 3 documents"):
        parse({"documents": [{"text": 1}] * 100_000})


def test_a_flood_of_bad_fields_is_cut() -> None:
    body: dict[str, Any] = {f"key{number}": 1 for number in range(150)}
    found = refused(body)
    assert len(found) == 100
    with pytest.raises(BadRequest, match="and 147 more"):
        parse(body)
    with pytest.raises(BadRequest, match="5000 bad fields: too many to name"):
        parse({f"key{number}": 1 for number in range(5000)})
    assert len(refused({"documents": [{"tokens": [[]] * 100_000}]})) == 1
    assert len(refused({"text": "a", "tasks": [1] * 100_000})) == 1
