"""What clients ask of jobs, and how jobs are told of."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.jobs.job import Job, State
from service.schemas import RequestModel
from taggers.bulk.sources import InputFormat

ResultFormat = Literal["jsonl", "parquet", "conllu", "iob2", "html"]


class JobOptions(RequestModel):
    """How a job reads and tags; the query of ``POST /v1/jobs``."""

    model: str | None = None
    """A model's name or alias; the default model if absent."""
    tasks: list[str] | None = None
    """Which layers to fill beside sentences and tokens; all that the model has if absent."""
    format: InputFormat = "auto"
    """What the file is. `text` is one document a line. `auto` goes by Content-Type, else by the suffix of the name,
    else by the first line."""
    text_field: str = "text"
    """The field or column that holds the text."""
    id_field: str = "id"
    """The one that holds the id. All others pass through to the results in JSON Lines and Parquet."""
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")] | None = None
    """What to call the job: the name of the file, mostly."""


class JobFromSource(JobOptions):
    """The body of ``POST /v1/jobs`` that names an address in place of sending the file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"source": "s3://bucket/reviews.jsonl", "tasks": ["ner"]}]}
    )

    source: str
    """A file, a folder or a pattern, where the settings of the service allow to read (`TAGLINE_JOB_SOURCES`)."""


class ResultOptions(RequestModel):
    """The query of ``GET /v1/jobs/{id}/results``."""

    format: ResultFormat | None = None
    """The form of the results; by `Accept` if absent."""
    offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"
    """What offsets count, in JSON Lines: Unicode code points, UTF-16 code units, or UTF-8 bytes."""


class FailureOptions(RequestModel):
    """The query of ``GET /v1/jobs/{id}/failures``."""

    format: ResultFormat = "jsonl"
    """Also those that this form of the results has no place for, as CoNLL-U has none for a text without words."""


class JobAnswer(BaseModel):
    """A job. Times are ISO 8601, in UTC."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    id: str
    name: str
    state: State
    model: str
    tasks: list[str] | None
    """The layers asked for; null for all that the model has."""
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None
    """When the job and its results are removed."""
    documents: int
    """How many are tagged."""
    failures: int
    """How many records gave nothing; `/v1/jobs/{id}/failures` names them."""
    words: int
    bytes_read: int
    bytes_total: int | None
    progress: float | None
    """The share of the input that is done, from 0 to 1; null if nobody knows."""
    words_per_s: float | None
    seconds_left: float | None
    error: str | None
    """What ended it early, in one line."""

    @classmethod
    def of(cls, job: Job) -> Self:
        """How a job is told of."""
        return cls(
            id=job.id,
            name=job.order.name,
            state=job.state,
            model=job.order.model,
            tasks=None if job.order.tasks is None else list(job.order.tasks),
            created=_time(job.created),
            started=None if job.started is None else _time(job.started),
            finished=None if job.finished is None else _time(job.finished),
            expires=None if job.expires is None else _time(job.expires),
            documents=job.documents,
            failures=job.failures,
            words=job.words,
            bytes_read=job.bytes_read,
            bytes_total=job.order.bytes_total,
            progress=_rounded(job.progress, 4),
            words_per_s=_rounded(job.words_per_s, 1),
            seconds_left=_rounded(job.seconds_left, 1),
            error=job.error,
        )


class JobsAnswer(BaseModel):
    """What ``GET /v1/jobs`` answers."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    jobs: list[JobAnswer]
    """The newest first."""


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
