"""Hostile texts and bodies: each is answered with exact offsets and nothing lost, or refused by a problem document."""

import json

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.answers import Problem, TagAnswer
from tests.service import hostile
from tests.service.offset_checks import check_offsets


def answer_or_problem(client: TestClient[Litestar], path: str, body: bytes, media_type: str) -> bytes | None:
    """What a request is answered with; None if it is refused."""
    answer = client.post(path, content=body, headers={"Content-Type": media_type})
    said = (answer.status_code, media_type[:50], body[:60])
    if answer.status_code == 200:
        return answer.content
    assert 400 <= answer.status_code < 500, said
    assert answer.headers["content-type"] == "application/problem+json", said
    problem = Problem.model_validate_json(answer.content, strict=True)
    assert problem.status == answer.status_code, said
    assert len(answer.content) < 10_000, said
    return None


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "utf8"])
def test_texts_have_exact_offsets_in_every_unit(unit: str, client: TestClient[Litestar]) -> None:
    texts = list(hostile.texts())
    assert len("".join(texts)) > 100_000
    answer = client.post("/v1/tag", json={"documents": [{"text": text} for text in texts], "offsets": unit})
    assert answer.status_code == 200, answer.text
    check_offsets(TagAnswer.model_validate_json(answer.content, strict=True), texts, unit)


def test_bodies_are_answered_or_refused(client: TestClient[Litestar]) -> None:
    accepted = refused = 0
    for body, media_type in hostile.bodies():
        content = answer_or_problem(client, "/v1/tag", body, media_type)
        refused += content is None
        if content is not None:
            accepted += 1
            answer = TagAnswer.model_validate_json(content, strict=True)
            check_offsets(answer, [document.text for document in answer.documents], "codepoint")
    assert accepted > 10
    assert refused > 100


def test_bodies_for_clients_of_hugging_face(client: TestClient[Litestar]) -> None:
    for body, media_type in hostile.bodies():
        content = answer_or_problem(client, "/hf/tiny", body.replace(b'"text"', b'"inputs"'), media_type)
        assert content is None or isinstance(json.loads(content), list)


def test_bodies_as_streams(client: TestClient[Litestar]) -> None:
    for body, media_type in hostile.bodies():
        content = answer_or_problem(client, "/v1/tag/stream", body, media_type)
        assert content is not None
        lines = [json.loads(line) for line in content.splitlines()]
        asked = [line for line in body.split(b"\n") if line.strip()]
        assert len(lines) == len(asked), (media_type[:50], body[:60])
        for line in lines:
            assert 400 <= line.get("status", 400) < 500, (media_type[:50], body[:60])
