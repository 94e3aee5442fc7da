"""The id of a request: the client's own if it sent one, and in every answer, so that both sides' logs can be joined."""

import re
from uuid import uuid4

from litestar.types import Scope

HEADER = "X-Request-ID"

_ALLOWED = re.compile(rb"[!-~]{1,128}")
"""Visible ASCII, so that it does no harm in a log or a header."""


def request_id(scope: Scope) -> str:
    """The id of the request of an ASGI scope, the same however often it is asked for."""
    state = scope["state"]
    if HEADER not in state:
        sent = next((value for name, value in scope["headers"] if name == HEADER.lower().encode()), b"")
        state[HEADER] = sent.decode() if _ALLOWED.fullmatch(sent) else uuid4().hex
    found: str = state[HEADER]
    return found
