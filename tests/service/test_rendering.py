import io
import json

import pytest
from litestar.datastructures.headers import Accept

from service.errors import NotAcceptable
from service.rendering import FORMS, Answer, choose_form, render_conllu, render_html, render_json
from service.schemas import TagAnswer
from taggers.document import Document, Span
from taggers.formats.conllu import read_conllu
from taggers.offsets import OffsetUnit


def answer(*documents: Document, offsets: OffsetUnit = OffsetUnit.CODEPOINT) -> Answer:
    return Answer("en", documents, ["ner"], offsets)


def tagged(*words: str) -> Document:
    document = Document.from_words([words], id="x")
    (sentence,) = document.sentences
    spans = {"ner": (Span(0, 1, "PER", 0.5),)}
    return Document(document.text, (sentence.annotated(tags={"upos": ("X",) * len(words)}, spans=spans),), "x")


def test_json_is_the_answer_shape() -> None:
    body = render_json(answer(tagged("😀", "b"), Document(""), offsets=OffsetUnit.UTF16))
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


def test_json_of_nothing() -> None:
    assert json.loads(render_json(answer())) == {"model": "en", "documents": []}


def test_conllu_holds_words_and_entities() -> None:
    (document,) = read_conllu(io.StringIO(render_conllu(answer(tagged("a", "b"))).decode()), "answer")
    assert document.sentences[0].words == ("a", "b")
    assert document.sentences[0].spans["ner"] == (Span(0, 1, "PER"),)


def test_html_names_the_model() -> None:
    assert b"Tagged by en" in render_html(answer(tagged("a")))


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
    ],
)
def test_the_form_that_the_client_likes_best(accept: str, form: str) -> None:
    assert choose_form(Accept(accept)) == (form, FORMS[form])


@pytest.mark.parametrize("accept", ["image/png", "application/msgpack", "garbage"])
def test_no_form_that_suits(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, text/x-conllu, text/html"):
        choose_form(Accept(accept))
