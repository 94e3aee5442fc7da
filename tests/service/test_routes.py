"""The service through HTTP: every row of the interface's table of errors, texts of every kind, and many at once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from litestar import Litestar
from litestar.testing import TestClient

from service.answers import ModelsAnswer, Problem, TagAnswer
from service.app import create_app
from service.settings import Settings
from taggers.labeler import Labeler
from tests import strategies
from tests.service.clients import HANGS_UP, body_of, client_of, post_straight, running, tag, with_service
from tests.service.offset_checks import check_offsets

TEXT = "Ada Lovelace wrote to Babbage in London."


def problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content, strict=True)
    assert found.status == status
    return found


def tagged(answer: httpx.Response) -> TagAnswer:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return TagAnswer.model_validate_json(answer.content, strict=True)


def settings_with(settings: Settings, **changed: Any) -> Settings:
    return settings.model_copy(update=changed)


# What is answered


def test_documents_come_back_in_order_with_every_layer(client: TestClient[Litestar]) -> None:
    body = {"documents": [{"id": "a", "text": TEXT}, {"id": "b", "tokens": [["Already", "split", "words", "."]]}]}
    answer = client.post("/v1/tag", json=body)
    found = tagged(answer)
    assert found.model == "tiny"
    first, second = found.documents
    assert (first.id, first.text, second.id, second.text) == ("a", TEXT, "b", "Already split words .")
    (sentence,) = second.sentences
    assert [(token.text, token.start, token.end) for token in sentence.tokens] == [
        ("Already", 0, 7),
        ("split", 8, 13),
        ("words", 14, 19),
        (".", 20, 21),
    ]
    for token in sentence.tokens:
        assert token.upos
        assert token.xpos
        assert token.lemma
        assert token.feats is not None
    assert set(first.spans) == {"ner"}
    assert all(span.score is not None and 0 <= span.score <= 1 for span in first.spans["ner"])


def test_short_form_and_choice_of_model_and_tasks(client: TestClient[Litestar]) -> None:
    found = tagged(client.post("/v1/tag", json={"text": TEXT, "model": "tiny", "tasks": ["upos"]}))
    (document,) = found.documents
    assert document.id is None
    assert document.spans == {}
    for token in document.sentences[0].tokens:
        assert token.model_fields_set == {"text", "start", "end", "upos"}


def test_where_the_time_went(client: TestClient[Litestar]) -> None:
    timing = client.post("/v1/tag", json={"text": TEXT}).headers["Server-Timing"]
    assert [part.split(";")[0] for part in timing.split(", ")] == ["segment", "queue", "compute", "respond"]


def test_a_body_without_a_content_type_is_json(client: TestClient[Litestar]) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl -d says
    assert tagged(client.post("/v1/tag", content=json.dumps({"text": TEXT}), headers=form))
    assert tagged(client.post("/v1/tag", content=json.dumps({"text": TEXT})))


def test_conllu_and_html_by_accept(client: TestClient[Litestar]) -> None:
    body = {"documents": [{"id": "d", "tokens": [["<Ada>", "wrote"]]}]}
    conllu = client.post("/v1/tag", json=body, headers={"Accept": "text/x-conllu"})
    assert conllu.headers["content-type"] == "text/x-conllu; charset=utf-8"
    assert "# newdoc id = d" in conllu.text
    assert "\n1\t<Ada>\t" in conllu.text
    page = client.post("/v1/tag", json=body, headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;Ada&gt;" in page.text
    assert "<Ada>" not in page.text
    found = problem(client.post("/v1/tag", json=body, headers={"Accept": "image/png"}), 406)
    assert "text/x-conllu" in found.detail


def test_models_are_listed_and_shown(client: TestClient[Litestar]) -> None:
    (model,) = ModelsAnswer.model_validate_json(client.get("/v1/models").content, strict=True).models
    assert (model.name, model.default, model.language) == ("tiny", True, "en")
    assert client.get("/v1/models/tiny").json() == client.get("/v1/models").json()["models"][0]
    assert problem(client.get("/v1/models/none"), 404).detail == "unknown model 'none'; there are: tiny"


def test_health(client: TestClient[Litestar]) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}


# What is refused


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/tag/x", "/v1/models/a/b", "/schema/x"])
def test_unknown_path(path: str, client: TestClient[Litestar]) -> None:
    assert path in problem(client.get(path), 404).detail


def test_wrong_method(client: TestClient[Litestar]) -> None:
    answer = client.get("/v1/tag")
    assert "does not take GET" in problem(answer, 405).detail
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"text": 1, "x": 1}, ["text", "x"]),
        ({"documents": [{"text": "a", "tokens": [["a"]]}]}, ["documents.0"]),
        ({"documents": [{"tokens": [["a"], []]}]}, ["documents.0.tokens.1"]),
        ({"documents": [{"tokens": [["a", " "]]}]}, ["documents.0.tokens.0.1"]),
        ({}, [""]),
    ],
)
def test_bad_fields_are_named(body: object, paths: list[str], client: TestClient[Litestar]) -> None:
    found = problem(client.post("/v1/tag", json=body), 400)
    assert [field.path for field in found.errors or ()] == paths


@pytest.mark.parametrize("body", [b"", b"{", b'{"text": "\xff"}', rb'{"text": "\ud800"}', rb'{"text": "\udfff\ud83d"}'])
def test_malformed_json_and_what_is_not_unicode(body: bytes, client: TestClient[Litestar]) -> None:
    assert problem(client.post("/v1/tag", content=body), 400).detail.startswith("malformed JSON")


def test_unknown_model_and_task_name_those_there_are(client: TestClient[Litestar]) -> None:
    found = problem(client.post("/v1/tag", json={"text": "a", "model": "xx"}), 404)
    assert found.detail == "unknown model 'xx'; there are: tiny"
    found = problem(client.post("/v1/tag", json={"text": "a", "tasks": ["upos", "xx"]}), 400)
    assert found.detail == "unknown task 'xx'; this model has: feats, lemma, ner, upos, xpos"
    assert [field.path for field in found.errors or ()] == ["tasks"]


def test_body_over_the_limit_is_refused_announced_or_not(settings: Settings) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    async def scenario(client: httpx.AsyncClient) -> None:
        announced = await client.post("/v1/tag", content=b" " * 1001)
        assert problem(announced, 413).detail == "expected a body of at most 1000 bytes"
        chunked = await client.post("/v1/tag", content=in_pieces())
        assert "content-length" not in chunked.request.headers
        assert problem(chunked, 413).detail == "expected a body of at most 1000 bytes"
        assert tagged(await tag(client, text="a" * 900))

    with_service(settings_with(settings, max_body_bytes=1000), scenario)


def test_too_many_documents_name_the_limit(settings: Settings) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        assert "at most 2 documents" in problem(await tag(client, documents=[{"text": "a"}] * 3), 413).detail
        assert tagged(await tag(client, documents=[{"text": "a"}] * 2))

    with_service(settings_with(settings, max_documents=2), scenario)


def test_full_queue_says_when_to_come_back_and_drops_nothing(settings: Settings) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        text = "word " * 4_000  # more than the queue holds, so that one gets in alone
        answers = await asyncio.gather(*(tag(client, text=text) for _ in range(3)))
        accepted, *refused = sorted(answers, key=lambda answer: answer.status_code)
        assert tagged(accepted)
        for answer in refused:
            assert problem(answer, 429).type == "urn:tagline:problem:queue-full"
            assert int(answer.headers["Retry-After"]) >= 1
        assert tagged(await tag(client, text="now there is room"))

    with_service(settings_with(settings, max_queue_tokens=100), scenario)


def test_request_over_its_time_limit(settings: Settings) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        found = problem(await tag(client, text="word " * 4_000), 503)
        assert found.type == "urn:tagline:problem:took-too-long"
        assert found.detail == "the request took longer than 0.01 seconds"

    with_service(settings_with(settings, request_timeout_s=0.01), scenario)


def test_not_loaded_yet_and_shutting_down(settings: Settings) -> None:
    async def scenario() -> None:
        app = create_app(settings)
        async with client_of(app) as client:
            for answer in (
                await tag(client, text="a"),
                await client.get("/v1/models"),
                await client.get("/health/ready"),
            ):
                assert "still loading" in problem(answer, 503).detail
            assert (await client.get("/health/live")).status_code == 200
            async with app.lifespan():
                while (await client.get("/health/ready")).status_code != 200:
                    await asyncio.sleep(0.01)
            assert "shutting down" in problem(await tag(client, text="a"), 503).detail
            assert problem(await client.get("/health/ready"), 503)

    asyncio.run(scenario())


def test_a_model_that_cannot_segment_says_so(tmp_path: Path) -> None:
    from taggers.checkpoint import Model, save_model
    from tests.tiny import tiny_model

    made = tiny_model()
    manifest = made.manifest.model_copy(update={"segmenter": None})
    save_model(tmp_path / "bare", Model(manifest, made.tagger, segmenter=None))

    async def scenario(client: httpx.AsyncClient) -> None:
        assert "no segmenter" in problem(await tag(client, text="a"), 400).detail
        assert tagged(await tag(client, documents=[{"tokens": [["a"]]}]))

    with_service(Settings(models=(str(tmp_path / "bare"),)), scenario)


# Texts of every kind

NASTY = {
    "empty": "",
    "white space": " \t\n\r\n\u00a0\u3000 ",
    "emoji": "😀👩‍👩‍👧‍👦🇩🇪" * 20,
    "controls": "a\0b\x01\x1b[31m \x7f\x85 c\u2028d",
    "noncharacters": "\ufffe\uffff \U0010ffff",
    "bidi and zero width": "\u202eabc\u202c \u200b\u200d\ufeff x",
    "combining": "e\u0301" * 50 + " " + "a" + "\u0300" * 300,
    "one long word": "a" * 3_000,
    "no spaces": "漢字かな交じり文" * 200,
    "line ends": "a\rb\nc\r\nd",
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
@pytest.mark.parametrize("accept", ["application/json", "text/x-conllu", "text/html"])
def test_any_text_has_an_answer(text: str, accept: str, client: TestClient[Litestar]) -> None:
    answer = client.post("/v1/tag", json={"text": text}, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    if accept == "application/json":
        check_offsets(tagged(answer), [text], "codepoint")


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
@pytest.mark.parametrize("text", ["Ada 😀 wrote e\u0301te\u0301 👩‍👩‍👧 in \U0001d50fondon. x", *NASTY.values()])
def test_offsets_in_every_unit(text: str, unit: str, client: TestClient[Litestar]) -> None:
    check_offsets(tagged(client.post("/v1/tag", json={"text": text, "offsets": unit})), [text], unit)


@hypothesis_settings(max_examples=50)
@given(strategies.texts())
def test_offsets_point_into_any_text(client: TestClient[Litestar], text: str) -> None:
    for unit in ("codepoint", "utf16", "utf8"):
        check_offsets(tagged(client.post("/v1/tag", json={"text": text, "offsets": unit})), [text], unit)


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, ("Ada wrote." + " " * 200) * 5_000],
    ids=["a word of 100,000 characters", "a megabyte"],  # mostly white space, as random weights find many sentences
)
def test_big_texts_in_one_request(text: str, client: TestClient[Litestar]) -> None:
    check_offsets(tagged(client.post("/v1/tag", json={"text": text})), [text], "codepoint")


def test_nothing_is_answered_with_nothing(client: TestClient[Litestar]) -> None:
    assert tagged(client.post("/v1/tag", json={"documents": []})).documents == []
    (document,) = tagged(client.post("/v1/tag", json={"documents": [{"tokens": []}]})).documents
    assert (document.text, document.sentences, document.spans) == ("", [], {"ner": []})


# Many at once


def test_needle_has_the_same_tags_alone_and_under_load(settings: Settings) -> None:
    rng = random.Random(0)
    words = ["Ada", "Lovelace", "London", "cats", "were", "sleeping", ".", "!", "😀", "antidisestablishmentarianism"]

    async def scenario(client: httpx.AsyncClient) -> None:
        alone = comparable(tagged(await tag(client, text=TEXT)))
        noise = [tag(client, text=" ".join(rng.choices(words, k=rng.randint(0, 60)))) for _ in range(60)]
        needles = [tag(client, documents=[{"text": TEXT}, {"text": "x"}]) for _ in range(15)]
        requests = [*noise, *needles]
        rng.shuffle(requests)
        answers = await asyncio.gather(*requests)
        found = [comparable(tagged(answer))[:1] for answer in answers if len(tagged(answer).documents) == 2]
        assert found == [alone] * 15

    with_service(settings_with(settings, max_batch_tokens=300), scenario)


def comparable(answer: TagAnswer) -> list[Any]:
    """The documents without scores, which may differ in the last bits."""
    return [
        document.model_dump(exclude={"spans": {"ner": {"__all__": {"score"}}}, "id": True})
        for document in answer.documents
    ]


def test_a_failure_is_its_own_requests_and_says_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Labeler.prepare

    def fail_on_poison(self: Labeler, chunks: Any) -> Any:
        if any("poison" in chunk.forms for chunk in chunks):
            raise RuntimeError("secret")
        return whole(self, chunks)

    async def scenario(client: httpx.AsyncClient) -> None:
        monkeypatch.setattr(Labeler, "prepare", fail_on_poison)
        bodies = [{"documents": [{"tokens": [["poison" if number == 5 else "word"]]}]} for number in range(10)]
        answers = await asyncio.gather(*(tag(client, **body) for body in bodies))
        found = problem(answers.pop(5), 500)
        assert "secret" not in found.model_dump_json()
        assert all(map(tagged, answers))
        assert tagged(await tag(client, text="the next one"))

    with_service(settings, scenario)
    assert "RuntimeError: secret" in caplog.text


def test_a_client_that_hangs_up_costs_nobody_anything(settings: Settings) -> None:
    async def scenario() -> None:
        async with running(settings) as app, client_of(app) as client:
            for messages in ([body_of(text="word " * 2_000), HANGS_UP], [HANGS_UP]):
                sent = await post_straight(app, *messages)
                assert sent[0]["status"] == 499
            assert tagged(await tag(client, text=TEXT))

    asyncio.run(scenario())
