"""Runner: a claimed job, from where it is to its end."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from time import monotonic
from typing import TypeVar

from service.ahead import work_ahead
from service.jobs.chunk_tagger import ChunkTagger, Outcome
from service.jobs.folder import JobsFolder
from service.jobs.job import Job, PartDone
from service.jobs.part import read_failures, read_version
from service.jobs.sources import describe_sources, open_input, read_options
from service.jobs.store import ClaimLost, Store
from service.jobs.threads import JobThreads, Threads, passes, patiently
from service.metrics import Metrics
from service.registry import Registry
from service.settings import Settings
from taggers.bulk.chunks import Chunk, Position, read_chunks
from taggers.bulk.pieces import Failure
from taggers.bulk.sources import Source
from taggers.errors import InputUnreachable, TaglineError

logger = logging.getLogger("tagline")

Result = TypeVar("Result")

_AT_ONCE = 2
"""While one chunk is tagged, the next is parsed or the last one written."""

_THREADS = 2
"""One reads and one writes, of this job alone: one that reads may never come back."""

_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
"""How long a source that broke off is left alone, the first time and at most."""

_GIVE_UP_S = 900.0
"""A source from which no chunk could be read for so long is given up."""

_MAX_ATTEMPTS = 10
"""So often a job is taken up at the same place: what is there may be what ends the server."""


class _ModelChanged(Exception):
    """What is done and what would come would be of two models."""


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
        self._number, self._position = job.chunks, job.position
        self._version = ""
        self._broken: InputUnreachable | None = None
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
            ModelLost: Its model has to be loaded again.
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
        await self._patiently(lambda: self._folder.tidy(job.id, files), self._threads)
        if files:
            self._version = await self._threads.run(read_version, self._folder.part(job.id, files[-1]))
        broken_since, pause = 0.0, _PAUSE_S
        while True:
            number = self._number
            try:
                await self._go_on(files)
            except _ModelChanged:
                await self._begin_anew()
                files = ()
                continue
            except InputUnreachable as error:
                if not broken_since or self._number > number:
                    broken_since, pause = monotonic(), _PAUSE_S
                if monotonic() + pause > broken_since + _GIVE_UP_S:
                    raise
                logger.warning("job %s waits: %s", job.id, error)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _go_on(self, files: Sequence[str]) -> None:
        """Work on all that can be read.

        Args:
            files: Those of the chunks that were done when the job was claimed.

        Raises:
            InputUnreachable: That was not all there is.
            _ModelChanged: Another model has taken the place of the one that did what is done.
        """
        sources = await self._patiently(self._open, self._threads)
        if self._position.source and files:
            _judge(sources, self._position, await self._threads.run(self._last_failure, files[-1]))
        chunks, since = self._read(sources), monotonic()
        async with aclosing(work_ahead(chunks, self._tagger.tag, at_once=_AT_ONCE)) as outcomes:
            async for outcome in outcomes:
                now = monotonic()
                if outcome.version != self._version and self._number:
                    raise _ModelChanged
                self._version = outcome.version
                await self._commit(outcome, seconds=now - since)
                since = now
                _judge(sources, outcome.end, outcome.last_failure)
        if self._broken is not None:
            raise self._broken

    async def _begin_anew(self) -> None:
        logger.warning("job %s begins anew: its model has changed", self._job.id)
        if not await self._ask(lambda: self._store.begin_anew(self._job)):
            raise ClaimLost
        self._number, self._position = 0, Position()
        await self._patiently(lambda: self._folder.tidy(self._job.id, ()), self._threads)

    def _open(self) -> tuple[Source, ...]:
        job = self._job
        asked = job.order.input
        try:
            sources = tuple(open_input(job.order, self._folder.upload(job.id)))
        except OSError as error:
            if asked.source is not None and passes(error):  # which is no trouble of any other job
                raise InputUnreachable(f"{asked.source}: {error.strerror}") from error
            raise
        if asked.source is not None and describe_sources(sources) != asked.version:
            raise TaglineError(f"{asked.source} has changed since the job was made")
        return sources

    def _last_failure(self, file: str) -> Failure | None:
        """What was wrong with the last record before the place where the job was taken up."""
        return dict(read_failures(self._folder.part(self._job.id, file))).get(self._job.position.records - 1)

    async def _read(self, sources: Sequence[Source]) -> AsyncGenerator[Chunk, None]:
        """The chunks that can be read: what breaks off the reading must not take those with it that are under way."""
        self._broken = None
        try:
            async for chunk in self._threads.each(read_chunks(sources, self._options, self._position)):
                yield chunk
        except InputUnreachable as error:
            self._broken = error

    async def _commit(self, outcome: Outcome, *, seconds: float) -> None:
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
        await self._ask(lambda: self._store.commit(self._job, self._number, part))
        self._number, self._position = self._number + 1, outcome.end
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


def _judge(sources: Sequence[Source], end: Position, failure: Failure | None) -> None:
    """Go on only if a source that is alone has not ended badly: that is what the last failure of one tells.

    Raises:
        TaglineError: It has.
    """
    if failure is not None and len(sources) == 1 and end.source:
        raise TaglineError(f"{failure.place}: {failure.reason}")
