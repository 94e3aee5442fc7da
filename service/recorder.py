"""Recorder: around every request, whatever becomes of it, to count it and to write its line into the log."""

from http import HTTPMethod
from time import perf_counter

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from service.account import open_account
from service.logs import log_request
from service.metrics import Metrics
from service.request_id import request_id

_UNMATCHED = "unmatched"
"""The route of requests that no route takes: a client's own paths are no labels, as there is no end of them."""
_METHODS: frozenset[str] = frozenset(HTTPMethod)
"""Nor are its own methods."""


class Recorder:
    """The outermost layer of the service.

    Args:
        app: All the rest.
        metrics: What it tells of requests.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, then tell of it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        account = open_account()
        started = perf_counter()
        status = 500  # unless an answer begins

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics = self._metrics
        metrics.in_progress.inc()
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            seconds = perf_counter() - started
            route = scope.get("path_template") or _UNMATCHED
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            metrics.in_progress.dec()
            metrics.requests.labels(route, method, status).inc()
            metrics.request_seconds.labels(route).observe(seconds)
            for kind, count in account.problems.items():
                metrics.errors.labels(kind).inc(count)
            log_request(
                account, id=request_id(scope), method=method, route=route, status=status, milliseconds=seconds * 1000
            )
