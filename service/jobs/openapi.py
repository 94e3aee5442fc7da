"""What ``/schema`` says of jobs where handlers read and write bytes, so that litestar cannot know."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from service.jobs.desk import MEDIA_FORMATS
from service.jobs.results import MEDIA_TYPES
from service.jobs.schemas import FailureOptions, JobOptions, ResultOptions
from service.openapi import query_parameters
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
    """What ``GET /v1/jobs/{id}/failures`` takes and answers."""

    def __post_init__(self) -> None:
        """Fill in the parameter and the form."""
        self.parameters = [*(self.parameters or []), *query_parameters(FailureOptions)]
        fields: dict[str, Reference | Schema] = {name: Schema(type=OpenAPIType.STRING) for name in ("place", "reason")}
        line = Schema(type=OpenAPIType.OBJECT, properties=fields)
        responses = self.responses or {}
        responses["200"] = OpenAPIResponse(description="One a line", content={NDJSON: OpenAPIMediaType(schema=line)})
