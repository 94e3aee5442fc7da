"""LineTagger: some lines of a stream -> one line of answer for each, its document or what is wrong with it."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from service.errors import QueueFull, TookTooLong, TooLarge
from service.exchange import within
from service.ndjson import Line
from service.rendering import encode_document
from service.schemas import RequestDocument, TagOptions, parse_request
from service.served import ServedModel
from service.stopwatch import Stopwatch
from taggers.document import Document

_RETRY_S = 0.05

Outcome = Document | Exception


class LineTagger:
    """Tags the documents of lines, several at a time; one that fails fails alone.

    A full queue is no failure: a stream has no hurry and waits for room, within the time limit.

    Args:
        find_model: The model, asked for every time, because a new one may have taken its place.
        options: How to tag.
        turns: Shared by all streams: so many calls are at work at once, and the others wait, so that the requests of
            others find somebody to prepare them.
        write_problem: An exception as a problem document.
        max_line_bytes: The limit that a line without content was over.
        timeout_s: How long the documents of one call may take.
    """

    def __init__(
        self,
        find_model: Callable[[], ServedModel],
        options: TagOptions,
        *,
        turns: asyncio.Semaphore,
        write_problem: Callable[[Exception], bytes],
        max_line_bytes: int,
        timeout_s: float,
    ) -> None:
        self._find_model = find_model
        self._options = options
        self._turns = turns
        self._write_problem = write_problem
        self._max_line_bytes = max_line_bytes
        self._timeout_s = timeout_s

    async def answer(self, lines: Sequence[Line]) -> bytes:
        """The answers for these lines, each with its line end, in their order."""
        async with self._turns:
            return await self._answer(lines)

    def problem(self, number: int, error: Exception) -> bytes:
        """The line that tells what is wrong with a line."""
        problem = msgspec.Raw(self._write_problem(error))
        return msgspec.json.encode({"line": number, "error": problem}) + b"\n"

    async def _answer(self, lines: Sequence[Line]) -> bytes:
        try:
            served = self._find_model()
        except Exception as error:  # the service is shutting down, whatever the registry has to say about it
            return b"".join(self.problem(line.number, error) for line in lines)
        outcomes = await served.run(self._parse, lines)
        good = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Document)]
        tagged = await self._tag(served, [outcomes[index] for index in good])  # type: ignore[misc]
        for index, outcome in zip(good, tagged, strict=True):
            outcomes[index] = outcome
        answers = [
            outcome if isinstance(outcome, Document) else self.problem(line.number, outcome)
            for line, outcome in zip(lines, outcomes, strict=True)
        ]
        return await served.run(self._write, answers, served.span_layers(self._options.tasks))

    def _parse(self, lines: Sequence[Line]) -> list[Outcome]:
        return list(map(self._parse_line, lines))

    def _parse_line(self, line: Line) -> Outcome:
        if line.content is None:
            return TooLarge(f"expected a line of at most {self._max_line_bytes} bytes")
        try:
            return parse_request(line.content, RequestDocument).to_document()
        except Exception as error:
            return error

    async def _tag(self, served: ServedModel, documents: Sequence[Document]) -> Sequence[Outcome]:
        if not documents:
            return []
        try:
            return await within(self._timeout_s, self._tag_patiently(served, documents))
        except TookTooLong as error:
            return [error] * len(documents)
        except Exception as error:  # it is told in the line of the document that it belongs to
            if len(documents) == 1:
                return [error]
        return [outcome for document in documents for outcome in await self._tag(served, [document])]

    async def _tag_patiently(self, served: ServedModel, documents: Sequence[Document]) -> list[Document]:
        while True:
            try:
                return await served.tag(documents, tasks=self._options.tasks, stopwatch=Stopwatch())
            except QueueFull:
                await asyncio.sleep(_RETRY_S)

    def _write(self, answers: Sequence[Document | bytes], layers: Sequence[str]) -> bytes:
        return b"".join(
            encode_document(answer, layers=layers, offsets=self._options.unit) + b"\n"
            if isinstance(answer, Document)
            else answer
            for answer in answers
        )
