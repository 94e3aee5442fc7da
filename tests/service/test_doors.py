"""Who gets in: with keys, from which origins, and how often."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.answers import Problem
from service.app import create_app
from service.rate import RateLimit
from service.settings import Settings
from tests.service.clients import wait_until_ready

KEYS = ("first-key", "second-key")


def opened(settings: Settings, **changed: Any) -> TestClient[Litestar]:
    return TestClient(create_app(Settings(models=settings.models, **changed)))


@pytest.fixture(scope="module")
def locked(settings: Settings) -> Iterator[TestClient[Litestar]]:
    with opened(settings, api_keys=",".join(KEYS)) as made:
        wait_until_ready(made)
        yield made


def refused(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content, strict=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer first-key"},
        {"Authorization": "bearer   second-key"},
        {"X-API-Key": "second-key"},
        {"Authorization": "Basic abc", "x-api-key": "first-key"},
    ],
)
def test_with_a_key(headers: dict[str, str], locked: TestClient[Litestar]) -> None:
    assert locked.post("/v1/tag", json={"text": "Ada"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer first-ke"},
        {"Authorization": "Bearer first-key,second-key"},
        {"Authorization": "Basic first-key"},
        {"Authorization": "first-key"},
        {"X-API-Key": ""},
        {"X-API-Key": "FIRST-KEY"},
        {"X-API-Key": "\xe9".encode("latin-1")},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/tag"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/tiny"),
        ("POST", "/v1/models/tiny/reload"),
        ("POST", "/hf/tiny"),
        ("GET", "/metrics"),
        ("GET", "/schema"),
        ("GET", "/schema/openapi.json"),
    ],
)
def test_without_one(headers: dict[str, Any], method: str, path: str, locked: TestClient[Litestar]) -> None:
    answer = locked.request(method, path, headers=headers, content=b"{" if method == "POST" else None)
    found = refused(answer, 401)
    assert found.type == "urn:tagline:problem:unauthorized"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tagline"'
    assert "X-Request-ID" in answer.headers
    assert "first" not in answer.text


def test_every_route_but_the_open_ones_is_locked(locked: TestClient[Litestar]) -> None:
    open_paths = set()
    for route in locked.app.routes:
        path = route.path_format.replace("{name}", "tiny").replace("{model}", "tiny")
        for method in getattr(route, "methods", ()):
            if method != "OPTIONS" and locked.request(method, path).status_code != 401:
                open_paths.add(path)
    assert open_paths == {"/", "/page/{file}", "/health/live", "/health/ready"}


@pytest.mark.parametrize(("metrics", "status"), [("open", 200), ("key", 401), ("off", 404)])
def test_metrics_as_it_is_set(metrics: str, status: int, settings: Settings) -> None:
    assert opened(settings, api_keys=KEYS, metrics=metrics).get("/metrics").status_code == status
    assert opened(settings, metrics=metrics).get("/metrics").status_code == (404 if metrics == "off" else 200)


def test_the_schema_tells_of_the_doors_there_are(settings: Settings, client: TestClient[Litestar]) -> None:
    free = client.get("/schema").json()
    assert "security" not in free
    assert "401" not in free["paths"]["/v1/tag"]["post"]["responses"]
    made = (
        opened(settings, api_keys=KEYS, requests_per_minute=100).get("/schema", headers={"X-API-Key": KEYS[0]}).json()
    )
    schemes = made["components"]["securitySchemes"]
    assert made["security"] == [{name: []} for name in schemes]
    assert schemes["key"]["name"] == "X-API-Key"
    for path, operations in made["paths"].items():
        for operation in operations.values():
            is_open = path.startswith("/health")
            assert operation.get("security") == ([] if is_open else None)
            assert ("401" in operation["responses"]) == ("429" in operation["responses"]) == (not is_open)
    assert "TagRequest" in made["components"]["schemas"]


def test_too_many_requests_are_refused_by_client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock stands still: on a busy machine seconds may pass between two requests.
    monkeypatch.setattr("service.doors.RateLimit", partial(RateLimit, clock=lambda: 0.0))
    client = opened(settings, api_keys=KEYS, requests_per_minute=2)
    first, second = ({"X-API-Key": key} for key in KEYS)
    assert [client.get("/schema", headers=first).status_code for _ in range(2)] == [200, 200]
    answer = client.get("/schema", headers=first)
    assert refused(answer, 429).type == "urn:tagline:problem:too-many-requests"
    assert answer.headers["Retry-After"] == "30"
    assert client.get("/schema", headers=second).status_code == 200
    assert client.get("/schema").status_code == 401
    assert {client.get("/health/live").status_code for _ in range(5)} == {200}


def test_without_keys_a_client_is_an_address(settings: Settings) -> None:
    client = opened(settings, requests_per_minute=1)
    assert [client.get("/schema").status_code for _ in range(2)] == [200, 429]


def test_pages_of_other_origins(settings: Settings) -> None:
    origin = "https://example.org"
    client = opened(settings, api_keys=KEYS, cors_origins=f"{origin}, http://localhost:5173")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    preflight = client.options("/v1/tag", headers={"Origin": origin, **asked})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = client.get("/schema", headers={"Origin": origin})
    assert answer.status_code == 401  # which the page may read
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    for other in ("https://example.org.evil.com", "https://evil.com", "null", "https://exampleXorg"):
        assert client.options("/v1/tag", headers={"Origin": other, **asked}).status_code == 400
        assert "Access-Control-Allow-Origin" not in client.get("/health/live", headers={"Origin": other}).headers


def test_no_other_origin_unless_it_is_set(client: TestClient[Litestar], settings: Settings) -> None:
    answer = client.get("/health/live", headers={"Origin": "https://example.org"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    anywhere = opened(settings, cors_origins="*").get("/health/live", headers={"Origin": "https://example.org"})
    assert anywhere.headers["Access-Control-Allow-Origin"] == "*"
