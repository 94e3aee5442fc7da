"""What a handler does with its client: body within its limit, work within the time limit, hang-ups noticed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.response import Stream

from service.errors import CameTooSlowly, ClientGone, NotReady, TookTooLong, TooLarge
from service.settings import Settings

_DRAINED_BODIES = 16
"""Of a body over the limit, so many times the limit is read before the connection is closed on its client."""
_DRAIN_TIMEOUT_S = 10.0
_JOINED_BYTES = 100_000

AnyRequest = Request[Any, Any, Any]
Result = TypeVar("Result")


def accept_of(request: AnyRequest) -> str:
    """The forms of an answer that the client takes; any, if it says nothing."""
    return ", ".join(request.headers.getall("Accept", ["*/*"]))


async def read_body(request: AnyRequest, settings: Settings) -> bytes:
    """The body, refused as soon as it is over the limit, announced or not.

    Raises:
        TooLarge: It is over the limit.
        ClientGone: The client hung up before it was there.
        CameTooSlowly: It was not there within the time limit.
        NotReady: The server has no more time for it.
    """
    seconds = settings.request_timeout_s
    try:
        return await within(seconds, request.body())
    except TookTooLong:
        raise CameTooSlowly(f"expected the whole body within {seconds:g} seconds") from None
    except RequestEntityTooLarge:
        await _drain(request, _DRAINED_BODIES * settings.max_body_bytes)
        raise TooLarge(f"expected a body of at most {settings.max_body_bytes} bytes") from None
    except InternalServerException:
        raise ClientGone("the client hung up while it was sending") from None
    except asyncio.CancelledError:
        raise NotReady("the service is shutting down, and the body has not arrived") from None


async def within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work, but give it up after so many seconds.

    Raises:
        TookTooLong: It was given up.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
    finally:
        del limit  # it holds the task; see unless_gone
    raise TookTooLong(f"the request took longer than {seconds:g} seconds")


async def unless_gone(request: AnyRequest, work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work, but cancel it when the client hangs up.

    Raises:
        ClientGone: The client hung up.
        NotReady: The server has no more time for it.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client hung up before its answer was there")
        return working.result()
    except asyncio.CancelledError:
        raise NotReady("the service is shutting down, and the request would have taken too long") from None
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
        # The error of a task holds this frame, which would hold the task. Such circles are left to the garbage
        # collector, which stops everybody for as long as it takes to look through all there is.
        del work, working, leaving


def respond(pieces: Iterable[bytes], *, media_type: str, headers: Mapping[str, str]) -> Response[Any]:
    """An answer whose body is there in pieces: a long one is sent and forgotten piece by piece."""
    body = deque(pieces)
    size = sum(map(len, body))
    if size <= _JOINED_BYTES:
        return Response(b"".join(body), media_type=media_type, headers=dict(headers))
    return Stream(_forget(body), media_type=media_type, headers={**headers, "Content-Length": str(size)})


async def _forget(body: deque[bytes]) -> AsyncIterator[bytes]:
    while body:
        yield body.popleft()


async def _drain(request: AnyRequest, max_bytes: int) -> None:
    """Read on and throw away, within limits: most clients look for an answer only when all they have is sent."""
    drained = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while drained < max_bytes:
                message = await request.receive()
                if message["type"] != "http.request" or not message["more_body"]:
                    return
                drained += len(message["body"])


async def _disconnected(request: AnyRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
