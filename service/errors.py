"""Errors of the service, and the one table that turns every exception into a problem document (RFC 9457).

    ServiceError
    ├── BadRequest           the body is not what the interface demands; carries the path of each bad field
    ├── Unauthorized         there is no API key, or it is not known
    ├── Forbidden            a job may not read from there
    ├── JobNotFound          there is no such job, or it is somebody else's
    ├── JobNotOver           a job has no results yet
    ├── FilesGone            the files of a job were lost
    ├── TooManyRequests      a client comes too often; carries when to come back
    ├── NotAcceptable        no form of the answer that the client takes
    ├── TooLarge             the body or the number of documents is over its limit
    ├── UnsupportedMedia     a body is packed in a way that is not undone
    ├── Reloading            the model is being loaded already
    ├── RefusedModel         the folder of a model to be loaded is damaged; the old model goes on
    ├── DiskFull             there is no room for what a job brings
    ├── JobsUnavailable      the database or the folder of the jobs cannot be used
    ├── ModelLost            a model has to be loaded again before it can be used
    ├── QueueFull            as much work is accepted as the queue holds; carries when to come back
    ├── NotReady             the models are still loading, or the service is shutting down
    ├── CameTooSlowly        the client has not sent its request within the time limit
    ├── TookTooLong          a request ran into its time limit
    └── ClientGone           the client hung up; nobody reads the answer

What no row names is our mistake: its traceback goes to the log, and the client learns nothing but the request's id.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from service.account import current_account
from service.request_id import request_id
from taggers.errors import InputUnreachable, InvalidText, ModelError, ModelNotFound, UnknownTask

logger = logging.getLogger("tagline")

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: its path from the top of the body (``documents.0.text``) and what is wrong with it."""

    path: str
    message: str


class ServiceError(Exception):
    """The root: ``str(error)`` is the problem's detail."""


class BadRequest(ServiceError):
    """The body is not what the interface demands.

    Args:
        detail: What is wrong, in one line.
        fields: The bad fields.
    """

    def __init__(self, detail: str, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.fields = tuple(fields)


class Unauthorized(ServiceError):
    """There is no API key, or it is not known."""


class Forbidden(ServiceError):
    """A job may not read from there."""


class JobNotFound(ServiceError):
    """There is no such job, or it is somebody else's."""


class JobNotOver(ServiceError):
    """A job has no results yet; the detail says how far it is."""


class FilesGone(ServiceError):
    """The files of a job were lost, while the database still tells of them."""


class DiskFull(ServiceError):
    """There is no room on the disk for what a job brings."""


class JobsUnavailable(ServiceError):
    """The database or the folder of the jobs cannot be used."""


class TooManyRequests(ServiceError):
    """A client comes too often.

    Args:
        detail: How often is too often.
        retry_after_s: When it may come back, in whole seconds.
    """

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotAcceptable(ServiceError):
    """The client takes no form of the answer that there is."""


class TooLarge(ServiceError):
    """The body or the number of documents is over its limit, which the detail names."""


class UnsupportedMedia(ServiceError):
    """A body is packed in a way that is not undone: a form, or an encoding that is not known."""


class Reloading(ServiceError):
    """The model is being loaded already."""


class RefusedModel(ServiceError):
    """The folder of a model that was to be loaded is damaged; the old model goes on."""


class ModelLost(ServiceError):
    """The processes that had a model died, and others could not load it: what was loaded is not in its folder any more.

    It passes when somebody loads the model again, so what has time can wait.
    """


class QueueFull(ServiceError):
    """As much work is accepted as the queue holds.

    Args:
        detail: What is full.
        retry_after_s: When there will be room, in whole seconds.
    """

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotReady(ServiceError):
    """The models are still loading, or the service is shutting down."""


class CameTooSlowly(ServiceError):
    """The client has not sent its request within the time limit."""


class TookTooLong(ServiceError):
    """A request ran into its time limit."""


class ClientGone(ServiceError):
    """The client hung up before its answer was there."""


@dataclass(frozen=True, slots=True)
class Row:
    """How an exception is answered: its status, the name of its kind, and its title."""

    status: int
    kind: str
    title: str


TABLE: Mapping[type[Exception], Row] = {
    BadRequest: Row(400, "bad-request", "The request is not what the interface demands"),
    InvalidText: Row(400, "invalid-text", "A text is not valid Unicode"),
    UnknownTask: Row(400, "unknown-task", "The model has no such task"),
    Unauthorized: Row(401, "unauthorized", "An API key is needed"),
    Forbidden: Row(403, "forbidden", "This may not be read"),
    ModelNotFound: Row(404, "unknown-model", "There is no such model"),
    JobNotFound: Row(404, "unknown-job", "There is no such job"),
    ModelError: Row(400, "unsuitable-model", "The model cannot do this"),
    NotAcceptable: Row(406, "not-acceptable", "There is no such form of the answer"),
    CameTooSlowly: Row(408, "came-too-slowly", "The request did not arrive within the time limit"),
    Reloading: Row(409, "reloading", "The model is being loaded already"),
    JobNotOver: Row(409, "job-not-over", "The job is not over"),
    FilesGone: Row(410, "files-gone", "The files of the job are gone"),
    TooLarge: Row(413, "too-large", "The request is over a limit"),
    UnsupportedMedia: Row(415, "unsupported-media", "The body is packed in a way that is not undone"),
    RefusedModel: Row(422, "refused-model", "The model cannot be loaded"),
    QueueFull: Row(429, "queue-full", "Too much work is waiting"),
    TooManyRequests: Row(429, "too-many-requests", "The client comes too often"),
    ClientGone: Row(499, "client-gone", "The client hung up"),
    ModelLost: Row(503, "model-lost", "The model has to be loaded again"),
    NotReady: Row(503, "not-ready", "The service is not ready"),
    TookTooLong: Row(503, "took-too-long", "The request ran into its time limit"),
    InputUnreachable: Row(503, "unreachable-source", "What the job is to read cannot be reached"),
    JobsUnavailable: Row(503, "jobs-unavailable", "Jobs cannot be served"),
    DiskFull: Row(507, "disk-full", "The disk is full"),
}
"""Exception -> answer; a class without a row of its own is answered as its nearest base class."""

FIELDS: Mapping[type[Exception], str] = {ModelNotFound: "model", UnknownTask: "tasks", InputUnreachable: "source"}
"""Exceptions of the pipeline that speak of one field of the request."""


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Any exception as a problem document: litestar's one exception handler."""
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        error = _bad_parameters(error.extra)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _problem(_framework_row(error), _framework_detail(request, error), headers=error.headers)
    for kind in type(error).__mro__:
        if kind in TABLE:
            return _problem(TABLE[kind], str(error), fields=_fields(error), headers=_headers(error))
    logger.error(
        "request %s failed: %s %s", request_id(request.scope), request.method, request.scope["path"], exc_info=error
    )
    row = Row(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake")
    return _problem(row, f"the log tells more under request {request_id(request.scope)}")


def _problem(
    row: Row, detail: str, *, fields: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    current_account().add_problem(row.kind)
    body = {"type": f"urn:tagline:problem:{row.kind}", "title": row.title, "status": int(row.status), "detail": detail}
    if fields:
        body["errors"] = [{"path": field.path, "message": field.message} for field in fields]
    return Response(msgspec.json.encode(body), status_code=row.status, media_type=PROBLEM_JSON, headers=headers)


def _fields(error: Exception) -> Sequence[FieldError]:
    if isinstance(error, BadRequest):
        return error.fields
    path = FIELDS.get(type(error))
    return () if path is None else (FieldError(path, str(error)),)


def _headers(error: Exception) -> Mapping[str, str] | None:
    match error:
        case QueueFull() | TooManyRequests():
            return {"Retry-After": str(error.retry_after_s)}
        case CameTooSlowly():
            return {"Connection": "close"}  # or the rest of it would be waited for
        case Unauthorized():
            return {"WWW-Authenticate": 'Bearer realm="tagline"'}
        case _:
            return None


def _bad_parameters(found: Sequence[Mapping[str, str]]) -> BadRequest:
    """What litestar says of the parameters of a query, in the manner of what we say of a body."""
    fields = [
        FieldError(one.get("key", "query"), one["message"].replace("`", "").replace("Expected", "expected"))
        for one in found
    ]
    return BadRequest("; ".join(f"{field.path}: {field.message}" for field in fields), fields)


def _framework_row(error: HTTPException) -> Row:
    """What litestar itself refuses: an unknown path, a wrong method."""
    phrase = HTTPStatus(error.status_code).phrase
    return Row(error.status_code, phrase.lower().replace(" ", "-"), phrase)


def _framework_detail(request: Request[Any, Any, Any], error: HTTPException) -> str:
    path = request.scope["path"]
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return f"there is nothing at {path}; /schema describes what there is"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{path} does not take {request.method}"
        case _:
            return error.detail
