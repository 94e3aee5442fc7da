"""A piece -> a record: the document in it, and the other columns, which pass through to the output."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taggers.bulk.pieces import Failure, Piece, ReadOptions, as_failure
from taggers.document import Document, check_unicode
from taggers.errors import FormatError, InvalidText
from taggers.formats.answer import Json
from taggers.formats.answer_reader import document_from_json, read_id
from taggers.formats.conllu import read_conllu
from taggers.formats.json_fields import check, take
from taggers.formats.jsonl import json_problem
from taggers.formats.lines import decode_at, strip_mark
from taggers.formats.raw import RawDocument

OWN_COLUMNS = ("id", "text", "sentences", "spans")
"""The columns of the output that are ours; another of such a name gets an underscore behind it."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Record:
    """One document with what stood beside it.

    Attributes:
        place: Where it stands: its source and its line.
        document: Its text, or its words where they are known.
        extra: The other columns by name; none of them is called like one of ours.
        schema: The Arrow schema that tells their types, if they come from Parquet.
    """

    place: str
    document: Document | RawDocument
    extra: Mapping[str, Any] = field(default_factory=dict)
    schema: Any = None


def parse_piece(piece: Piece, options: ReadOptions) -> Record | Failure:
    """The record in a piece, or what is wrong with it."""
    place = f"{piece.source}:{piece.line}"
    try:
        match piece.kind:
            case "text":
                return Record(place, RawDocument(_text(piece), piece.id))
            case "conllu":
                return Record(place, _conllu(piece))
            case "jsonl":
                return _row(place, _json(_text(piece)), options)
            case "row":
                assert isinstance(piece.content, Mapping)
                return _row(place, piece.content, options, piece.schema)
    except FormatError as error:
        return as_failure(error)
    except (ValueError, OverflowError, RecursionError, InvalidText) as error:
        return Failure(place, json_problem(error))


def _text(piece: Piece) -> str:
    assert isinstance(piece.content, bytes)
    text = decode_at(piece.content, piece.source, line=piece.line, offset=piece.offset)
    return text if piece.offset else strip_mark(text)


def _conllu(piece: Piece) -> Document:
    try:
        document = next(read_conllu(_text(piece).split("\n"), piece.source), None)
    except FormatError as error:  # which has counted from the document's first line
        raise FormatError(error.path, piece.line - 1 + error.line, error.problem) from None
    if document is None:
        raise FormatError(piece.source, piece.line, "expected a sentence, found none")
    return document


def _json(line: str) -> Json:
    data = check(json.loads(line.rstrip("\r\n")), dict, "line")  # else what it lacks is missed on the next line
    if _SURROGATE.search(line):  # only an escape can bring a lone surrogate in
        check_unicode(json.dumps(data, ensure_ascii=False))
    return data


def _row(place: str, data: Mapping[str, Any], options: ReadOptions, schema: Any = None) -> Record:
    document: Document | RawDocument
    used: tuple[str, ...]
    if isinstance(data.get("sentences"), list) and options.text_field == "text":
        document = document_from_json(_without_nulls(data) if schema else data)
        used = OWN_COLUMNS
    elif "tokens" in data and options.text_field not in data:
        words = [
            [check(word, str, f"tokens[{index}]") for word in check(row, list, f"tokens[{index}]")]
            for index, row in enumerate(take(data, "tokens", list))
        ]
        document = Document.from_words(words, id=read_id(data, options.id_field))
        used = ("tokens", options.id_field)
    else:
        document = RawDocument(take(data, options.text_field, str), read_id(data, options.id_field))
        used = (options.text_field, options.id_field)
    return Record(place, document, _others(data, used), schema)


def _others(data: Mapping[str, Any], used: tuple[str, ...]) -> dict[str, Any]:
    others = {name: value for name, value in data.items() if name not in used}
    for name in OWN_COLUMNS:
        if name in others:
            free = name
            while free in others:
                free += "_"
            others = {free if key == name else key: value for key, value in others.items()}
    return others


def _without_nulls(value: Any) -> Any:
    """A row of Parquet as JSON has it: there a column that one record has, all have."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
