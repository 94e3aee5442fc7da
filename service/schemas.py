"""The bodies of requests: what ``/schema`` describes, and how they are read and refused."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from service.errors import BadRequest, FieldError, TooLarge
from taggers.document import Document
from taggers.offsets import OffsetUnit

_MAX_FIELD_ERRORS = 100
"""So many bad fields are named; past ten times as many none is, for naming them costs memory."""


def _check_word(word: str) -> str:
    if not word.strip():
        raise PydanticCustomError("blank_word", "expected a word, found {found}", {"found": repr(word[:20])})
    return word


Word = Annotated[str, AfterValidator(_check_word)]
Strings = Annotated[list[str], Field(fail_fast=True)]
"""What is wrong with it is told at the first: a body holds millions, and so would the list of them."""
Words = Annotated[list[Word], Field(min_length=1, fail_fast=True)]


class RequestModel(BaseModel):
    """What clients send: no field but those named, and each of just its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


RequestT = TypeVar("RequestT", bound=RequestModel)


class RequestDocument(RequestModel):
    """One document: a text, or words that are already split."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["tokens"]}]})

    id: str | None = None
    """Comes back with the answer."""
    text: str | None = None
    """Any text; offsets of the answer point into it."""
    tokens: Annotated[list[Words], Field(fail_fast=True)] | None = None
    """Sentences of words. The answer's text is then these words, joined by spaces and line ends."""

    @model_validator(mode="after")
    def _check_either(self) -> Self:
        if (self.text is None) == (self.tokens is None):
            found = "neither" if self.text is None else "both"
            raise PydanticCustomError("either", f"expected either text or tokens, found {found}")
        return self

    def to_document(self) -> Document:
        """The document; one that is a text has no sentences yet."""
        if self.tokens is not None:
            return Document.from_words(self.tokens, id=self.id)
        return Document(self.text or "", id=self.id)


class TagOptions(RequestModel):
    """How to tag."""

    model: str | None = None
    """A model's name or alias; the default model if absent."""
    tasks: Strings | None = None
    """Which layers to fill beside sentences and tokens; all that the model has if absent."""
    offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"
    """What offsets count: Unicode code points, UTF-16 code units, or UTF-8 bytes."""

    @property
    def unit(self) -> OffsetUnit:
        """What offsets count."""
        return OffsetUnit(self.offsets)


class TagRequest(TagOptions):
    """What ``POST /v1/tag`` takes: documents, or the short form with one text."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["documents"]}, {"required": ["text"]}],
            "examples": [
                {"text": "Ada Lovelace wrote to Babbage in London."},
                {
                    "documents": [{"id": "b", "tokens": [["Already", "split", "words", "."]]}],
                    "model": "en",
                    "tasks": ["upos", "ner"],
                    "offsets": "utf16",
                },
            ],
        }
    )

    documents: list[RequestDocument] | None = None
    """The documents, answered in their order."""
    text: str | None = None
    """One text: short for one document that is nothing else."""

    @model_validator(mode="after")
    def _check_either(self) -> Self:
        if (self.text is None) == (self.documents is None):
            found = "neither" if self.text is None else "both"
            raise PydanticCustomError("either", f"expected either documents or text, found {found}")
        return self

    def to_documents(self) -> list[Document]:
        """The documents asked for."""
        if self.documents is None:
            return [Document(self.text or "")]
        return [document.to_document() for document in self.documents]


def tag_request(*, max_documents: int) -> type[TagRequest]:
    """The request model with the limit of this service, which stops at the limit instead of reading on."""
    documents = Annotated[list[RequestDocument], Field(max_length=max_documents)] | None
    return create_model("TagRequest", __base__=TagRequest, __doc__=TagRequest.__doc__, documents=(documents, None))


class ReloadRequest(RequestModel):
    """What ``POST /v1/models/{name}/reload`` takes; it needs no body."""

    folder: str | None = None
    """Where the new model is, below the root of the service's models; where the old one came from if absent."""


def parse_request(body: bytes, model: type[RequestT]) -> RequestT:
    """Read the body of a request.

    Raises:
        BadRequest: It is not JSON, or not what ``model`` demands.
        TooLarge: It has too many documents.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error, model) from None


def check_request(value: object, model: type[RequestT]) -> RequestT:
    """Read what has been decoded already, from another form than JSON.

    Raises:
        BadRequest: It is not what ``model`` demands.
        TooLarge: It has too many documents.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _refusal(error, model) from None


def _refusal(error: ValidationError, model: type[BaseModel]) -> BadRequest | TooLarge:
    """What to answer instead."""
    count = error.error_count()
    if count > 10 * _MAX_FIELD_ERRORS:
        return BadRequest(f"{count} bad fields: too many to name")
    found = error.errors(include_url=False, include_input=False)
    for detail in found:
        if detail["type"] == "too_long" and detail["loc"] == ("documents",):
            return TooLarge(f"expected at most {detail['ctx']['max_length']} documents in one request")
    if found[0]["type"] == "json_invalid":
        return BadRequest(_malformed(found[0]))
    shown = [
        FieldError(".".join(map(str, detail["loc"])), _message(detail, model)) for detail in found[:_MAX_FIELD_ERRORS]
    ]
    return BadRequest("; ".join(_summary(shown, count)), shown)


def _malformed(detail: ErrorDetails) -> str:
    problem = detail["msg"].removeprefix("Invalid JSON: ")
    hint = " (half of a surrogate pair is not valid Unicode)" if "hex escape" in problem else ""
    return f"malformed JSON: {problem}{hint}"


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        for name in detail["loc"][:-1]:
            if name in model.model_fields:
                model = next(_models_in(model.model_fields[str(name)].annotation), model)
        return f"unknown field; there are: {', '.join(model.model_fields)}"
    return detail["msg"]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models of which a field consists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _summary(fields: Sequence[FieldError], count: int) -> Iterator[str]:
    for field in fields[:3]:
        yield f"{field.path or 'body'}: {field.message}"
    if count > 3:
        yield f"and {count - 3} more"
