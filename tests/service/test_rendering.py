import io
import json
from dataclasses import replace

import msgspec
import pytest

from service.answers import TagAnswer
from service.errors import NotAcceptable
from service.rendering import (
    FORMS,
    Answer,
    JsonDocument,
    check_accepts,
    choose_form,
)
from taggers.boundaries import decode_boundaries
from taggers.document import Document, Span
from taggers.formats.answer import document_to_json
from taggers.formats.conllu import read_conllu
from taggers.offsets import OffsetUnit


def render(form: str, answer: Answer, *, at_once: int = 100) -> bytes:
    """The body, with so many sentences at a time."""
    writer = FORMS[form](replace(answer, documents=[replace(document, sentences=()) for document in answer.documents]))
    for index, document in enumerate(answer.documents):
        for start in range(0, len(document.sentences), at_once):
            writer.add(index, document.sentences[start : start + at_once])
    return b"".join(writer.finish())


def answer(*documents: Document, offsets: OffsetUnit = OffsetUnit.CODEPOINT) -> Answer:
    return Answer("en", documents, ["ner"], offsets)


def tagged(*words: str) -> Document:
    document = Document.from_words([words], id="x")
    (sentence,) = document.sentences
    spans = {"ner": (Span(0, 1, "PER", 0.5),)}
    return Document(document.text, (sentence.annotated(tags={"upos": ("X",) * len(words)}, spans=spans),), "x")


def test_json_is_the_answer_shape() -> None:
    body = render("application/json", answer(tagged("😀", "b"), Document(""), offsets=OffsetUnit.UTF16))
    TagAnswer.model_validate_json(body, strict=True)
    assert json.loads(body) == {
        "model": "en",
        "documents": [
            {
                "id": "x",
                "text": "😀 b",
                "sentences": [
                    {
                        "start": 0,
                        "end": 4,
                        "tokens": [
                            {"text": "😀", "start": 0, "end": 2, "upos": "X"},
                            {"text": "b", "start": 3, "end": 4, "upos": "X"},
                        ],
                    }
                ],
                "spans": {
                    "ner": [
                        {
                            "label": "PER",
                            "start": 0,
                            "end": 2,
                            "text": "😀",
                            "sentence": 0,
                            "tokens": [0, 1],
                            "score": 0.5,
                        }
                    ]
                },
            },
            {"id": None, "text": "", "sentences": [], "spans": {"ner": []}},
        ],
    }


@pytest.mark.parametrize("count", [0, 1, 20])
def test_messagepack_says_what_json_says(count: int) -> None:
    asked = answer(*[tagged("😀", "b"), Document("")] * count, offsets=OffsetUnit.UTF8)
    assert msgspec.msgpack.decode(render("application/msgpack", asked)) == json.loads(render("application/json", asked))


def test_nothing_but_one_line() -> None:
    made = tagged("a\n", "\u2028\u0085")
    writer = JsonDocument(made, layers=["ner", "chunk"], offsets=OffsetUnit.CODEPOINT)
    writer.add(made.sentences)
    document = b"".join(writer.finish())
    assert b"\n" not in document
    assert json.loads(document)["spans"].keys() == {"ner", "chunk"}


@pytest.mark.parametrize("form", list(FORMS))
def test_a_body_is_the_same_however_its_sentences_come(form: str) -> None:
    text = "😀 b. Ada met Bo! No?"
    sentences = tuple(
        sentence.annotated(tags={"upos": ("X",) * len(sentence)}, spans={"ner": (Span(0, 1, "PER", 0.25),)})
        for sentence in decode_boundaries(text, "SOTTOSIIOTIIOTITOSIT", {})
    )
    asked = answer(Document(text, sentences, "x"), Document(""), Document(text, sentences), offsets=OffsetUnit.UTF16)
    whole = render(form, asked)
    assert len(sentences) == 3
    assert [render(form, asked, at_once=count) for count in (1, 2)] == [whole] * 2
    if form == "application/json":
        shapes = [document_to_json(document, offsets=OffsetUnit.UTF16) for document in asked.documents]
        shapes[1]["spans"] = {"ner": []}
        assert json.loads(whole) == {"model": "en", "documents": json.loads(json.dumps(shapes))}


def test_json_of_nothing() -> None:
    assert json.loads(render("application/json", answer())) == {"model": "en", "documents": []}


def test_conllu_holds_words_and_entities() -> None:
    (document,) = read_conllu(io.StringIO(render("text/x-conllu", answer(tagged("a", "b"))).decode()), "answer")
    assert document.sentences[0].words == ("a", "b")
    assert document.sentences[0].spans["ner"] == (Span(0, 1, "PER"),)


def test_html_names_the_model() -> None:
    assert b"Tagged by en" in render("text/html", answer(tagged("a")))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/x-conllu", "text/x-conllu"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/html;q=0.2, text/x-conllu;q=0.9", "text/x-conllu"),
        ("image/png, */*;q=0.1", "application/json"),
        ("application/*", "application/json"),
        ("application/msgpack", "application/msgpack"),
        ("application/json;q=0.5, application/x-msgpack", "application/x-msgpack"),
        ("application/json;q=inf", "application/json"),
        ("text/html;q=abc", "text/html"),
        ("text/html;level=1 , , text/x-conllu;q=0.1,", "text/html"),
        ("application/json;q=0, */*", "text/x-conllu"),
        ("", "application/json"),
    ],
)
def test_the_form_that_the_client_likes_best(accept: str, form: str) -> None:
    assert choose_form(accept) == (form, FORMS[form])


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/xml",
        "garbage",
        "*/*;q=0",
        "application/json;q=0",
        "text/html;q=0, application/xml",
        "*/*," * 2_000,
    ],
)
def test_no_form_that_suits(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, text/x-conllu, text/html, application/msgpack"):
        choose_form(accept)


def test_the_one_form_that_there_is() -> None:
    check_accepts("*/*", "application/x-ndjson")
    check_accepts("application/*", "application/x-ndjson")
    with pytest.raises(NotAcceptable, match="expected Accept to allow application/x-ndjson"):
        check_accepts("application/json", "application/x-ndjson")
