"""The routes of jobs: requests -> what the desk does -> answers."""

from http import HTTPStatus
from typing import Annotated, Any

from litestar import MediaType, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import File, Stream
from pydantic import BaseModel

from service.doors import client_of
from service.errors import ServiceError
from service.exchange import AnyRequest
from service.jobs.desk import Desk
from service.jobs.openapi import CreateJobOperation, FailuresOperation, ResultsOperation
from service.jobs.results import (
    MEDIA_TYPES,
    check_result,
    choose_result,
    disposition,
    make_parquet,
    write_failures,
    write_results,
)
from service.jobs.schemas import FailureOptions, JobAnswer, JobFromSource, JobOptions, JobsAnswer, ResultOptions
from service.jobs.upload import Upload, writing
from service.openapi import problems
from service.options import read_query
from service.schemas import parse_request
from service.stream import NDJSON
from service.tools import Tools
from taggers.errors import TaglineError
from taggers.offsets import OffsetUnit


@post(
    "/v1/jobs",
    request_max_body_size=None,
    operation_id="createJob",
    summary="Tag documents in the background",
    operation_class=CreateJobOperation,
    responses=problems(400, 403, 404, 408, 413, 415, 503, 507),
)
async def create_job(
    request: AnyRequest,
    tools: NamedDependency[Tools],
    desk: NamedDependency[Desk],
) -> Response[bytes]:
    """A file as the body, or a JSON object that names an address. The job is answered with, and goes on after that.

    The file may be compressed (gzip, Zstandard). Its first record is read before the answer; a later one that is wrong
    is a failure of its own. A job survives whatever happens to the service.
    """
    source = request.content_type[0] == MediaType.JSON
    limit = tools.settings.max_body_bytes if source else tools.settings.max_job_bytes
    upload = Upload(request, max_bytes=limit, idle_s=tools.settings.stream_idle_timeout_s)
    owner = client_of(request.scope)
    try:
        tools.registry.check_ready()
        options = read_query(request.query_params.multi_items(), JobOptions)
        if source:
            asked = parse_request(await upload.read(), JobFromSource)
            both = {**options.model_dump(exclude_unset=True), **asked.model_dump(exclude_unset=True)}
            job = await desk.take_source(JobFromSource(**both), owner=owner)
        else:
            job = await desk.take_upload(upload, options, media_type=request.content_type[0], owner=owner)
    except (ServiceError, TaglineError):
        await upload.drain()
        raise
    return _json(JobAnswer.of(job), status=HTTPStatus.CREATED, headers={"Location": f"/v1/jobs/{job.id}"})


@get("/v1/jobs", operation_id="listJobs", summary="The jobs", responses=problems(400, 503))
async def list_jobs(
    request: AnyRequest,
    desk: NamedDependency[Desk],
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="At most so many")] = 100,
) -> Response[JobsAnswer]:
    """The newest first; with API keys, only those that were made with the same key."""
    jobs = await desk.newest(owner=client_of(request.scope), limit=limit)
    return _json(JobsAnswer(jobs=[JobAnswer.of(job) for job in jobs]))


@get("/v1/jobs/{id:str}", operation_id="showJob", summary="One job", responses=problems(400, 404, 503))
async def show_job(request: AnyRequest, desk: NamedDependency[Desk], id: FromPath[str]) -> Response[JobAnswer]:
    """How far a job is."""
    return _json(JobAnswer.of(await desk.find(id, owner=client_of(request.scope))))


@post(
    "/v1/jobs/{id:str}/cancel",
    status_code=HTTPStatus.OK,
    operation_id="cancelJob",
    summary="End a job and keep what is done",
    responses=problems(400, 404, 503),
)
async def cancel_job(request: AnyRequest, desk: NamedDependency[Desk], id: FromPath[str]) -> Response[JobAnswer]:
    """A job that is over stays as it is."""
    return _json(JobAnswer.of(await desk.cancel(id, owner=client_of(request.scope))))


@delete("/v1/jobs/{id:str}", operation_id="deleteJob", summary="Remove a job", responses=problems(400, 404, 503))
async def delete_job(request: AnyRequest, desk: NamedDependency[Desk], id: FromPath[str]) -> None:
    """End a job and remove it with all that was sent and done."""
    await desk.delete(id, owner=client_of(request.scope))


@get(
    "/v1/jobs/{id:str}/results",
    operation_id="showResults",
    summary="The documents of a job, tagged",
    operation_class=ResultsOperation,
    responses=problems(400, 404, 406, 409, 410, 503, 507),
)
async def show_results(request: AnyRequest, desk: NamedDependency[Desk], id: FromPath[str]) -> Response[Any]:
    """All documents in their order, of any number, as a file; of a job that ended early, those that were done."""
    options = read_query(request.query_params.multi_items(), ResultOptions)
    format, unit = choose_result(request, options), OffsetUnit(options.offsets)
    job = await desk.find(id, owner=client_of(request.scope))
    check_result(job.order, format, unit)
    files = await desk.files(job)
    headers = {"Content-Disposition": disposition(job.order, f"tagged.{format}")}
    if format != "parquet":
        pieces = write_results(job.order, files, format, unit)
        return Stream(desk.threads.files.each(pieces), media_type=MEDIA_TYPES[format], headers=headers)
    made = desk.parquet(job)
    if not made.exists():
        with writing():
            await desk.threads.files.run(make_parquet, job.order, files, made)
    return File(made, media_type=MEDIA_TYPES[format], headers=headers)


@get(
    "/v1/jobs/{id:str}/failures",
    operation_id="showFailures",
    summary="The records of a job that gave nothing",
    operation_class=FailuresOperation,
    responses=problems(400, 404, 410, 503),
)
async def show_failures(request: AnyRequest, desk: NamedDependency[Desk], id: FromPath[str]) -> Response[Any]:
    """One a line: where it stands, and why not. While the job goes on, those found so far."""
    format = read_query(request.query_params.multi_items(), FailureOptions).format
    job = await desk.find(id, owner=client_of(request.scope))
    check_result(job.order, format)
    pieces = write_failures(job.order, await desk.files_so_far(job), format)
    headers = {"Content-Disposition": disposition(job.order, "errors.jsonl")}
    return Stream(desk.threads.files.each(pieces), media_type=NDJSON, headers=headers)


JOB_ROUTES = [create_job, list_jobs, show_job, cancel_job, delete_job, show_results, show_failures]


def _json(
    answer: BaseModel, *, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response[Any]:
    return Response(answer.model_dump_json().encode(), status_code=status, media_type=MediaType.JSON, headers=headers)
