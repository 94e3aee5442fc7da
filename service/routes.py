"""The routes: bytes -> request -> documents -> bytes. What they do is done elsewhere."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath

from service.errors import ClientGone, TookTooLong, TooLarge
from service.openapi import TagOperation, problems
from service.registry import Registry
from service.rendering import Answer, choose_form
from service.schemas import Health, ModelDescription, ModelsAnswer, TagRequest, parse_request
from service.settings import Settings
from service.stopwatch import Stopwatch

_DRAINED_BODIES = 16
"""Of a body over the limit, so many times the limit is read before the connection is closed on its client."""
_DRAIN_TIMEOUT_S = 10.0

AnyRequest = Request[Any, Any, Any]
Result = TypeVar("Result")


@get("/", include_in_schema=False, sync_to_thread=False)
def root() -> dict[str, str]:
    """Where to look next."""
    return {"service": "tagline", "version": version("tagline"), "schema": "/schema", "models": "/v1/models"}


@post(
    "/v1/tag",
    status_code=HTTPStatus.OK,
    operation_id="tag",
    summary="Tag documents now",
    operation_class=TagOperation,
    responses=problems(400, 404, 406, 413, 429, 503),
)
async def tag(
    request: AnyRequest,
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    tag_request: NamedDependency[type[TagRequest]],
) -> Response[bytes]:
    """Sentences, tokens and every layer of the model, in the order of the documents.

    With `Accept: text/x-conllu` the answer is CoNLL-U, with `text/html` a page.
    """
    registry.check_ready()
    media_type, render = choose_form(request.accept)
    body = await _read_body(request, settings)
    stopwatch = Stopwatch()

    async def answer() -> bytes:
        asked = await asyncio.to_thread(parse_request, body, tag_request)
        name = registry.default if asked.model is None else asked.model
        served = registry.find(name)
        documents = await asyncio.to_thread(asked.to_documents)
        tagged = await served.tag(documents, tasks=asked.tasks, stopwatch=stopwatch)
        written = await served.run(render, Answer(name, tagged, served.span_layers(asked.tasks), asked.unit))
        stopwatch.lap("respond")
        return written

    written = await _unless_gone(request, _within(settings.request_timeout_s, answer()))
    return Response(written, media_type=media_type, headers={"Server-Timing": stopwatch.header()})


@get("/v1/models", operation_id="listModels", summary="The models", responses=problems(503), sync_to_thread=False)
def list_models(registry: NamedDependency[Registry]) -> Response[ModelsAnswer]:
    """What is served, with tasks, label sets and scores."""
    return _json(ModelsAnswer(models=registry.describe_all()))


@get(
    "/v1/models/{name:str}",
    operation_id="showModel",
    summary="One model",
    responses=problems(400, 404, 503),
    sync_to_thread=False,
)
def show_model(registry: NamedDependency[Registry], name: FromPath[str]) -> Response[ModelDescription]:
    """One model, by name or alias."""
    return _json(registry.describe(name))


@get("/health/live", operation_id="live", summary="Is the process alive?", sync_to_thread=False)
def live() -> Response[Health]:
    """Answers as long as the process does."""
    return _json(Health(status="live"))


@get(
    "/health/ready", operation_id="ready", summary="Are requests served?", responses=problems(503), sync_to_thread=False
)
def ready(registry: NamedDependency[Registry]) -> Response[Health]:
    """503 until the models are loaded, and again while the service shuts down."""
    registry.check_ready()
    return _json(Health(status="ready"))


ROUTES = [root, tag, list_models, show_model, live, ready]


def _json(answer: Any) -> Response[Any]:
    return Response(answer.model_dump_json(exclude_none=True).encode(), media_type=MediaType.JSON)


async def _read_body(request: AnyRequest, settings: Settings) -> bytes:
    """The body, refused as soon as it is over the limit, announced or not."""
    try:
        return await request.body()
    except RequestEntityTooLarge:
        await _drain(request, _DRAINED_BODIES * settings.max_body_bytes)
        raise TooLarge(f"expected a body of at most {settings.max_body_bytes} bytes") from None
    except InternalServerException:
        raise ClientGone("the client hung up while it was sending") from None


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


async def _within(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise TookTooLong(f"the request took longer than {seconds:g} seconds") from None


async def _unless_gone(request: AnyRequest, work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work, but cancel it when the client hangs up."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client hung up before its answer was there")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: AnyRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
