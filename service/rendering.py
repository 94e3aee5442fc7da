"""Tagged documents -> the body of an answer, in the form that the client takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.datastructures.headers import Accept

from service.errors import NotAcceptable
from taggers.document import Document
from taggers.formats.answer import document_to_json
from taggers.formats.conllu_writer import write_conllu
from taggers.formats.html import write_html
from taggers.offsets import OffsetUnit


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for.

    Attributes:
        model: The model's name as the client said it.
        documents: The tagged documents.
        layers: The layers of spans that were filled; an answer has each, however little text there was.
        offsets: The unit of offsets.
    """

    model: str
    documents: Sequence[Document]
    layers: Sequence[str]
    offsets: OffsetUnit


_LONG_ARRAY = b"\xdd"
"""Opens an array in MessagePack; the number of its items follows in four bytes."""

Render = Callable[[Answer], bytes]


def render_json(answer: Answer) -> bytes:
    """The answer shape; written document by document, because as objects it is many times its size."""
    written = (encode_document(document, layers=answer.layers, offsets=answer.offsets) for document in answer.documents)
    return b'{"model":%b,"documents":[%b]}' % (msgspec.json.encode(answer.model), b",".join(written))


def render_msgpack(answer: Answer) -> bytes:
    """The answer shape as MessagePack; written document by document, too."""
    written = [msgspec.msgpack.encode(_shape(document, answer.layers, answer.offsets)) for document in answer.documents]
    head = msgspec.msgpack.encode({"model": answer.model, "documents": []})
    return head[:-1] + _LONG_ARRAY + len(written).to_bytes(4) + b"".join(written)


def render_conllu(answer: Answer) -> bytes:
    """CoNLL-U, with entities in MISC."""
    return "".join(write_conllu(answer.documents)).encode()


def render_html(answer: Answer) -> bytes:
    """A page with the spans highlighted."""
    return "".join(write_html(answer.documents, title=f"Tagged by {answer.model}")).encode()


def encode_document(document: Document, *, layers: Sequence[str], offsets: OffsetUnit) -> bytes:
    """One document in the answer shape, as JSON on one line.

    Args:
        document: What to write.
        layers: The layers of spans that it has, if only empty ones.
        offsets: The unit of offsets.
    """
    return msgspec.json.encode(_shape(document, layers, offsets))


def _shape(document: Document, layers: Sequence[str], offsets: OffsetUnit) -> dict[str, Any]:
    made = document_to_json(document, offsets=offsets)
    for layer in layers:
        made["spans"].setdefault(layer, [])
    return made


FORMS: Mapping[str, Render] = {
    "application/json": render_json,
    "text/x-conllu": render_conllu,
    "text/html": render_html,
    "application/msgpack": render_msgpack,
    "application/x-msgpack": render_msgpack,
}
"""Media type -> how it is written. The first is the default."""


def choose_form(accept: Accept) -> tuple[str, Render]:
    """The form that the client likes best: its media type, and how it is written.

    Raises:
        NotAcceptable: It takes none of them.
    """
    found = accept.best_match(list(FORMS))
    if found is None:
        raise NotAcceptable(f"expected Accept to allow one of {', '.join(FORMS)}")
    return found, FORMS[found]


def check_accepts(accept: Accept, form: str) -> None:
    """Go on only if the client takes the one form that there is.

    Raises:
        NotAcceptable: It does not.
    """
    if accept.best_match([form]) is None:
        raise NotAcceptable(f"expected Accept to allow {form}")
