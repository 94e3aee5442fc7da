"""``/schema`` describes what there is: every route, the requests, and the answers that really come."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from service.bodies import MESSAGEPACK
from service.openapi import problems
from service.rendering import FORMS
from service.stream import NDJSON


@pytest.fixture(scope="module")
def schema(client: TestClient[Litestar]) -> dict[str, Any]:
    answer = client.get("/schema")
    assert answer.headers["content-type"] == "application/json"
    assert client.get("/schema/openapi.json").content == answer.content
    found: dict[str, Any] = answer.json()
    return found


def references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_it_is_openapi_3_1_and_lists_every_route(schema: dict[str, Any], client: TestClient[Litestar]) -> None:
    assert schema["openapi"].startswith("3.1")
    listed = {(path, method.upper()) for path, methods in schema["paths"].items() for method in methods}
    made = {
        (route.path_format, str(method))
        for route in client.app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if handler.resolve_include_in_schema()
    }
    assert listed == made


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    found = references(schema)
    assert "#/components/schemas/TagRequest" in found
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert found <= known


def test_request_is_described_with_its_limits(schema: dict[str, Any]) -> None:
    request = schema["components"]["schemas"]["TagRequest"]
    assert request["additionalProperties"] is False
    assert request["oneOf"] == [{"required": ["documents"]}, {"required": ["text"]}]
    assert request["properties"]["documents"]["anyOf"][0]["maxItems"] == 1000
    assert request["properties"]["offsets"]["enum"] == ["codepoint", "utf16", "utf8"]
    body = schema["paths"]["/v1/tag"]["post"]["requestBody"]
    assert body["required"]
    conllu = body["content"].pop("text/x-conllu")
    assert conllu == {"schema": {"type": "string"}}
    assert set(body["content"]) == {"application/json", *MESSAGEPACK}
    for form in body["content"].values():
        assert form == {"schema": {"$ref": "#/components/schemas/TagRequest"}}


def test_answers_are_described_in_every_form(schema: dict[str, Any]) -> None:
    responses = schema["paths"]["/v1/tag"]["post"]["responses"]
    assert set(responses) == {"200", "400", "404", "406", "408", "413", "429", "503"}
    assert set(responses["200"]["content"]) == set(FORMS)
    for path in schema["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert set(response["content"]) == {"application/problem+json"}


def test_streams_are_described(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/v1/tag/stream"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["model", "tasks", "offsets"]
    assert {parameter["in"] for parameter in operation["parameters"]} == {"query"}
    assert operation["parameters"][2]["schema"]["enum"] == ["codepoint", "utf16", "utf8"]
    assert set(operation["requestBody"]["content"]) == set(operation["responses"]["200"]["content"]) == {NDJSON}
    assert references(operation) == {
        f"#/components/schemas/{name}" for name in ("RequestDocument", "AnsweredDocument", "LineProblem", "Problem")
    }


def test_problems_are_of_known_statuses() -> None:
    assert set(problems(400, 503)) == {400, 503}
    with pytest.raises(KeyError):
        problems(418)


def test_examples_work(schema: dict[str, Any], client: TestClient[Litestar]) -> None:
    for example in schema["components"]["schemas"]["TagRequest"]["examples"]:
        example.pop("model", None)  # the tiny one has another name
        assert client.post("/v1/tag", json=example).status_code == 200
    for example in schema["components"]["schemas"]["TokenClassificationRequest"]["examples"]:
        assert client.post("/hf/tiny", json=example).status_code == 200


def test_no_page_from_elsewhere(client: TestClient[Litestar]) -> None:
    answer = client.get("/schema/swagger")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
