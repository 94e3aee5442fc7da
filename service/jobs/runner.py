"""Runner: a claimed job, from where it is to its end."""

import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from time import monotonic
from typing import TypeVar

from service.ahead import work_ahead
from service.jobs.chunk_tagger import ChunkTagger, Outcome
from service.jobs.folder import JobsFolder
from service.jobs.job import Job, PartDone
from service.jobs.sources import describe_sources, open_input, read_options
from service.jobs.store import Store
from service.jobs.threads import JobThreads, Threads, patiently
from service.metrics import Metrics
from service.registry import Registry
from service.settings import Settings
from taggers.bulk.chunks import read_chunks
from taggers.bulk.sources import Source
from taggers.errors import TaglineError

logger = logging.getLogger("tagline")

Result = TypeVar("Result")

_AT_ONCE = 2
"""While one chunk is tagged, the next is parsed or the last one written."""

_THREADS = 2
"""One reads and one writes, of this job alone: one that reads may never come back."""

_MAX_ATTEMPTS = 10
"""So often a job is taken up at the same place: what is there may be what ends the server."""


class Runner:
    """Works on one job.

    Args:
        job: The job, claimed.
        store: Where it stands.
        folder: Where its files are.
        threads: For what asks the store.
        registry: The models.
        settings: The limit of a document.
        metrics: Told of every chunk.
    """

    def __init__(
        self,
        job: Job,
        *,
        store: Store,
        folder: JobsFolder,
        threads: JobThreads,
        registry: Registry,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._job = job
        self._store = store
        self._folder = folder
        self._asking = threads.store
        self._threads = Threads(f"job-{job.id}", most=_THREADS)
        self._metrics = metrics
        self._trouble = ""
        self._options = read_options(job.order.input, max_record_bytes=settings.max_body_bytes)
        self._tagger = ChunkTagger(lambda: registry.find(job.order.model), job.order, self._options)

    @property
    def waits(self) -> bool:
        """Whether it waits for the database or the disk, as every other job would."""
        return bool(self._trouble)

    async def run(self) -> None:
        """Work on it until all is done.

        Raises:
            ClaimLost: It is somebody else's, or over.
            NotReady: The service is shutting down.
            TaglineError: It cannot be done; what was done is kept.
            OSError: Its files cannot be read or written.
        """
        try:
            await self._run()
        finally:
            self._threads.close()

    async def _run(self) -> None:
        job = self._job
        if job.attempts > _MAX_ATTEMPTS:
            raise TaglineError(
                f"the service ended {_MAX_ATTEMPTS} times while it worked on the records behind "
                f"record {job.position.records}"
            )
        files = await self._ask(lambda: self._store.files(job.id))
        sources = await self._patiently(lambda: self._prepare(files), self._threads)
        chunks = read_chunks(sources, self._options, job.position)
        since = monotonic()
        async with aclosing(work_ahead(self._threads.each(chunks), self._tagger.tag, at_once=_AT_ONCE)) as outcomes:
            number = job.chunks
            async for outcome in outcomes:
                now = monotonic()
                await self._commit(number, outcome, seconds=now - since)
                number, since = number + 1, now
                if outcome.last_failure is not None and len(sources) == 1 and outcome.end.source:
                    failure = outcome.last_failure  # of the source as a whole, which ends where that is met
                    raise TaglineError(f"{failure.place}: {failure.reason}")

    def _prepare(self, files: Sequence[str]) -> tuple[Source, ...]:
        job = self._job
        self._folder.tidy(job.id, files)
        sources = tuple(open_input(job.order, self._folder.upload(job.id)))
        asked = job.order.input
        if asked.source is not None and describe_sources(sources) != asked.version:
            raise TaglineError(f"{asked.source} has changed since the job was made")
        return sources

    async def _commit(self, number: int, outcome: Outcome, *, seconds: float) -> None:
        file = await self._patiently(lambda: self._folder.write_part(self._job.id, outcome.content), self._threads)
        part = PartDone(
            file,
            outcome.end,
            outcome.documents,
            outcome.failures,
            outcome.words,
            outcome.bytes_read,
            seconds,
        )
        await self._ask(lambda: self._store.commit(self._job, number, part))
        self._metrics.job_chunks.inc()

    async def _ask(self, ask: Callable[[], Result]) -> Result:
        return await self._patiently(ask, self._asking)

    async def _patiently(self, ask: Callable[[], Result], threads: Threads) -> Result:
        try:
            return await patiently(ask, threads=threads, tell=self._tell)
        finally:
            self._trouble = ""

    def _tell(self, trouble: str) -> None:
        """Tell the log what the job waits for, once."""
        if trouble != self._trouble:
            logger.warning("job %s waits: %s", self._job.id, trouble)
        self._trouble = trouble
