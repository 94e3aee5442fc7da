"""Metrics: what ``GET /metrics`` tells Prometheus. Counters and histograms only; shares and rates are for its queries.

- Share of padding: ``1 - tagline_batch_tokens_total / tagline_batch_positions_total``, by their rates.
- Share of time that the device is busy: the rate of ``tagline_device_busy_seconds_total``.

In several processes (``--workers``) each writes to files of a shared folder, and any of them answers for all.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.batcher import Prepare
from service.footprint import Footprint
from taggers.labeler import Chunk, Labels, Run

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_TOKENS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)


class Metrics:
    """All metrics of a service.

    Args:
        shared: The folder in which the processes of a service with several meet, which ``PROMETHEUS_MULTIPROC_DIR``
            names from their start; None for one process.
    """

    def __init__(self, *, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = made = CollectorRegistry()
        self.requests = Counter("tagline_requests", "Requests answered", ["route", "method", "status"], registry=made)
        self.request_seconds = Histogram(
            "tagline_request_seconds",
            "From arrival to the end of the answer",
            ["route"],
            buckets=_SECONDS,
            registry=made,
        )
        self.in_progress = Gauge(
            "tagline_requests_in_progress", "Requests being answered", multiprocess_mode="livesum", registry=made
        )
        self.errors = Counter("tagline_errors", "Problems answered with", ["kind"], registry=made)
        self.reloads = Counter(
            "tagline_reloads", "Reloads: loaded, refused or failed", ["model", "outcome"], registry=made
        )
        self.loaded = Gauge(
            "tagline_model_loaded_timestamp_seconds",
            "When the model was loaded",
            ["model"],
            multiprocess_mode="livemin",
            registry=made,
        )
        self.documents = Counter("tagline_documents", "Documents tagged", ["model"], registry=made)
        self.tokens = Counter("tagline_tokens", "Tokens of the documents tagged", ["model"], registry=made)
        self.phase_seconds = Histogram(
            "tagline_phase_seconds", "Phases of tagging", ["model", "phase"], buckets=_SECONDS, registry=made
        )
        self.queue_tokens = Gauge(
            "tagline_queue_tokens",
            "Tokens accepted and not answered, as far as known before segmenting",
            ["model"],
            multiprocess_mode="livesum",
            registry=made,
        )
        network = ["model", "network"]  # the tagger's tokens are words or pieces, the segmenter's characters
        self.batches = Histogram(
            "tagline_batch_size_tokens", "Tokens of a batch", network, buckets=_TOKENS, registry=made
        )
        self.batch_tokens = Counter("tagline_batch_tokens", "Tokens of all batches", network, registry=made)
        self.batch_positions = Counter(
            "tagline_batch_positions", "Tokens of all batches, padding included", network, registry=made
        )
        self.batch_failures = Counter("tagline_batch_failures", "Batches that failed", network, registry=made)
        self.busy_seconds = Counter(
            "tagline_device_busy_seconds", "Time spent labelling, of all processes that compute", network, registry=made
        )
        self.jobs = Gauge(
            "tagline_jobs", "Jobs in the database", ["state"], multiprocess_mode="livemostrecent", registry=made
        )
        self.jobs_ended = Counter("tagline_jobs_ended", "Jobs done or failed", ["state"], registry=made)
        self.job_chunks = Counter("tagline_job_chunks", "Chunks of jobs that are done", registry=made)
        for state in ("done", "failed"):
            self.jobs_ended.labels(state)
        self.observe_jobs({})
        build = Gauge("tagline_build_info", "The release", ["version"], multiprocess_mode="livemax", registry=made)
        build.labels(version("tagline")).set(1)
        if shared is None:
            made.register(Footprint(lambda: [os.getpid()]))
            ProcessCollector(registry=made)
            PlatformCollector(registry=made)
            GCCollector(registry=made)

    def observe_jobs(self, counts: Mapping[str, int]) -> None:
        """So many jobs are in each state."""
        for state in ("queued", "running", "done", "failed", "cancelled"):
            self.jobs.labels(state).set(counts.get(state, 0))

    def write(self, accept: str) -> tuple[bytes, str]:
        """All metrics in a form that ``accept`` asks for, and its media type."""
        try:
            encode, media_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is no number
            encode, media_type = choose_encoder("")
        return encode(self._registry if self._shared is None else _of_all_processes(self._shared)), media_type


class ModelMetrics:
    """The metrics of one model, whichever version of it is served.

    Args:
        metrics: Those of the service.
        name: The model's own name.
    """

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.name = name
        self._metrics = metrics
        self._documents = metrics.documents.labels(name)
        self._tokens = metrics.tokens.labels(name)
        self._queue_tokens = metrics.queue_tokens.labels(name)
        self._loaded = metrics.loaded.labels(name)
        self._phases: dict[str, Histogram] = {}

    def observe_loaded(self) -> None:
        """The model was loaded, just now."""
        self._loaded.set(time())

    def observe_documents(self, *, documents: int, tokens: int) -> None:
        """Documents were tagged."""
        self._documents.inc(documents)
        self._tokens.inc(tokens)

    def observe_phase(self, phase: str, seconds: float) -> None:
        """A request spent so much time in a phase."""
        if phase not in self._phases:
            self._phases[phase] = self._metrics.phase_seconds.labels(self.name, phase)
        self._phases[phase].observe(seconds)

    @contextmanager
    def queued(self, tokens: int) -> Iterator[None]:
        """Count tokens as accepted until they are answered."""
        self._queue_tokens.inc(tokens)
        try:
            yield
        finally:
            self._queue_tokens.dec(tokens)

    def measured(self, prepare: Prepare, *, network: str) -> Prepare:
        """The same function, with every batch counted that is labelled by what it returns."""
        metrics, labels_of = self._metrics, (self.name, network)
        batches = metrics.batches.labels(*labels_of)
        tokens = metrics.batch_tokens.labels(*labels_of)
        positions = metrics.batch_positions.labels(*labels_of)
        failures = metrics.batch_failures.labels(*labels_of)
        busy_seconds = metrics.busy_seconds.labels(*labels_of)

        def run_and_count(run: Run, chunks: Sequence[Chunk]) -> list[Labels]:
            started = perf_counter()
            try:
                labels = run()
            except Exception:
                failures.inc()
                raise
            finally:
                busy_seconds.inc(perf_counter() - started)
            costs = [chunk.cost for chunk in chunks]
            batches.observe(sum(costs))
            tokens.inc(sum(costs))
            positions.inc(len(costs) * max(costs))
            return labels

        return lambda chunks: partial(run_and_count, prepare(chunks), chunks)


def _of_all_processes(folder: Path) -> CollectorRegistry:
    """What all processes counted; those that ended keep their counts, but nothing waits in them any more."""
    processes = {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}
    living = set(filter(_lives, processes))
    for dead in processes - living:
        mark_process_dead(dead, str(folder))  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    registry.register(Footprint(lambda: living))
    return registry


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False
