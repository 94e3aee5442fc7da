"""Settings of the service: read from environment variables that begin with ``TAGLINE_``; the command line wins."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from taggers.config import Precision
from taggers.errors import ConfigError

_PREFIX = "TAGLINE_"

_OTHERS = frozenset({"TAGLINE_CHROMIUM", "TAGLINE_CORPORA"})
"""What tests read."""

_KUBERNETES = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT|SERVICE_PORT_\w+|PORT|PORT_\d+_\w+)")
"""What Kubernetes tells each container of a service by the name of ``tagline-...``."""

_KEY = re.compile(r"[!-+\--~]+")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#@*]+")


def _state_folder() -> Path:
    given = os.environ.get("XDG_STATE_HOME")
    try:
        state = Path(given) if given else Path.home() / ".local" / "state"
    except RuntimeError:  # a user without a home, as containers may have
        state = Path("/var/lib")
    return state / "tagline" / "jobs"


class Settings(BaseSettings):
    """Every setting with its default; ``TAGLINE_PORT=80`` sets ``port``."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    """The address to listen on; ``0.0.0.0`` for every one."""

    port: int = Field(8000, ge=0, le=65535)
    """The port to listen on; 0 for any that is free."""

    models: Annotated[tuple[str, ...], NoDecode] = ()
    """Names or folders of the models to serve, the default one first; separated by commas. None: every bundled one."""

    models_root: Path | None = None
    """The folder below which ``POST /v1/models/{name}/reload`` may be told to find a model; None: it may be told none,
    and loads again from where the model came from."""

    workers: int = Field(1, ge=1)
    """How many processes serve."""

    device: str = "auto"
    """Where the models run: auto, cpu, cuda or cuda:N."""

    precision: Precision = "auto"
    """In how many bits encoders compute: fp32, bf16, fp16, or auto, which takes 16 bits where the device is faster so.
    What changes the answers to a sample is not done."""

    threads: int | None = Field(None, ge=1)
    """How many CPU threads work on one batch; None: all cores, divided among all processes that compute."""

    network_processes: int | None = Field(None, ge=0)
    """How many processes each worker has for its networks, which compute one batch each while the worker does the rest;
    each holds all models. 0: the worker computes, too. None: one on a GPU; on CPUs one for each core, up to 4, and none
    where there is one core."""

    preparers: int = Field(4, ge=1)
    """How many threads decode and write the answers of short requests, beside those that label; streams and long texts
    have one more."""

    max_batch_tokens: int | None = Field(None, ge=1)
    """The most positions in one batch, padding included; None: as many as the device is fastest with, which is measured
    at the start."""

    batch_ms: float = Field(200, gt=0)
    """About how long one batch may take, in milliseconds: whoever comes next waits for it."""

    max_wait_ms: float = Field(5, ge=0)
    """How long a batch that is not full waits for company while the device is busy, in milliseconds."""

    interactive_tokens: int = Field(4_000, ge=1)
    """A request with more tokens than that, about, lets shorter ones go before, as streams do."""

    max_queue_tokens: int = Field(1_000_000, ge=1)
    """About how many tokens may be accepted and not answered, for each model: so many of short requests, and so many of
    streams and long texts; more is refused with 429."""

    max_queue_s: float = Field(10, gt=0)
    """How long a short request may have to wait for its answer, by the measured rate, before it is refused with 429."""

    max_body_bytes: int = Field(4_000_000, ge=1)
    """The most bytes in the body of a request, and in a line of a stream."""

    max_documents: int = Field(1_000, ge=1)
    """The most documents in one request."""

    stream_documents: int = Field(256, ge=1)
    """The most documents of one stream that are in flight: received, and their answers not sent."""

    stream_bytes: int = Field(200_000, ge=1)
    """The most bytes of them; a document that has more is in flight alone."""

    stream_idle_timeout_s: float = Field(300, gt=0)
    """How long the client of a stream may send nothing, or read nothing, before the stream is ended."""

    request_timeout_s: float = Field(300, gt=0)
    """How long a request may take before it is given up with 503."""

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Keys that clients must have, as ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``; separated by commas. None:
    everybody may come in. Health checks and ``/`` need none."""

    metrics: Literal["open", "key", "off"] = "key"
    """Whether ``GET /metrics`` is open, needs a key where there are keys, or is not there."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may ask from a browser (``https://example.org``), or ``*``; separated by commas."""

    requests_per_minute: int | None = Field(None, ge=1)
    """How many requests a minute a client may send to each worker; more get 429. A client is who has a key, or an
    address where there are no keys. None: any number."""

    log_format: Literal["plain", "json"] = "plain"
    """How a line of the log is written."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged; ``info`` has one line for each request, but for health checks and metrics."""

    jobs: Literal["on", "off"] = "on"
    """Whether documents can be tagged in the background, under ``/v1/jobs``."""

    jobs_folder: Path = Field(default_factory=_state_folder)
    """Where jobs have their files; servers that share a database share it, too. Unless it is given: ``tagline/jobs`` in
    the user's folder for state (``$XDG_STATE_HOME``, or ``~/.local/state``)."""

    job_database: SecretStr | None = None
    """The URL of the database of the jobs, such as ``postgresql://user:password@host/name``; None: SQLite, in the
    folder of the jobs."""

    jobs_at_once: int = Field(1, ge=1)
    """How many jobs each worker works on at once; the others wait for their turn."""

    max_job_bytes: int = Field(2_000_000_000, ge=1)
    """The most bytes of a file that is sent for a job. One document in it may have ``max_body_bytes``."""

    job_sources: Annotated[tuple[str, ...], NoDecode] = ()
    """Where jobs may read from besides what is sent: the beginnings of addresses (``s3://bucket/texts/``), separated by
    commas. None: from nowhere."""

    job_keep_hours: float = Field(168, gt=0)
    """How long the results of a job are kept when it is over."""

    job_lease_s: float = Field(30, gt=0)
    """After so long without a sign of life of the server that works on it, a job is given to another."""

    drain_timeout_s: int = Field(30, ge=0)
    """How long requests that were accepted may go on after the service was told to stop."""

    @field_validator("models", "api_keys", "cors_origins", "job_sources", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _check_for_keys(cls, given: object) -> object:
        if isinstance(given, str) and not given.replace(",", " ").split():
            raise ValueError("expected keys, found none: to let everybody in, leave it out")
        return given

    @field_validator("api_keys")
    @classmethod
    def _check_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(_KEY.fullmatch(key.get_secret_value()) for key in keys):
            raise ValueError("expected keys of visible ASCII characters")
        return keys

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"expected * or an origin such as https://example.org:8443, found {origin!r}")
        return origins


def read_settings(**given: Any) -> Settings:
    """Settings from the environment, with those given taking their place; None and an empty tuple give nothing.

    Raises:
        ConfigError: A variable in the environment is no setting, or a value is wrong; the message names it.
    """
    _check_names()
    try:
        return Settings(**{name: value for name, value in given.items() if value not in (None, ())})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        secret = first["loc"][0] in ("api_keys", "job_database")  # which are for nobody's terminal
        found = "" if secret else f", found {first['input']!r}"
        raise ConfigError(f"setting {name} ({_PREFIX}{name.upper()}): {first['msg']}{found}") from None


def _check_names() -> None:
    """Refuse what was meant to be a setting: without the one that it was meant for the door may be open."""
    known = [f"{_PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX) and not (
            name.upper() in known or name in _OTHERS or _KUBERNETES.fullmatch(name)
        ):
            nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
            raise ConfigError(f"{name}: no such setting; the nearest one is {nearest[0]}")
