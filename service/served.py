"""ServedModel: one loaded model with its batchers: documents in, tagged sentences out, whoever else is asking."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from service.account import current_account
from service.admission import Admission
from service.batcher import Batcher
from service.budget import BatchLimits, Budget
from service.errors import QueueFull
from service.flow import Flow, Labelled
from service.lanes import Lane
from service.metrics import ModelMetrics
from service.preparers import Preparers
from service.settings import Settings
from service.stopwatch import Stopwatch
from taggers.document import Document, Sentence, Span
from taggers.labeler import join_labels
from taggers.pipeline import Tagger

CHARACTERS_PER_TOKEN = 4
"""About; admission counts before the text is segmented."""

_RETRY_S = 0.05

_AT_ONCE_TOKENS = 200
"""What has fewer is worked on in the event loop: a thread would take longer to be woken than to do it."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """What a span task says of a sentence: each word's tag and its probability, and the spans that follow."""

    sentence: Sentence
    tags: Sequence[str]
    probabilities: Sequence[float]
    spans: Sequence[Span]


Take = Callable[[int, Sequence[Result]], None]
"""Takes what was found of the next sentences of a document, which is told by its position. One call at a time, in the
order of the documents, most of them beside the event loop."""


class ServedModel:
    """One loaded model.

    It works as long as somebody holds it: one that was replaced answers the requests that found it before, and what it
    takes is returned when the last of them is over.

    Args:
        tagger: The model.
        version: What tells it from others of its name; see ``taggers/fingerprint.py``.
        limits: How big its batches may be.
        settings: Budgets and limits.
        metrics: Those of the model.
        preparers: The threads that cut, decode and write answers.
        at_once: How many batches of a network are computed at once.
        settling: See ``Batcher``.
    """

    def __init__(
        self,
        tagger: Tagger,
        *,
        version: str,
        limits: BatchLimits,
        settings: Settings,
        metrics: ModelMetrics,
        preparers: Preparers,
        at_once: int = 1,
        settling: asyncio.Lock | None = None,
    ) -> None:
        self.tagger = tagger
        self.version = version
        self._metrics = metrics
        settling = settling or asyncio.Lock()
        self._segmenting, self._labelling = (
            Batcher(
                metrics.measured(prepare, network=network),
                budget=Budget(max_positions=max_positions, seconds=settings.batch_ms / 1000),
                max_wait_ms=settings.max_wait_ms,
                at_once=at_once,
                settling=settling,
                overlap=tagger.device.type == "cpu",  # which shares its cores fairly; a GPU is filled by one batch
            )
            for network, prepare, max_positions in (
                ("segmenter", tagger.prepare_segmenting, limits.segmenter),
                ("tagger", tagger.prepare, limits.tagger),
            )
        )
        self._interactive_tokens = settings.interactive_tokens
        self._admissions = {
            Lane.INTERACTIVE: Admission(max_tokens=settings.max_queue_tokens, max_seconds=settings.max_queue_s),
            Lane.BACKGROUND: Admission(max_tokens=settings.max_queue_tokens),
        }
        self._preparers = preparers

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        batchers = (self._segmenting, self._labelling)
        for batcher in batchers:
            batcher.start()
        ending = weakref.finalize(self, _stop, asyncio.get_running_loop(), batchers)
        ending.atexit = False

    async def close(self) -> None:
        """Finish what was accepted, take nothing more."""
        await self._segmenting.close()
        await self._labelling.close()

    async def tag(
        self,
        documents: Sequence[Document],
        *,
        tasks: Iterable[str] | None,
        stopwatch: Stopwatch,
        lane: Lane | None = None,
    ) -> list[Document]:
        """Tag documents, in their order; otherwise as ``tag_into``."""
        found, take = _collect(documents)
        await self.tag_into(documents, take, tasks=tasks, stopwatch=stopwatch, lane=lane)
        return [
            Document(document.text, tuple(sentences), document.id)
            for document, sentences in zip(documents, found, strict=True)
        ]

    async def tag_into(
        self,
        documents: Sequence[Document],
        take: Take[Sentence],
        *,
        tasks: Iterable[str] | None,
        stopwatch: Stopwatch,
        lane: Lane | None = None,
    ) -> None:
        """Tag documents, segmenting those without sentences, and hand over their sentences as they are ready.

        Args:
            documents: What to tag.
            take: Takes the tagged sentences.
            tasks: Which to fill; None for all.
            stopwatch: Told of the phases ``segment``, ``queue`` and ``compute``; of a long text the last has begun
                before the others end, and is what is left of the time.
            lane: How urgent it is; None: short requests are interactive.

        Raises:
            UnknownTask: The model lacks a task.
            InvalidText: A text holds a lone surrogate.
            ModelError: The model cannot segment.
            QueueFull: Too much was accepted already.
            ModelLost: The model has to be loaded again.
            NotReady: The service is shutting down.
        """
        wanted = self.tagger.check_tasks(tasks)
        await self._label(documents, partial(self._annotate, tasks=wanted), take, stopwatch, lane)

    async def judge(
        self, documents: Sequence[Document], *, task: str, stopwatch: Stopwatch
    ) -> list[list[JudgedSentence]]:
        """What a span task says of every word, sentence by sentence, for each document; otherwise as ``tag``."""
        (wanted,) = self.tagger.check_tasks([task])
        found, take = _collect(documents)
        await self._label(documents, partial(self._judge, task=wanted), take, stopwatch, None)
        return found

    def span_layers(self, tasks: Iterable[str] | None) -> list[str]:
        """Those of the tasks that are layers of spans.

        Raises:
            UnknownTask: The model lacks a task.
        """
        return [task for task in self.tagger.check_tasks(tasks) if self.tagger.tasks[task].kind == "span"]

    def lane_of(self, documents: Sequence[Document]) -> Lane:
        """How urgent a request for these documents is."""
        return Lane.INTERACTIVE if count_tokens(documents) <= self._interactive_tokens else Lane.BACKGROUND

    def check_room(self, documents: Sequence[Document]) -> None:
        """Go on only if these documents would be accepted now.

        Raises:
            QueueFull: Too much was accepted already.
        """
        self._admissions[self.lane_of(documents)].check_room(count_tokens(documents))

    async def run(
        self, function: Callable[..., Result], *arguments: object, tokens: int, lane: Lane = Lane.INTERACTIVE
    ) -> Result:
        """Run a function beside the event loop, unless it has so little to do that this would only delay it.

        Args:
            function: The function.
            arguments: Its arguments.
            tokens: About how many it works on.
            lane: How urgent it is.
        """
        if tokens <= _AT_ONCE_TOKENS:
            return function(*arguments)
        return await self._preparers.run(function, *arguments, lane=lane)

    async def _label(
        self,
        documents: Sequence[Document],
        finish: Callable[[Labelled], Result],
        take: Take[Result],
        stopwatch: Stopwatch,
        lane: Lane | None,
    ) -> None:
        stopwatch.tell(self._metrics.observe_phase)
        estimate = count_tokens(documents)
        lane = lane or self.lane_of(documents)
        run = partial(self.run, tokens=estimate, lane=lane)

        def lap_once(phase: str) -> None:
            if phase not in stopwatch.seconds:
                stopwatch.lap(phase)

        flow = Flow(self.tagger, self._segmenting, self._labelling, lane, run, lap_once)

        def finish_all(section: Sequence[Labelled]) -> int:
            for document, sentences in groupby(section, lambda one: one.document):
                take(document, list(map(finish, sentences)))
            return sum(len(one.sentence) for one in section)

        num_tokens = 0
        admitted = self._admissions[lane].admit(estimate)
        with admitted, self._metrics.queued(estimate), self._preparers.under_way(lane):
            async with aclosing(flow.label(documents)) as sections:
                async for section in sections:
                    num_tokens += await run(finish_all, section)
        stopwatch.lap("compute")
        self._metrics.observe_documents(documents=len(documents), tokens=num_tokens)
        current_account().add_documents(self._metrics.name, documents=len(documents), tokens=num_tokens)

    def _annotate(self, labelled: Labelled, *, tasks: Collection[str]) -> Sentence:
        return self.tagger.annotate(labelled.sentence, labelled.answers, tasks)

    def _judge(self, labelled: Labelled, *, task: str) -> JudgedSentence:
        layer = self.tagger.tasks[task]
        ids, scores = (column.tolist() for column in join_labels(labelled.answers, self.tagger.tasks)[task])
        return JudgedSentence(labelled.sentence, layer.labels.decode(ids), scores, layer.decode_spans(ids, scores))


async def wait_for_room(work: Callable[[], Awaitable[Result]]) -> Result:
    """The result of work that has no hurry; where the queue is full, which is told before it begins, it waits."""
    while True:
        try:
            return await work()
        except QueueFull:
            await asyncio.sleep(_RETRY_S)


def _collect(documents: Sequence[Document]) -> tuple[list[list[Any]], Take[Any]]:
    """What is found in each document, and the function that takes it."""
    found: list[list[Any]] = [[] for _ in documents]
    return found, lambda index, some: found[index].extend(some)


def _stop(loop: asyncio.AbstractEventLoop, batchers: Iterable[Batcher]) -> None:
    """Stop the batchers of a model that nobody holds any more, whichever thread was the last to hold it."""
    with suppress(RuntimeError):  # the loop is closed, perhaps this very moment
        for batcher in batchers:
            loop.call_soon_threadsafe(batcher.stop)


def count_tokens(documents: Iterable[Document]) -> int:
    """About how many tokens documents have."""
    return sum(max(sum(map(len, one)), 1 + len(one.text) // CHARACTERS_PER_TOKEN) for one in documents)
