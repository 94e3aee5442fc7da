"""The body of ``POST /v1/tag`` in its forms, by Content-Type: JSON, MessagePack or CoNLL-U -> what is asked for.

What is none of the others is JSON: ``curl -d`` calls everything a form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from service.errors import BadRequest, TooLarge
from service.options import read_options
from service.schemas import TagOptions, TagRequest, check_request, parse_request
from taggers.document import Document
from taggers.errors import FormatError
from taggers.formats.conllu import read_conllu
from taggers.formats.lines import decode_lines

MESSAGEPACK = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
CONLLU = "text/x-conllu"


Query = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: documents, and how to tag them."""

    documents: Sequence[Document]
    options: TagOptions


def read_asked(body: bytes, media_type: str, query: Query, model: type[TagRequest], *, max_documents: int) -> Asked:
    """Read a body.

    Args:
        body: The body.
        media_type: Its form, without parameters.
        query: The parameters of the query; they are read for CoNLL-U, which has no place for them.
        model: What other bodies must be.
        max_documents: The most documents.

    Raises:
        BadRequest: It is malformed, or not what ``model`` demands.
        TooLarge: It has too many documents.
    """
    if media_type == CONLLU:
        options, documents = read_options(query), _read_conllu(body)
        if len(documents) > max_documents:
            raise TooLarge(f"expected at most {max_documents} documents in one request")
        return Asked(documents, options)
    asked = check_request(_unpack(body), model) if media_type in MESSAGEPACK else parse_request(body, model)
    return Asked(asked.to_documents(), asked)


def _unpack(body: bytes) -> object:
    try:
        return msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"malformed MessagePack: {error}") from None


def _read_conllu(body: bytes) -> list[Document]:
    try:
        return list(read_conllu(decode_lines(body, "body"), "body"))
    except FormatError as error:
        raise BadRequest(f"malformed CoNLL-U: line {error.line}: {error.problem}") from None
