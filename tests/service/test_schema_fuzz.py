"""Requests made from ``/schema``, such as it allows and such as it forbids: every answer is one that it describes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, seed
from hypothesis import settings as hypothesis_settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import Case, CheckFunction, DeserializationContext, GenerationMode, Response, SerializationContext
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error
from schemathesis.schemas import APIOperation

from service.app import create_app
from service.bodies import MESSAGEPACK
from service.settings import Settings
from service.stream import NDJSON
from tests.service.clients import wait_until_ready

EXAMPLES = 12
WITH_BODY = ["/v1/tag", "/v1/tag/stream", "/hf/{model}", "/v1/models/{name}/reload", "/v1/jobs"]

load_all_checks()
CONFORMANCE: list[CheckFunction] = [
    not_a_server_error,
    *CHECKS.get_by_names(
        [
            "status_code_conformance",
            "content_type_conformance",
            "response_headers_conformance",
            "response_schema_conformance",
        ]
    ),
]


@schemathesis.serializer(*MESSAGEPACK)
def as_messagepack(context: SerializationContext, value: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:  # an integer past 64 bits
        reject()


@schemathesis.serializer(NDJSON)
def as_line(context: SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(NDJSON)
def of_line(context: DeserializationContext, response: Response) -> Any:
    (line,) = response.content.splitlines()
    return json.loads(line)


@schemathesis.deserializer(*MESSAGEPACK)
def of_messagepack(context: DeserializationContext, response: Response) -> Any:
    return msgspec.msgpack.decode(response.content)


@pytest.fixture(scope="module")
def service(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    """A client of a service of its own, as requests may reload its model and begin jobs."""
    own = settings.model_copy(update={"jobs_folder": tmp_path_factory.mktemp("jobs")})
    with TestClient(create_app(own), raise_server_exceptions=False) as made:
        wait_until_ready(made)
        yield made


@pytest.fixture(scope="module")
def operations(service: TestClient[Litestar]) -> Mapping[str, APIOperation]:
    """The operations by their method and path."""
    described = _with_known_names(service.get("/schema").json())
    made = [result.ok() for result in schemathesis.openapi.from_dict(described).get_all_operations()]
    return {operation.label: operation for operation in made}


def _with_known_names(part: Any) -> Any:
    """The document in which every name of a model is one of two, or else no request would get beyond it."""
    if isinstance(part, list):
        return [_with_known_names(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _with_known_names(value) for key, value in part.items()}
    if made.get("name") in ("name", "model") and "in" in made:
        made["schema"] = {"enum": ["tiny", "none"]}
    if "offsets" in made and "model" in made:
        made["model"] = {"enum": ["tiny", None]}
        made["tasks"] = {"type": "array", "items": {"enum": ["upos", "feats", "ner"]}}
    return made


def try_all(client: TestClient[Litestar], operation: APIOperation, mode: GenerationMode, *checks: CheckFunction) -> int:
    """Send requests made for an operation; how many of them were accepted."""
    accepted = 0

    @seed(1)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        nonlocal accepted
        asked = case.as_transport_kwargs(base_url="http://test")
        asked["content"] = asked.pop("data", None)  # names of requests in the words of httpx
        del asked["cookies"]
        answer = client.request(**asked, follow_redirects=False)
        accepted += answer.is_success
        case.validate_response(answer, checks=[*CONFORMANCE, *checks])

    send()
    return accepted


@pytest.mark.parametrize("path", WITH_BODY)
def test_bodies_as_they_should_be(path, operations, service) -> None:
    accepted = try_all(service, operations[f"POST {path}"], GenerationMode.POSITIVE)
    assert accepted or path == "/v1/jobs"


@pytest.mark.parametrize("path", WITH_BODY)
def test_bodies_as_they_should_not_be(path, operations, service) -> None:
    # A stream answers each line for itself, and so has no status left for one that is bad; beside a body of JSON or
    # MessagePack the query of /v1/tag is not read.
    refused = [] if path.startswith("/v1/tag") else CHECKS.get_by_names(["negative_data_rejection"])
    try_all(service, operations[f"POST {path}"], GenerationMode.NEGATIVE, *refused)


def test_requests_without_a_body(operations, service) -> None:
    others = [operation for operation in operations.values() if not operation.body]
    assert len(others) == len(operations) - len(WITH_BODY)
    for operation in others:
        try_all(service, operation, GenerationMode.POSITIVE)
