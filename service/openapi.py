"""``/schema``: the OpenAPI document, 3.1, as JSON. No page that would load scripts from elsewhere.

litestar describes the routes; what bodies look like is said by pydantic itself, which knows its models best.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from litestar import MediaType, Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.answers import Health, LineProblem, ModelDescription, ModelsAnswer, Problem, TagAnswer
from service.bodies import CONLLU, MESSAGEPACK
from service.errors import PROBLEM_JSON
from service.huggingface import Entity, TokenClassificationRequest
from service.jobs.schemas import JobAnswer, JobFromSource, JobsAnswer
from service.rendering import FORMS
from service.schemas import ReloadRequest, TagOptions, TagRequest
from service.stream import NDJSON

Amend = Callable[[dict[str, Any]], dict[str, Any]]
"""The document -> the document with something more."""

_PROBLEMS = {
    400: "The request is malformed; each bad field is named with its path",
    403: "The address may not be read",
    404: "There is no such model, or no such job",
    406: "No form of the answer suits Accept",
    408: "The request did not arrive within the time limit",
    409: "The model is being loaded already, or the job is not over",
    410: "The files of the job were lost",
    413: "The body or the number of documents is over its limit, which the detail names",
    415: "The body is a form, or of an unknown Content-Encoding",
    422: "The model's folder is damaged; the old model goes on",
    429: "The queue is full; Retry-After says when to come back",
    503: "Not loaded yet, shutting down, over the time limit, or jobs, or what they are to read, cannot be reached",
    507: "The disk is full",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem documents that a route may answer with."""
    return {
        status: ResponseSpec(Problem, description=_PROBLEMS[status], media_type=PROBLEM_JSON, generate_examples=False)
        for status in statuses
    }


def query_parameters(model: type[BaseModel], when: str = "") -> list[Parameter | Reference]:
    """The fields of a model as parameters of a query; ``tasks`` is separated by commas.

    Args:
        model: The model.
        when: For what they are read, if not always.
    """
    fields: dict[str, Any] = model.model_json_schema()["properties"]
    return [
        Parameter(
            name=name,
            param_in="query",
            description=f"{field.description} ({when})" if when else field.description,
            style="form" if name == "tasks" else None,
            explode=False if name == "tasks" else None,
            schema=Schema(
                type=OpenAPIType.ARRAY if name == "tasks" else OpenAPIType.STRING,
                items=Schema(type=OpenAPIType.STRING) if name == "tasks" else None,
                enum=_choices(fields[name]),
                default=fields[name].get("default"),
            ),
        )
        for name, field in model.model_fields.items()
    ]


def _choices(field: Mapping[str, Any]) -> list[str] | None:
    """What a field may be, or null."""
    return next((one["enum"] for one in (field, *field.get("anyOf", ())) if "enum" in one), None)


@dataclass
class TagOperation(Operation):
    """What ``POST /v1/tag`` takes and answers; its handler reads and writes bytes, so litestar cannot know."""

    def __post_init__(self) -> None:
        """Fill in the bodies."""
        request = OpenAPIMediaType(schema=Reference("#/components/schemas/TagRequest"))
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.parameters = query_parameters(TagOptions, "for `text/x-conllu`; other bodies say it themselves")
        objects = dict.fromkeys(("application/json", *MESSAGEPACK), request)
        self.request_body = RequestBody(content={**objects, CONLLU: text}, required=True)
        answer = OpenAPIMediaType(schema=Reference("#/components/schemas/TagAnswer"))
        content = {form: text if form.startswith("text/") else answer for form in FORMS}
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(description="The documents, tagged", content=content)


@dataclass
class StreamOperation(Operation):
    """What ``POST /v1/tag/stream`` takes and answers."""

    def __post_init__(self) -> None:
        """Fill in the parameters and the bodies."""
        self.parameters = query_parameters(TagOptions)
        line = OpenAPIMediaType(schema=Reference("#/components/schemas/RequestDocument"))
        self.request_body = RequestBody(
            description="One document a line, each a JSON object", content={NDJSON: line}, required=True
        )
        either = [Reference("#/components/schemas/AnsweredDocument"), Reference("#/components/schemas/LineProblem")]
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(
            description="One line for each, in their order: the document, tagged, or what is wrong with its line",
            content={NDJSON: OpenAPIMediaType(schema=Schema(one_of=either))},
        )


@dataclass
class TokenClassificationOperation(Operation):
    """What ``POST /hf/{model}`` takes and answers."""

    def __post_init__(self) -> None:
        """Fill in the bodies."""
        request = OpenAPIMediaType(schema=Reference("#/components/schemas/TokenClassificationRequest"))
        self.request_body = RequestBody(content={"application/json": request}, required=True)
        entities = Schema(type=OpenAPIType.ARRAY, items=Reference("#/components/schemas/Entity"))
        either = Schema(any_of=[entities, Schema(type=OpenAPIType.ARRAY, items=entities)])  # [] is both
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(
            description="The entities of a text, or of each of several",
            content={"application/json": OpenAPIMediaType(schema=either)},
        )


@dataclass
class ReloadOperation(Operation):
    """What ``POST /v1/models/{name}/reload`` takes: a body, or none."""

    def __post_init__(self) -> None:
        """Fill in the body."""
        request = OpenAPIMediaType(schema=Reference("#/components/schemas/ReloadRequest"))
        self.request_body = RequestBody(content={"application/json": request}, required=False)


class _SchemaPlugin(JsonRenderPlugin):
    """Serves the document with the models as pydantic describes them."""

    def __init__(self, schemas: Mapping[str, Any], amend: Amend) -> None:
        super().__init__(path=("/", "/openapi.json"), media_type=MediaType.JSON)
        self._schemas = schemas
        self._amend = amend

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        return super().render(request, self._amend({**openapi_schema, "components": {"schemas": self._schemas}}))


def _refuse_other_paths(response: Response[Any]) -> Response[Any]:
    """Litestar has a page of its own for unknown paths below ``/schema``; ours is a problem document as anywhere."""
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotFoundException
    return response


def openapi_config(tag_request: type[TagRequest], *, amend: Amend) -> OpenAPIConfig:
    """The OpenAPI document of a service.

    Args:
        tag_request: The request model with the limits of this service.
        amend: Adds what is true of every route.
    """
    return OpenAPIConfig(
        title="Tagline",
        version=version("tagline"),
        description="Sentences, tokens, tags, lemmas and entities, in one pass with exact offsets.",
        openapi_router=Router("/schema", route_handlers=[], include_in_schema=False, after_request=_refuse_other_paths),
        use_handler_docstrings=True,
        render_plugins=[_SchemaPlugin(_schemas(tag_request), amend)],
    )


def _schemas(tag_request: type[TagRequest]) -> dict[str, Any]:
    requests: list[type[BaseModel]] = [tag_request, ReloadRequest, TokenClassificationRequest, JobFromSource]
    answers: list[type[BaseModel]] = [
        *(TagAnswer, ModelsAnswer, ModelDescription, Health, Problem, LineProblem, Entity),
        *(JobsAnswer, JobAnswer),
    ]
    _, made = models_json_schema(
        [*((model, "validation") for model in requests), *((model, "serialization") for model in answers)],
        ref_template="#/components/schemas/{model}",
    )
    found: dict[str, Any] = made["$defs"]
    return found
