"""HEAD: the answer to a GET without its body (RFC 9110, 9.3.2), for monitors that only look whether all is well."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """A layer around the service, which itself knows no HEAD.

    Args:
        app: The service.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        as_get: Scope = {**scope, "method": "GET"}  # the server's own says HEAD
        await self._app(as_get, receive, send_without_body)
