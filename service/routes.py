"""The routes: bytes -> request -> documents -> bytes. What they do is done elsewhere."""

import asyncio
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from service.answers import Health, ModelDescription, ModelsAnswer
from service.bodies import read_asked
from service.errors import answer_problem
from service.exchange import AnyRequest, accept_of, read_body, respond, unless_gone, within
from service.huggingface import TokenClassificationRequest
from service.line_tagger import LineTagger
from service.openapi import StreamOperation, TagOperation, TokenClassificationOperation, problems
from service.options import read_options
from service.rendering import Answer, check_accepts, choose_form
from service.schemas import parse_request
from service.served import count_tokens
from service.stopwatch import Stopwatch
from service.stream import NDJSON, TagStream
from service.tools import Tools

_READ_AT_ONCE_BYTES = 10_000
"""What is shorter is read in the event loop: a thread would take longer to be woken than to do it."""


@post(
    "/v1/tag",
    status_code=HTTPStatus.OK,
    operation_id="tag",
    summary="Tag documents now",
    operation_class=TagOperation,
    responses=problems(400, 404, 406, 408, 413, 429, 503),
)
async def tag(
    request: AnyRequest,
    tools: NamedDependency[Tools],
) -> Response[bytes]:
    """Sentences, tokens and every layer of the model, in the order of the documents.

    With `Accept: text/x-conllu` the answer is CoNLL-U, with `text/html` a page, with `application/msgpack` MessagePack.
    A body of type `text/x-conllu` keeps its sentences and words, its comments, and the columns that are not asked for;
    how to tag it, the query says.
    """
    tools.registry.check_ready()
    media_type, make_writer = choose_form(accept_of(request))
    read = partial(
        read_asked,
        media_type=request.content_type[0],
        query=request.query_params.multi_items(),
        model=tools.tag_request,
        max_documents=tools.settings.max_documents,
    )
    body = await read_body(request, tools.settings)
    stopwatch = Stopwatch()

    short = len(body) <= _READ_AT_ONCE_BYTES
    asked = read(body) if short else await unless_gone(request, asyncio.to_thread(read, body))
    documents, options = asked.documents, asked.options
    name = tools.registry.default if options.model is None else options.model
    served = tools.registry.find(name)
    writer = make_writer(Answer(name, documents, served.span_layers(options.tasks), options.unit))
    served.check_room(documents)  # now, for a task of its own would begin when those do that are there already

    async def answer() -> Sequence[bytes]:
        await served.tag_into(documents, writer.add, tasks=options.tasks, stopwatch=stopwatch)
        tokens, lane = count_tokens(documents), served.lane_of(documents)
        written = await served.run(lambda: list(writer.finish()), tokens=tokens, lane=lane)
        stopwatch.lap("respond")
        return written

    written = await unless_gone(request, within(tools.settings.request_timeout_s, answer()))
    return respond(written, media_type=media_type, headers={"Server-Timing": stopwatch.header()})


@post(
    "/v1/tag/stream",
    status_code=HTTPStatus.OK,
    request_max_body_size=None,
    operation_id="tagStream",
    summary="Tag a stream of documents",
    operation_class=StreamOperation,
    responses=problems(400, 404, 406, 503),
)
async def tag_stream(
    request: AnyRequest,
    tools: NamedDependency[Tools],
) -> ASGIApp:
    """One document a line, answered in order while the body is still arriving: read while you send.

    A line that is wrong is answered by what is wrong with it, and the others go on. There is no limit to the length of
    a stream; what arrives faster than it can be answered, or than the answers are read, waits at the client.
    """
    tools.registry.check_ready()
    check_accepts(accept_of(request), NDJSON)
    options = read_options(request.query_params.multi_items())
    name = tools.registry.default if options.model is None else options.model
    tools.registry.find(name).span_layers(options.tasks)
    tagger = LineTagger(
        lambda: tools.registry.find(name),
        options,
        write_problem=lambda error: answer_problem(request, error).content,
        max_line_bytes=tools.settings.max_body_bytes,
        timeout_s=tools.settings.request_timeout_s,
    )
    return TagStream(tagger.answer, write_problem=tagger.problem, settings=tools.settings)


@post(
    "/hf/{model:str}",
    status_code=HTTPStatus.OK,
    operation_id="classifyTokens",
    summary="Entities, as clients of Hugging Face ask for them",
    operation_class=TokenClassificationOperation,
    responses=problems(400, 404, 408, 413, 429, 503),
)
async def classify_tokens(request: AnyRequest, tools: NamedDependency[Tools], model: FromPath[str]) -> Response[bytes]:
    """The token-classification task of Hugging Face: `InferenceClient(model="http://host/hf/en")` works unchanged."""
    served = tools.registry.find(model)
    body = await read_body(request, tools.settings)

    async def answer() -> bytes:
        asked = await asyncio.to_thread(parse_request, body, TokenClassificationRequest)
        documents = asked.to_documents(max_documents=tools.settings.max_documents)
        judged = await served.judge(documents, task=asked.choose_task(served), stopwatch=stopwatch)
        tokens, lane = count_tokens(documents), served.lane_of(documents)
        return await served.run(asked.write_entities, documents, judged, tokens=tokens, lane=lane)

    stopwatch = Stopwatch()
    written = await unless_gone(request, within(tools.settings.request_timeout_s, answer()))
    stopwatch.lap("respond")
    return Response(written, media_type=MediaType.JSON, headers={"Server-Timing": stopwatch.header()})


@get("/v1/models", operation_id="listModels", summary="The models", responses=problems(503), sync_to_thread=False)
def list_models(tools: NamedDependency[Tools]) -> Response[ModelsAnswer]:
    """What is served, with tasks, label sets and scores."""
    return _json(ModelsAnswer(models=tools.registry.describe_all()))


@get(
    "/v1/models/{name:str}",
    operation_id="showModel",
    summary="One model",
    responses=problems(400, 404, 503),
    sync_to_thread=False,
)
def show_model(tools: NamedDependency[Tools], name: FromPath[str]) -> Response[ModelDescription]:
    """One model, by name or alias."""
    return _json(tools.registry.describe(name))


@get("/health/live", operation_id="live", summary="Is the process alive?", sync_to_thread=False)
def live() -> Response[Health]:
    """Answers as long as the process does."""
    return _json(Health(status="live"))


@get(
    "/health/ready", operation_id="ready", summary="Are requests served?", responses=problems(503), sync_to_thread=False
)
def ready(tools: NamedDependency[Tools]) -> Response[Health]:
    """503 until the models are loaded, where one has to be loaded again, and while the service shuts down."""
    tools.registry.check_healthy()
    return _json(Health(status="ready"))


ROUTES = [tag, tag_stream, classify_tokens, list_models, show_model, live, ready]


def _json(answer: Any) -> Response[Any]:
    return Response(answer.model_dump_json(exclude_none=True).encode(), media_type=MediaType.JSON)
