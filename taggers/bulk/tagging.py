"""A chunk -> its part of the output: parsed, tagged and written in one place, so that only bytes travel.

This is what every worker runs, be it a thread of control in this process, a process beside it, or one elsewhere.
"""

from collections.abc import Sequence

from taggers.allocator import return_memory
from taggers.bulk.chunks import Chunk, TaggedChunk
from taggers.bulk.compression import compressor
from taggers.bulk.pieces import Failure
from taggers.bulk.records import Record, parse_piece
from taggers.bulk.rendering import Tagged, find_renderer, render_good
from taggers.bulk.work import Work
from taggers.document import Document
from taggers.errors import InvalidText
from taggers.formats.raw import RawDocument
from taggers.pipeline import DEFAULT_MAX_BATCH_TOKENS, Tagger, load


class ChunkTagger:
    """A loaded model that does a job's work.

    Args:
        work: The work.

    Raises:
        ModelError: The model cannot be used.
        UnknownTask: It lacks a task.
        TaglineError: The output cannot hold what the tasks fill.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._tagger: Tagger = load(work.model, device=work.device, precision=work.precision)
        self._max_batch_tokens = work.max_batch_tokens or DEFAULT_MAX_BATCH_TOKENS
        self._tasks = self._tagger.check_tasks(work.tasks)
        span_tasks = [name for name in self._tasks if self._tagger.tasks[name].kind == "span"]
        self._render = find_renderer(work.output, span_tasks=span_tasks)
        self._compress = compressor(work.output.compression)

    @property
    def device(self) -> str:
        """The kind of device that the model runs on: ``cpu`` or ``cuda``."""
        return self._tagger.device.type

    def __call__(self, chunk: Chunk) -> TaggedChunk:
        """Do the work on a chunk; a record that cannot be tagged is a failure and takes no other with it.

        Raises:
            ModelError: A text is unsegmented and the model has no segmenter.
        """
        try:
            return self._do(chunk)
        finally:
            return_memory()  # a chunk may be a whole book, with everything that was found in it

    def _do(self, chunk: Chunk) -> TaggedChunk:
        parsed = [item if isinstance(item, Failure) else parse_piece(item, self._work.reading) for item in chunk.items]
        answers = iter(self._tag([record for record in parsed if isinstance(record, Record)]))
        failures: dict[int, Failure] = {}
        tagged: list[Tagged] = []
        for number, record in enumerate(parsed, chunk.first):
            answer = record if isinstance(record, Failure) else next(answers)
            if isinstance(answer, Failure):
                failures[number] = answer
            elif isinstance(record, Record):
                tagged.append(Tagged(answer, number, record.place, record.extra, record.schema))
        content, unwritten = render_good(self._render, tagged, self._work.output)
        failures |= unwritten
        tagged = [one for one in tagged if one.number not in unwritten]
        return TaggedChunk(
            self._compress(content),
            tuple(failures[number] for number in sorted(failures)),
            len(tagged),
            sum(len(sentence) for one in tagged for sentence in one.document),
            chunk.end,
            chunk.bytes_read,
        )

    def _tag(self, records: Sequence[Record]) -> Sequence[Document | Failure]:
        """The tagged documents; in the place of one that cannot be tagged, the failure."""
        try:
            return self._tag_together([record.document for record in records])
        except (InvalidText, RuntimeError, MemoryError) as error:  # torch's errors are RuntimeErrors
            if len(records) == 1:
                reason = (str(error) or type(error).__name__).splitlines()[0]
                return [Failure(records[0].place, f"cannot be tagged: {reason}")]
        return [answer for record in records for answer in self._tag([record])]

    def _tag_together(self, documents: Sequence[Document | RawDocument]) -> list[Document]:
        raw = [document for document in documents if isinstance(document, RawDocument)]
        ids = [document.id for document in raw]
        found = iter(self._tagger.segment([document.text for document in raw], ids=ids) if raw else ())
        segmented = [next(found) if isinstance(document, RawDocument) else document for document in documents]
        return self._tagger.tag(segmented, tasks=self._tasks, max_batch_tokens=self._max_batch_tokens)
