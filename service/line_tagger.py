"""LineTagger: some lines of a stream -> one line of answer for each, its document or what is wrong with it."""

from collections.abc import Callable, Sequence

import msgspec

from service.errors import TookTooLong, TooLarge
from service.exchange import within
from service.lanes import Lane
from service.ndjson import Line
from service.rendering import JsonDocument
from service.schemas import RequestDocument, TagOptions, parse_request
from service.served import CHARACTERS_PER_TOKEN, ServedModel, wait_for_room
from service.stopwatch import Stopwatch
from taggers.document import Document, Sentence

Outcome = bytes | Exception
"""The written document, or what is wrong with it."""


class LineTagger:
    """Tags the documents of lines, several at a time; one that fails fails alone.

    They wait in the background, behind short requests. A full queue is no failure: a stream has no hurry and waits for
    room, within the time limit.

    Args:
        find_model: The model, asked for every time, because a new one may have taken its place.
        options: How to tag.
        write_problem: An exception as a problem document.
        max_line_bytes: The limit that a line without content was over.
        timeout_s: How long the documents of one call may take.
    """

    def __init__(
        self,
        find_model: Callable[[], ServedModel],
        options: TagOptions,
        *,
        write_problem: Callable[[Exception], bytes],
        max_line_bytes: int,
        timeout_s: float,
    ) -> None:
        self._find_model = find_model
        self._options = options
        self._write_problem = write_problem
        self._max_line_bytes = max_line_bytes
        self._timeout_s = timeout_s

    async def answer(self, lines: Sequence[Line]) -> bytes:
        """The answers for these lines, each with its line end, in their order."""
        try:
            served = self._find_model()
        except Exception as error:  # the service is shutting down, whatever the registry has to say about it
            return b"".join(self.problem(line.number, error) for line in lines)
        tokens = sum(line.size for line in lines) // CHARACTERS_PER_TOKEN
        parsed = await served.run(self._parse, lines, tokens=tokens, lane=Lane.BACKGROUND)
        good = [outcome for outcome in parsed if isinstance(outcome, Document)]
        tagged = iter(await self._tag(served, good))
        outcomes = [next(tagged) if isinstance(outcome, Document) else outcome for outcome in parsed]
        return b"".join(
            outcome if isinstance(outcome, bytes) else self.problem(line.number, outcome)
            for line, outcome in zip(lines, outcomes, strict=True)
        )

    def problem(self, number: int, error: Exception) -> bytes:
        """The line that tells what is wrong with a line."""
        problem = msgspec.Raw(self._write_problem(error))
        return msgspec.json.encode({"line": number, "error": problem}) + b"\n"

    def _parse(self, lines: Sequence[Line]) -> list[Document | Exception]:
        return list(map(self._parse_line, lines))

    def _parse_line(self, line: Line) -> Document | Exception:
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

    async def _tag_patiently(self, served: ServedModel, documents: Sequence[Document]) -> list[bytes]:
        layers = served.span_layers(self._options.tasks)
        made = [JsonDocument(document, layers=layers, offsets=self._options.unit) for document in documents]

        def take(index: int, sentences: Sequence[Sentence]) -> None:
            made[index].add(sentences)

        await wait_for_room(
            lambda: served.tag_into(
                documents, take, tasks=self._options.tasks, stopwatch=Stopwatch(), lane=Lane.BACKGROUND
            )
        )
        return [b"".join([*document.finish(), b"\n"]) for document in made]
