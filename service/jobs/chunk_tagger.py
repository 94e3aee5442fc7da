"""ChunkTagger: a chunk -> what became of it, tagged beside all that others ask of this service, mostly behind it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from service.jobs.job import Order
from service.jobs.part import Part
from service.lanes import Lane
from service.served import CHARACTERS_PER_TOKEN, ServedModel, count_tokens, wait_for_room
from service.stopwatch import Stopwatch
from taggers.bulk.chunks import Chunk, Position
from taggers.bulk.pieces import Failure, Piece, ReadOptions
from taggers.bulk.records import Record, parse_piece
from taggers.bulk.rendering import UNWRITABLE
from taggers.document import Document
from taggers.errors import InvalidText
from taggers.formats.answer import document_to_json
from taggers.formats.jsonl import write_line
from taggers.formats.raw import RawDocument

_STEP_TOKENS = 10_000
"""About so many are parsed or written in one go: Python runs one thread at a time, and others wait for it."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a chunk.

    Attributes:
        content: Its file.
        end: Where reading goes on behind it.
        documents: How many documents are in it.
        failures: How many of its records gave nothing.
        words: The words in the documents.
        bytes_read: How much of the input was read by then.
        last_failure: What was wrong with its last record, if that gave nothing.
        version: Which model tagged it; see ``ServedModel``.
    """

    content: bytes
    end: Position
    documents: int
    failures: int
    words: int
    bytes_read: int
    last_failure: Failure | None
    version: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found for a record; where there is none, or nothing could be found, a failure."""

    record: Record | None
    found: Document | Failure


@dataclass(frozen=True, slots=True)
class _Line:
    """A record, its document as a line, and the number of its words."""

    record: Record
    text: str
    words: int


class ChunkTagger:
    """Tags the chunks of a job, several at a time; a record that cannot be tagged takes no other with it.

    Args:
        find_model: The model, asked for every time, because a new one may have taken its place.
        order: What is asked for.
        options: How records are read.
    """

    def __init__(self, find_model: Callable[[], ServedModel], order: Order, options: ReadOptions) -> None:
        self._find_model = find_model
        self._tasks = order.tasks
        self._options = options

    async def tag(self, chunk: Chunk) -> Outcome:
        """What becomes of a chunk.

        Raises:
            ModelError: The model is not there any more, lacks a task, or cannot segment.
            UnknownTask: It lacks a task.
            ModelLost: The model has to be loaded again.
            NotReady: The service is shutting down.
        """
        served = self._find_model()
        parsed: list[Record | Failure] = []
        for items in _steps(chunk.items, _tokens_of):
            tokens = sum(map(_tokens_of, items))
            parsed += await served.run(self._parse, items, tokens=tokens, lane=Lane.BACKGROUND)
        tagged = iter(await self._tag(served, [record for record in parsed if isinstance(record, Record)]))
        answers = [
            _Answer(record, next(tagged)) if isinstance(record, Record) else _Answer(None, record) for record in parsed
        ]
        written: list[_Line | Failure] = []
        for step in _steps(answers, _tokens_in):
            tokens = sum(map(_tokens_in, step))
            written += await served.run(_write, step, tokens=tokens, lane=Lane.BACKGROUND)
        lines = [line for line in written if isinstance(line, _Line)]
        failures = [(number, one) for number, one in enumerate(written, chunk.first) if isinstance(one, Failure)]
        records = [line.record for line in lines]
        places = [record.place for record in records]
        part = Part(chunk.first, served.version, [line.text for line in lines], places, failures, _typed(records))
        return Outcome(
            await asyncio.to_thread(part.pack),
            chunk.end,
            len(lines),
            len(failures),
            sum(line.words for line in lines),
            chunk.bytes_read,
            written[-1] if isinstance(written[-1], Failure) else None,
            served.version,
        )

    def _parse(self, items: Sequence[Piece | Failure]) -> list[Record | Failure]:
        return [item if isinstance(item, Failure) else parse_piece(item, self._options) for item in items]

    async def _tag(self, served: ServedModel, records: Sequence[Record]) -> list[Document | Failure]:
        """The tagged documents; in the place of one that cannot be tagged, the failure."""
        if not records:
            return []
        try:
            documents = [_to_document(record.document) for record in records]
            return [
                *await wait_for_room(
                    lambda: served.tag(documents, tasks=self._tasks, stopwatch=Stopwatch(), lane=Lane.BACKGROUND)
                )
            ]
        except (InvalidText, RuntimeError, MemoryError) as error:  # torch's errors are RuntimeErrors
            if len(records) == 1:
                reason = (str(error) or type(error).__name__).splitlines()[0]
                return [Failure(records[0].place, f"cannot be tagged: {reason}")]
        middle = len(records) // 2
        return [*await self._tag(served, records[:middle]), *await self._tag(served, records[middle:])]


def _to_document(document: Document | RawDocument) -> Document:
    return Document(document.text, id=document.id) if isinstance(document, RawDocument) else document


def _write(answers: Sequence[_Answer]) -> list[_Line | Failure]:
    return list(map(_line, answers))


def _line(answer: _Answer) -> _Line | Failure:
    record, document = answer.record, answer.found
    if record is None or isinstance(document, Failure):
        assert isinstance(document, Failure)
        return document
    try:
        line = write_line({**document_to_json(document), **record.extra})
    except UNWRITABLE as error:  # a column holds what JSON cannot
        return Failure(record.place, f"cannot be written: {error}")
    return _Line(record, line, sum(map(len, document)))


def _typed(records: Sequence[Record]) -> bytes:
    """The other columns of records that come from Parquet, with their types."""
    types = {field.name: field.type for record in records for field in record.schema or ()}
    names = dict.fromkeys(name for record in records for name in record.extra) if types else {}
    if not names:
        return b""
    import pyarrow  # takes a moment to import

    from taggers.formats.arrow import other_column
    from taggers.formats.parquet import table_to_stream

    columns: Mapping[str, Any] = {
        name: other_column([record.extra.get(name) for record in records], types.get(name)) for name in names
    }
    return table_to_stream(pyarrow.table(columns))


def _steps(items: Sequence[Item], tokens_of: Callable[[Item], int]) -> Iterator[Sequence[Item]]:
    """The items in runs of some ``_STEP_TOKENS``."""
    step: list[Item] = []
    tokens = 0
    for item in items:
        step.append(item)
        tokens += tokens_of(item)
        if tokens >= _STEP_TOKENS:
            yield step
            step, tokens = [], 0
    if step:
        yield step


def _tokens_of(item: Piece | Failure) -> int:
    """About how many tokens are in a piece."""
    if isinstance(item, Failure):
        return 1
    content = item.content
    size = len(content) if isinstance(content, bytes) else sum(len(str(value)) for value in content.values())
    return 1 + size // CHARACTERS_PER_TOKEN


def _tokens_in(answer: _Answer) -> int:
    """How many tokens are in what was found."""
    return 1 if isinstance(answer.found, Failure) else 1 + count_tokens([answer.found])
