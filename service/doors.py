"""Doors: who may come in (API keys), from which pages (CORS), and how often (rate limit). All are open by default."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from math import ceil
from typing import Any

from litestar.config.cors import CORSConfig
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from service.errors import PROBLEM_JSON, TooManyRequests, Unauthorized
from service.rate import RateLimit
from service.request_id import HEADER
from service.settings import Settings

_OPEN_ROUTES = frozenset({"/", "/page/{file}", "/health/live", "/health/ready"})
"""What orchestrators and people see without a key, and what no rate limit counts."""
_METRICS = "/metrics"
_KEY_HEADER = "X-API-Key"
_CLIENT = "tagline_client"


class Doors(ASGIMiddleware):
    """Lets in who has a key and does not come too often; it is within CORS, whose preflight requests carry no key."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self._open_routes = open_routes(settings)
        self._keys = [_digest(key.get_secret_value().encode()) for key in settings.api_keys]
        limit = settings.requests_per_minute
        self._rate = None if limit is None else RateLimit(per_minute=limit)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Go on with a request, or refuse it."""
        if scope["path_template"] not in self._open_routes:
            self._check_rate(self._check_client(scope))
        await next_app(scope, receive, send)

    def _check_client(self, scope: Scope) -> str:
        """Who it is: the holder of a key, or an address where there are no keys."""
        if not self._keys:
            client = scope.get("client")
            return client[0] if client else "unknown"
        given = [_digest(key) for key in _given_keys(scope["headers"])]
        # All are compared, to the end, so that the time tells nothing.
        found = [any([compare_digest(known, one) for one in given]) for known in self._keys]  # noqa: C419
        if not any(found):
            raise Unauthorized("the API key is not known" if given else "expected an API key")
        holder = self._keys[found.index(True)].hex()
        scope["state"][_CLIENT] = holder
        return holder

    def _check_rate(self, client: str) -> None:
        wait = self._rate.take(client) if self._rate is not None else 0.0
        if wait:
            raise TooManyRequests("too many requests in a minute", retry_after_s=ceil(wait))


def client_of(scope: Scope) -> str | None:
    """Which client it is, by a digest of its key; None where there are no keys."""
    found: str | None = scope["state"].get(_CLIENT)
    return found


def open_routes(settings: Settings) -> frozenset[str]:
    """The routes that stand open whatever doors there are."""
    return _OPEN_ROUTES | {_METRICS} if settings.metrics == "open" else _OPEN_ROUTES


def cors_config(settings: Settings) -> CORSConfig | None:
    """From which pages of others browsers may ask."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", _KEY_HEADER, HEADER],
        expose_headers=["Retry-After", "Server-Timing", HEADER],
    )


def describe_doors(schema: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a service with the doors that it has."""
    described = dict(schema)
    refusals = {}
    if settings.api_keys:
        schemes = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": _KEY_HEADER},
        }
        described["components"] = {**schema["components"], "securitySchemes": schemes}
        described["security"] = [{name: []} for name in schemes]
        refusals["401"] = _refusal("There is no API key, or it is not known")
    if settings.requests_per_minute is not None:
        refusals["429"] = _refusal("Too many requests in a minute; Retry-After says when to come back")
    described["paths"] = {
        path: {
            method: _without_doors(operation)
            if path in open_routes(settings)
            else {**operation, "responses": {**refusals, **operation["responses"]}}
            for method, operation in operations.items()
        }
        for path, operations in schema["paths"].items()
    }
    return described


def _without_doors(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {**operation, "security": []}


def _refusal(description: str) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def _given_keys(headers: Iterable[tuple[bytes, bytes]]) -> Sequence[bytes]:
    given = []
    for name, value in headers:
        if name == _KEY_HEADER.lower().encode():
            given.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                given.append(key.strip())
    return given


def _digest(key: bytes) -> bytes:
    """Of equal length for every key, as a comparison in constant time wants them."""
    return sha256(key).digest()
