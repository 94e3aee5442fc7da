"""ServedModel: one loaded model with its batcher: documents in, tagged documents out, whoever else is asking."""

import asyncio
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from service.account import current_account
from service.admission import Admission
from service.batcher import Batcher
from service.metrics import ModelMetrics
from service.settings import Settings
from service.stopwatch import Stopwatch
from taggers.document import Document, Sentence, Span
from taggers.labeler import Chunk, Labels, join_labels
from taggers.pipeline import Tagger

_CHARACTERS_PER_TOKEN = 4
"""About; admission counts before the text is segmented."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Documents with their sentences, and what to label for them."""

    documents: Sequence[Document]
    chunks: Sequence[Chunk]
    num_chunks: Sequence[int]
    """For each sentence of all documents."""


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """What a span task says of a sentence: each word's tag and its probability, and the spans that follow."""

    sentence: Sentence
    tags: Sequence[str]
    probabilities: Sequence[float]
    spans: Sequence[Span]


Finish = Callable[[_Prepared, Sequence[Labels]], Result]
"""Makes of the labels what a request asked for."""


class ServedModel:
    """One loaded model.

    It works as long as somebody holds it: one that was replaced answers the requests that found it before, and what it
    takes is returned when the last of them is over.

    Args:
        tagger: The model.
        settings: Budgets and limits.
        metrics: Those of the model.
        preparers: The threads that segment, decode and write answers.
    """

    def __init__(self, tagger: Tagger, *, settings: Settings, metrics: ModelMetrics, preparers: Executor) -> None:
        self.tagger = tagger
        self._metrics = metrics
        self._batcher = Batcher(metrics.measured(tagger.label), max_padded_tokens=settings.max_batch_tokens)
        self._admission = Admission(max_tokens=settings.max_queue_tokens)
        self._preparers = preparers

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._batcher.start()
        ending = weakref.finalize(self, _stop, asyncio.get_running_loop(), self._batcher)
        ending.atexit = False

    async def close(self) -> None:
        """Finish what was accepted, take nothing more."""
        await self._batcher.close()

    async def tag(
        self, documents: Sequence[Document], *, tasks: Iterable[str] | None, stopwatch: Stopwatch
    ) -> list[Document]:
        """Tag documents; those without sentences are segmented first.

        Args:
            documents: In the order in which they are answered.
            tasks: Which to fill; None for all.
            stopwatch: Told of the phases ``segment``, ``queue`` and ``compute``.

        Raises:
            UnknownTask: The model lacks a task.
            InvalidText: A text holds a lone surrogate.
            ModelError: The model cannot segment.
            QueueFull: Too much was accepted already.
            NotReady: The service is shutting down.
        """
        wanted = self.tagger.check_tasks(tasks)
        return await self._label(documents, partial(self._annotate, tasks=wanted), stopwatch)

    async def judge(
        self, documents: Sequence[Document], *, task: str, stopwatch: Stopwatch
    ) -> list[list[JudgedSentence]]:
        """What a span task says of every word, sentence by sentence, for each document; otherwise as ``tag``."""
        (wanted,) = self.tagger.check_tasks([task])
        return await self._label(documents, partial(self._judge, task=wanted), stopwatch)

    def span_layers(self, tasks: Iterable[str] | None) -> list[str]:
        """Those of the tasks that are layers of spans.

        Raises:
            UnknownTask: The model lacks a task.
        """
        return [task for task in self.tagger.check_tasks(tasks) if self.tagger.tasks[task].kind == "span"]

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Run a function beside the event loop."""
        work = copy_context().run  # so that its account is there, too
        return await asyncio.get_running_loop().run_in_executor(self._preparers, work, function, *arguments)

    async def _label(self, documents: Sequence[Document], finish: Finish[Result], stopwatch: Stopwatch) -> Result:
        stopwatch.tell(self._metrics.observe_phase)
        estimate = sum(map(_estimate, documents))
        rate = self._batcher.tokens_per_second
        with self._admission.admit(estimate, tokens_per_second=rate), self._metrics.queued(estimate):
            prepared = await self.run(self._prepare, documents)
            stopwatch.lap("segment")
            answers = await self._batcher.submit(prepared.chunks, on_start=lambda: stopwatch.lap("queue"))
            stopwatch.lap("compute")
            finished = await self.run(finish, prepared, answers)
        self._account_for(prepared.documents)
        return finished

    def _account_for(self, documents: Sequence[Document]) -> None:
        num_tokens = sum(len(sentence) for document in documents for sentence in document)
        self._metrics.observe_documents(documents=len(documents), tokens=num_tokens)
        current_account().add_documents(self._metrics.name, documents=len(documents), tokens=num_tokens)

    def _prepare(self, documents: Sequence[Document]) -> _Prepared:
        raw = [index for index, document in enumerate(documents) if not document.sentences]
        done = list(documents)
        if raw:
            texts, ids = zip(*((documents[index].text, documents[index].id) for index in raw), strict=True)
            for index, document in zip(raw, self.tagger.segment(texts, ids=ids), strict=True):
                done[index] = document
        parts = [self.tagger.chunks(sentence) for document in done for sentence in document]
        return _Prepared(done, [chunk for part in parts for chunk in part], list(map(len, parts)))

    def _annotate(self, prepared: _Prepared, answers: Sequence[Labels], *, tasks: Collection[str]) -> list[Document]:
        parts = _by_sentence(prepared, answers)
        return [
            Document(
                document.text,
                tuple(self.tagger.annotate(sentence, next(parts), tasks) for sentence in document),
                document.id,
            )
            for document in prepared.documents
        ]

    def _judge(self, prepared: _Prepared, answers: Sequence[Labels], *, task: str) -> list[list[JudgedSentence]]:
        layer, parts = self.tagger.tasks[task], _by_sentence(prepared, answers)

        def judge(sentence: Sentence) -> JudgedSentence:
            ids, scores = (column.tolist() for column in join_labels(next(parts), self.tagger.tasks)[task])
            return JudgedSentence(sentence, layer.labels.decode(ids), scores, layer.decode_spans(ids, scores))

        return [[judge(sentence) for sentence in document] for document in prepared.documents]


def _by_sentence(prepared: _Prepared, answers: Sequence[Labels]) -> Iterator[list[Labels]]:
    """The answers for the chunks of each sentence."""
    following = iter(answers)
    return (list(islice(following, count)) for count in prepared.num_chunks)


def _stop(loop: asyncio.AbstractEventLoop, batcher: Batcher) -> None:
    """Stop the batcher of a model that nobody holds any more, whichever thread was the last to hold it."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(batcher.stop)


def _estimate(document: Document) -> int:
    """About how many tokens a document has."""
    if document.sentences:
        return sum(map(len, document))
    return 1 + len(document.text) // _CHARACTERS_PER_TOKEN
