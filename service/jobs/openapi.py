"""What ``/schema`` says of jobs where handlers read and write bytes, so that litestar cannot know."""

from dataclasses import dataclass
from typing import Any

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from pydantic import BaseModel

from service.jobs.desk import MEDIA_FORMATS
from service.jobs.results import MEDIA_TYPES
from service.jobs.schemas import JobOptions, ResultOptions
from service.stream import NDJSON

_BINARY = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))


@dataclass
class CreateJobOperation(Operation):
    """What ``POST /v1/jobs`` takes and answers."""

    def __post_init__(self) -> None:
        """Fill in the parameters and the bodies."""
        self.parameters = query_parameters(JobOptions)
        source = OpenAPIMediaType(schema=Reference("#/components/schemas/JobFromSource"))
        files = dict.fromkeys((*MEDIA_FORMATS, "text/plain", "application/octet-stream"), _BINARY)
        self.request_body = RequestBody(
            description="The file itself, or an object that names an address",
            content={**files, "application/json": source},
            required=True,
        )
        responses = self.responses or {}
        responses["201"] = OpenAPIResponse(
            description="The job, which waits for its turn",
            content={"application/json": OpenAPIMediaType(schema=Reference("#/components/schemas/JobAnswer"))},
        )


@dataclass
class ResultsOperation(Operation):
    """What ``GET /v1/jobs/{id}/results`` takes and answers."""

    def __post_init__(self) -> None:
        """Fill in the parameters and the forms."""
        self.parameters = [*(self.parameters or []), *query_parameters(ResultOptions)]
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(description="The file", content=dict.fromkeys(MEDIA_TYPES.values(), _BINARY))


@dataclass
class FailuresOperation(Operation):
    """What ``GET /v1/jobs/{id}/failures`` answers."""

    def __post_init__(self) -> None:
        """Fill in the form."""
        fields: dict[str, Reference | Schema] = {name: Schema(type=OpenAPIType.STRING) for name in ("place", "reason")}
        line = Schema(type=OpenAPIType.OBJECT, properties=fields)
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(description="One a line", content={NDJSON: OpenAPIMediaType(schema=line)})


def query_parameters(model: type[BaseModel]) -> list[Parameter | Reference]:
    """The fields of a model as parameters of a query; a list is separated by commas."""
    fields: dict[str, Any] = model.model_json_schema()["properties"]
    return [
        Parameter(
            name=name,
            param_in="query",
            description=field.description,
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


def _choices(field: dict[str, Any]) -> list[str] | None:
    either = [field, *field.get("anyOf", [])]
    return next((one["enum"] for one in either if "enum" in one), None)
