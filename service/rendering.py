"""Tagged sentences -> the body of an answer, in the form that the client takes.

JSON and MessagePack are written while sentences are being tagged, because as objects they are many times their size.
The body stays in the pieces in which it was made: joined, it would take its memory twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

import mimeparse
import msgspec

from service.errors import NotAcceptable
from taggers.document import Document, Sentence
from taggers.formats.answer import AnswerShape, Json
from taggers.formats.conllu_writer import write_conllu
from taggers.formats.html import write_html
from taggers.offsets import OffsetUnit


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for.

    Attributes:
        model: The model's name as the client said it.
        documents: The documents; their tagged sentences come later.
        layers: The layers of spans that were filled; an answer has each, however little text there was.
        offsets: The unit of offsets.
    """

    model: str
    documents: Sequence[Document]
    layers: Sequence[str]
    offsets: OffsetUnit


class Writer(Protocol):
    """Writes one answer."""

    def add(self, index: int, sentences: Sequence[Sentence]) -> None:
        """Take the next tagged sentences of a document, by its position; documents come in order."""

    def finish(self) -> Iterable[bytes]:
        """The body, in pieces."""


class JsonDocument:
    """One document in the answer shape as JSON on one line, written as its sentences come.

    Args:
        document: The document; its tagged sentences come later.
        layers: The layers of spans that it has, if only empty ones.
        offsets: The unit of offsets.
    """

    def __init__(self, document: Document, *, layers: Sequence[str], offsets: OffsetUnit) -> None:
        self._document = document
        self._shape = AnswerShape(document.text, offsets=offsets, layers=layers)
        self._written: list[bytes] = []

    def add(self, sentences: Sequence[Sentence]) -> None:
        """Write the next sentences; at least one."""
        self._written.append(msgspec.json.encode(self._shape.add(sentences))[1:-1])

    def finish(self) -> Iterator[bytes]:
        """The document, in pieces."""
        head: Json = {"id": self._document.id, "text": self._document.text, "sentences": []}
        yield msgspec.json.encode(head)[: -len("]}")]
        for index, piece in enumerate(self._written):
            if index:
                yield b","
            yield piece
        yield b'],"spans":%b}' % msgspec.json.encode(self._shape.spans)


class MessagePackDocument:
    """The same as MessagePack."""

    def __init__(self, document: Document, *, layers: Sequence[str], offsets: OffsetUnit) -> None:
        self._document = document
        self._shape = AnswerShape(document.text, offsets=offsets, layers=layers)
        self._written: list[bytes] = []
        self._num_sentences = 0

    def add(self, sentences: Sequence[Sentence]) -> None:
        """Write the next sentences."""
        self._written.append(b"".join(map(msgspec.msgpack.encode, self._shape.add(sentences))))
        self._num_sentences += len(sentences)

    def finish(self) -> Iterator[bytes]:
        """The document, in pieces."""
        head: Json = {
            "id": self._document.id,
            "text": self._document.text,
            "spans": self._shape.spans,
            "sentences": [],
        }
        yield msgspec.msgpack.encode(head)[:-1] + _array_head(self._num_sentences)
        yield from self._written


class GradualWriter:
    """A form that is written document by document, as their sentences come.

    Args:
        answer: What was asked for.
        make: What writes one document.
        frame: The documents, each in pieces -> the body, in pieces.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        make: type[JsonDocument] | type[MessagePackDocument],
        frame: Callable[[Answer, Iterable[Iterable[bytes]]], Iterable[bytes]],
    ) -> None:
        self._answer = answer
        self._frame = frame
        self._documents = [
            make(document, layers=answer.layers, offsets=answer.offsets) for document in answer.documents
        ]

    def add(self, index: int, sentences: Sequence[Sentence]) -> None:
        """Write the next sentences of a document."""
        self._documents[index].add(sentences)

    def finish(self) -> Iterable[bytes]:
        """The body, in pieces."""
        return self._frame(self._answer, (document.finish() for document in self._documents))


class WholeWriter:
    """A form that is written when all is tagged.

    Args:
        answer: What was asked for.
        write: Whole documents -> the body, in pieces of text.
    """

    def __init__(self, answer: Answer, *, write: Callable[[Answer, Iterable[Document]], Iterable[str]]) -> None:
        self._answer = answer
        self._write = write
        self._sentences: list[list[Sentence]] = [[] for _ in answer.documents]

    def add(self, index: int, sentences: Sequence[Sentence]) -> None:
        """Keep the next sentences of a document."""
        self._sentences[index].extend(sentences)

    def finish(self) -> Iterator[bytes]:
        """The body, in pieces."""
        tagged = (
            Document(document.text, tuple(sentences), document.id)
            for document, sentences in zip(self._answer.documents, self._sentences, strict=True)
        )
        return (piece.encode() for piece in self._write(self._answer, tagged))


def _frame_json(answer: Answer, documents: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    yield b'{"model":%b,"documents":[' % msgspec.json.encode(answer.model)
    for index, document in enumerate(documents):
        if index:
            yield b","
        yield from document
    yield b"]}"


def _frame_msgpack(answer: Answer, documents: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    head = msgspec.msgpack.encode({"model": answer.model, "documents": []})
    yield head[:-1] + _array_head(len(answer.documents))
    for document in documents:
        yield from document


def _conllu(_: Answer, documents: Iterable[Document]) -> Iterable[str]:
    """CoNLL-U, with entities in MISC."""
    return write_conllu(documents)


def _html(answer: Answer, documents: Iterable[Document]) -> Iterable[str]:
    """A page with the spans highlighted."""
    return write_html(documents, title=f"Tagged by {answer.model}")


_json = partial(GradualWriter, make=JsonDocument, frame=_frame_json)
_msgpack = partial(GradualWriter, make=MessagePackDocument, frame=_frame_msgpack)

FORMS: Mapping[str, Callable[[Answer], Writer]] = {
    "application/json": _json,
    "text/x-conllu": partial(WholeWriter, write=_conllu),
    "text/html": partial(WholeWriter, write=_html),
    "application/msgpack": _msgpack,
    "application/x-msgpack": _msgpack,
}
"""Media type -> how it is written. The first is the default."""


def choose_form(accept: str) -> tuple[str, Callable[[Answer], Writer]]:
    """The form that the client likes best: its media type, and how it is written.

    Args:
        accept: The request's ``Accept``.

    Raises:
        NotAcceptable: It takes none of them.
    """
    found = best_match(accept, tuple(FORMS))
    if found is None:
        raise NotAcceptable(f"expected Accept to allow one of {', '.join(FORMS)}")
    return found, FORMS[found]


def check_accepts(accept: str, form: str) -> None:
    """Go on only if the client takes the one form that there is.

    Raises:
        NotAcceptable: It does not.
    """
    if best_match(accept, (form,)) is None:
        raise NotAcceptable(f"expected Accept to allow {form}")


@lru_cache(maxsize=64)  # clients send the same ones again and again
def best_match(accept: str, forms: tuple[str, ...]) -> str | None:
    """The media type of ``forms`` that an ``Accept`` likes best; None if it takes none of them."""
    if len(accept) > _LONGEST_ACCEPT:
        return None
    ranges = [part for part in accept.split(",") if part.strip()] or ["*/*"]
    with suppress(mimeparse.MimeTypeParseException):
        return mimeparse.best_match(forms[::-1], ",".join(ranges)) or None  # of equals it takes the last
    return None


_LONGEST_ACCEPT = 4_096
"""Reading a longer one would hold up the event loop."""

_LONG_ARRAY = b"\xdd"
"""Opens an array in MessagePack; the number of its items follows in four bytes."""


def _array_head(count: int) -> bytes:
    return _LONG_ARRAY + count.to_bytes(4)
