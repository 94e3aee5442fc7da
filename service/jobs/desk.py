"""Desk: what clients ask of jobs, between the routes and the store."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL

from service.errors import BadRequest, FieldError, FilesGone, JobNotFound, JobNotOver
from service.jobs.crew import Crew
from service.jobs.folder import JobsFolder
from service.jobs.job import LIVE, Input, Job, Order
from service.jobs.schemas import JobFromSource, JobOptions
from service.jobs.sources import (
    base_name,
    check_address,
    describe_sources,
    look_into,
    open_input,
    read_options,
    upload_compression,
)
from service.jobs.store import Store
from service.jobs.threads import JobThreads
from service.jobs.upload import Upload, writing
from service.metrics import Metrics
from service.registry import Registry
from service.settings import Settings
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.sources import SourceFormat, format_of, total_bytes
from taggers.errors import InputUnreachable, TaglineError

MEDIA_FORMATS: Mapping[str, SourceFormat] = {
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "text/x-conllu": "conllu",
}
"""Content-Type -> what the file is. ``text/plain`` comes after the name, as anything may be called that."""

_ID = re.compile(r"[0-9a-f]{32}")
_NAMELESS = "documents"

_LOOK_S = 30.0
"""What is at an address must be found and its first record read within this time."""


class Desk:
    """The jobs as their clients see them: each client its own.

    Args:
        settings: Where jobs are, and within which limits.
        registry: The models.
        metrics: What is told of jobs.

    Raises:
        ConfigError: There is no such kind of database.
    """

    def __init__(self, settings: Settings, *, registry: Registry, metrics: Metrics) -> None:
        self._settings = settings
        self._registry = registry
        self._folder = JobsFolder(settings.jobs_folder)
        self._store = open_store(settings)
        self.threads = JobThreads()
        self._crew = Crew(
            self._store, self._folder, self.threads, registry=registry, settings=settings, metrics=metrics
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Work on jobs as long as the block lasts."""
        with suppress(OSError):  # of which the crew will tell
            await self.threads.files.run(self._folder.make)
        try:
            async with self._crew.working():
                yield
        finally:
            self._store.close()  # here, for threads may hang that ask it
            self.threads.close()

    async def take_upload(self, upload: Upload, options: JobOptions, *, media_type: str, owner: str | None) -> Job:
        """A job on a file that is being sent.

        Args:
            upload: The file.
            options: How to read and tag it.
            media_type: What the client calls it.
            owner: Who the client is; None where there are no keys.

        Raises:
            ModelNotFound: There is no such model.
            UnknownTask: The model lacks a task.
            TooLarge: The file is over its limit.
            UnsupportedMedia: It comes packed in a way that is not undone here.
            BadRequest: It is empty, or its first record cannot be read.
            DiskFull: There is no room for it.
            JobsUnavailable: The database or the folder cannot be used.
        """
        format = _find_format(options, media_type)
        order = self._check(options, Input(format, None, options.text_field, options.id_field))
        upload.check_announced()
        upload.check_packing(media_type)
        async with self._new_folder() as id:
            await upload.write(self._folder.upload(id), self.threads.files)
            return await self._queue(id, await self.threads.files.run(self._look_into_upload, id, order), owner)

    async def take_source(self, asked: JobFromSource, *, owner: str | None) -> Job:
        """A job on what is at an address; otherwise as ``take_upload``.

        Raises:
            Forbidden: It may not be read.
            InputUnreachable: It does not answer.
        """
        check_address(asked.source, self._settings.job_sources)
        format = None if asked.format == "auto" else asked.format
        order = self._check(asked, Input(format, None, asked.text_field, asked.id_field, asked.source))
        async with self._new_folder() as id:
            try:
                async with asyncio.timeout(_LOOK_S):
                    order = await self.threads.looking.run(self._look_into_source, order)
            except TimeoutError:
                raise InputUnreachable(f"{asked.source} did not answer within {_LOOK_S:g} seconds") from None
            return await self._queue(id, order, owner)

    async def find(self, id: str, *, owner: str | None) -> Job:
        """A job.

        Raises:
            JobNotFound: There is none of this id, or it is somebody else's.
        """
        # the database may refuse to look for what is no id, such as a NUL
        job = await self.threads.store.run(self._store.find, id, owner=owner) if _ID.fullmatch(id) else None
        if job is None:
            raise JobNotFound(f"there is no job {id!r}")
        return job

    async def newest(self, *, owner: str | None, limit: int) -> Sequence[Job]:
        """The newest jobs, the newest first."""
        return await self.threads.store.run(self._store.newest, owner=owner, limit=limit)

    async def cancel(self, id: str, *, owner: str | None) -> Job:
        """End a job; what is done is kept. One that is over stays as it is.

        Raises:
            JobNotFound: There is none of this id, or it is somebody else's.
        """
        await self.find(id, owner=owner)
        keep_s = self._settings.job_keep_hours * 3600
        if await self.threads.store.run(self._store.cancel, id, keep_s=keep_s):
            await self._crew.stop(id)
        return await self.find(id, owner=owner)

    async def delete(self, id: str, *, owner: str | None) -> None:
        """End a job and remove all that there is of it.

        Raises:
            JobNotFound: There is none of this id, or it is somebody else's.
        """
        await self.find(id, owner=owner)
        await self.threads.files.run(self._folder.delist, id)
        await self.threads.store.run(self._store.delete, id)
        await self._crew.stop(id)
        await self.threads.files.run(self._folder.remove, id)

    async def files_so_far(self, job: Job) -> Sequence[Path]:
        """The files of a job's chunks that are done.

        Raises:
            FilesGone: Some are not there.
        """
        files = await self.threads.store.run(self._store.files, job.id)
        if not await self.threads.files.run(self._folder.holds, job.id, files):
            raise FilesGone("files of this job are not in the folder of the jobs any more: send it again")
        return [self._folder.part(job.id, file) for file in files]

    async def files(self, job: Job) -> Sequence[Path]:
        """The files of a job's chunks.

        Raises:
            JobNotOver: It is not over.
            FilesGone: Some are not there.
        """
        if job.state in LIVE:
            progress = "" if job.progress is None else f", {job.progress:.0%} done"
            raise JobNotOver(f"the job is {job.state}{progress}; its results are there when it is over")
        return await self.files_so_far(job)

    def parquet(self, job: Job) -> Path:
        """Where a job's results in Parquet are, once they are made."""
        return self._folder.of(job.id) / "results.parquet"

    def _check(self, options: JobOptions, input: Input) -> Order:
        """The order, as far as it is known before there is anything to read."""
        model = self._registry.default if options.model is None else options.model
        tasks = None if options.tasks is None else tuple(options.tasks)
        layers = tuple(self._registry.find(model).span_layers(tasks))
        name = options.name or (_NAMELESS if input.source is None else base_name(input.source))
        return Order(name, model, tasks, layers, input)

    def _look_into_upload(self, id: str, order: Order) -> Order:
        path = self._folder.upload(id)
        size = path.stat().st_size
        if not size:
            raise BadRequest("the body is empty: send the file as the body, as curl --data-binary @FILE does")
        if order.input.format != "parquet":
            order = replace(order, input=replace(order.input, compression=upload_compression(path)))
        sources = open_input(order, path)
        look_into(sources, self._read_options(order))
        return replace(order, bytes_total=size)

    def _look_into_source(self, order: Order) -> Order:
        try:
            sources = open_input(order, Path())
            look_into(sources, self._read_options(order))
        except InputUnreachable:
            raise
        except (TaglineError, OSError) as error:
            problem = str(error).replace("--from ", "format=")
            raise BadRequest(problem, [FieldError("source", problem)]) from None
        version = describe_sources(sources)
        return replace(order, input=replace(order.input, version=version), bytes_total=total_bytes(sources))

    def _read_options(self, order: Order) -> ReadOptions:
        return read_options(order.input, max_record_bytes=self._settings.max_body_bytes)

    @asynccontextmanager
    async def _new_folder(self) -> AsyncIterator[str]:
        """The id of a new job, whose folder is there; and is gone again if the job comes to nothing."""
        id = uuid4().hex
        with writing():
            await self.threads.files.run(self._folder.add, id)
        try:
            yield id
        except BaseException:
            self._folder.remove(id)  # at once: a request that is cancelled gets no time to wait
            raise

    async def _queue(self, id: str, order: Order, owner: str | None) -> Job:
        with writing():
            await self.threads.files.run(self._folder.settle, id)
        job = await self.threads.store.run(self._store.add, id, order, owner=owner or "")
        await self.threads.files.run(self._folder.enlist, id)
        self._crew.wake()
        return job


def open_store(settings: Settings) -> Store:
    """The store that the settings name; nothing is asked of it yet.

    Raises:
        ConfigError: There is no such kind of database.
    """
    given = settings.job_database
    beside = URL.create("sqlite", database=str(settings.jobs_folder / "jobs.sqlite3"))
    return Store(beside if given is None else given.get_secret_value())


def _find_format(options: JobOptions, media_type: str) -> SourceFormat | None:
    """What an upload is: as told, by its media type, or by its name; None where only its content can tell."""
    if options.format != "auto":
        return options.format
    plain: SourceFormat | None = "text" if media_type == "text/plain" else None
    return MEDIA_FORMATS.get(media_type) or format_of(options.name or "") or plain
