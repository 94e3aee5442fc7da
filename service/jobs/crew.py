"""Crew: what a server process does about jobs: claims them, works on them, keeps its claims, clears up."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from service.errors import JobsUnavailable, ModelLost, NotReady
from service.jobs.folder import JobsFolder
from service.jobs.holder import Holder, this_machine
from service.jobs.job import Job, State
from service.jobs.runner import Runner
from service.jobs.store import ClaimLost, Store
from service.jobs.threads import JobThreads, patiently
from service.metrics import Metrics
from service.registry import Phase, Registry
from service.settings import Settings
from taggers.errors import TaglineError

logger = logging.getLogger("tagline")

_POLL_S = 1.0
_CLEAR_UP_S = 60.0
_FORGOTTEN_AT_ONCE = 1_000
"""PostgreSQL takes 65,535 parameters."""
_RELEASE_S = 20.0
"""The database has so long to hear that we leave."""
_RENEWALS = 6
"""A claim is renewed so often while its lease lasts."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A job that is worked on."""

    job: Job
    runner: Runner
    task: asyncio.Task[None]


class Crew:
    """The jobs of one process.

    Args:
        store: All jobs.
        folder: Their files.
        threads: For what blocks.
        registry: The models.
        settings: How many at once, and how long results are kept.
        metrics: What is told of jobs.
    """

    def __init__(
        self,
        store: Store,
        folder: JobsFolder,
        threads: JobThreads,
        *,
        registry: Registry,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._folder = folder
        self._threads = threads
        self._registry = registry
        self._settings = settings
        self._metrics = metrics
        self._keep_s = settings.job_keep_hours * 3600
        self._machine = this_machine()
        self._holder: Holder | None = None
        self._running: dict[str, _Running] = {}
        self._news = asyncio.Event()
        self._trouble = ""
        self._missing: frozenset[str] = frozenset()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work as long as the block lasts; what is not done by then goes on elsewhere, or later."""
        tasks = [asyncio.create_task(work) for work in (self._work(), self._keep_claims(), self._keep_clear())]
        try:
            yield
        finally:
            tasks += [running.task for running in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._holder is not None:
                with suppress(JobsUnavailable, TimeoutError):  # then it waits until the lease is over, or we are back
                    async with asyncio.timeout(_RELEASE_S):
                        await self._threads.store.run(self._store.release, self._holder.id)
                self._holder.close()

    def wake(self) -> None:
        """There is a job."""
        self._news.set()

    async def stop(self, id: str) -> None:
        """Leave a job that is over at once, if it is ours."""
        if id in self._running:
            task = self._running[id].task
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._take_turn()
            except (JobsUnavailable, OSError) as error:
                self._tell(str(error))
            except Exception:  # whatever it is, jobs must go on, or nobody would ever know
                logger.exception("jobs wait")
            else:
                self._tell("")
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._news.wait()

    async def _take_turn(self) -> None:
        """Do all that there is to do now."""
        if self._registry.phase is not Phase.READY:
            return
        if self._holder is None:
            self._holder = await self._threads.files.run(self._take_place)
        holder = self._holder
        await self._threads.store.run(self._store.take_back, self._machine, holder.is_dead)
        while len(self._running) < self._settings.jobs_at_once and not self._waits():
            job = await self._threads.store.run(
                self._store.claim,
                models=self._registry.usable_names,
                holder=holder.id,
                machine=self._machine,
                lease_s=self._settings.job_lease_s,
            )
            if job is None:
                await self._tell_of_models()
                break
            await self.stop(job.id)  # what had claimed it before, when nobody could renew that
            self._start(job)
        self._metrics.observe_jobs(await self._threads.store.run(self._store.count))

    async def _tell_of_models(self) -> None:
        """Tell the log, once, of models that jobs wait for and that are not here."""
        wanted = await self._threads.store.run(self._store.wanted_models)
        missing = wanted.difference(self._registry.usable_names)
        for model in sorted(missing - self._missing):
            logger.warning("jobs wait for the model %r, which this server does not have", model)
        self._missing = missing

    def _take_place(self) -> Holder:
        self._folder.make()
        return Holder(self._folder.path / "servers")

    def _waits(self) -> bool:
        """Whether any other job would only wait, too."""
        return any(running.runner.waits for running in self._running.values())

    def _start(self, job: Job) -> None:
        runner = Runner(
            job,
            store=self._store,
            folder=self._folder,
            threads=self._threads,
            registry=self._registry,
            settings=self._settings,
            metrics=self._metrics,
        )
        task = asyncio.create_task(self._run(job, runner))
        self._running[job.id] = _Running(job, runner, task)
        task.add_done_callback(lambda task: self._leave(job.id, task))

    def _leave(self, id: str, task: asyncio.Task[None]) -> None:
        """Make room for the next; not in the task itself, for one that is cancelled before it begins runs nothing."""
        if id in self._running and self._running[id].task is task:
            del self._running[id]
        self._news.set()

    async def _run(self, job: Job, runner: Runner) -> None:
        logger.info("job %s %s", job.id, f"goes on behind record {job.position.records}" if job.chunks else "begins")
        try:
            await self._run_to_its_end(job, runner)
        except ClaimLost:
            logger.info("job %s is no longer ours", job.id)
        except NotReady:
            pass  # the service is shutting down, and puts it back
        except ModelLost:
            await patiently(lambda: self._store.put_back(job), threads=self._threads.store, tell=self._tell)

    async def _run_to_its_end(self, job: Job, runner: Runner) -> None:
        state: State = "done"
        problem = None
        try:
            await runner.run()
        except (TaglineError, OSError) as error:
            state, problem = "failed", _one_line(error)
        except (ClaimLost, NotReady, ModelLost):
            raise
        except Exception:
            logger.exception("job %s failed", job.id)
            state, problem = "failed", "the service made a mistake; its log tells more"
        if not await patiently(
            lambda: self._store.finish(job, state, error=problem, keep_s=self._keep_s),
            threads=self._threads.store,
            tell=self._tell,
        ):
            raise ClaimLost
        self._metrics.jobs_ended.labels(state).inc()
        logger.info("job %s is %s%s", job.id, state, f": {problem}" if problem else "")

    async def _keep_claims(self) -> None:
        lease_s = self._settings.job_lease_s
        while True:
            await asyncio.sleep(lease_s / _RENEWALS)
            for running in list(self._running.values()):
                try:
                    if not await self._threads.store.run(self._store.renew, running.job, lease_s=lease_s):
                        running.task.cancel()
                except Exception as error:  # the next time will do, or else the claim is lost
                    logger.warning("job %s: its claim is not renewed: %s", running.job.id, error)

    async def _keep_clear(self) -> None:
        while True:
            try:
                await self._clear_up()
            except Exception as error:  # whatever it is, the next time may do
                logger.warning("jobs are not cleared up: %s", error)
            await asyncio.sleep(_CLEAR_UP_S)

    async def _clear_up(self) -> None:
        store, files = self._threads.store, self._threads.files
        while ids := await store.run(self._store.expired, limit=_FORGOTTEN_AT_ONCE):
            for id in ids:
                await files.run(self._folder.remove, id)  # first, or after a crash nobody would know of it
                logger.info("job %s expired", id)
            await store.run(self._store.delete, *ids)
        await files.run(self._folder.sweep, await store.run(self._store.ids))

    def _tell(self, trouble: str) -> None:
        """Tell the log what is wrong, once."""
        if trouble and trouble != self._trouble:
            logger.error("jobs wait: %s", trouble)
        self._trouble = trouble


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # without the name of a file, which is no client's business
    return (str(error) or type(error).__name__).partition("\n")[0]
