"""JSON Lines: one document a line, as text with spans of characters or as a tagged document.

Read are the answer shape (``answer.py``), ``{"id", "text", "spans": {"ner": [{"start", "end", "label"}]}}``, a flat
``spans`` list as Prodigy writes, a ``label`` list of ``[start, end, label]`` as doccano writes, and ``tokens``, a list
of sentences that are lists of words.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from taggers.document import Document, check_unicode
from taggers.errors import FormatError, InvalidText
from taggers.formats.answer import Json, document_to_json
from taggers.formats.answer_reader import document_from_json, read_id
from taggers.formats.json_fields import check, check_range, take
from taggers.formats.lines import read_lines, strip_mark
from taggers.formats.plain import as_plain
from taggers.formats.raw import CharSpan, Misalignment, RawDocument, align_spans
from taggers.offsets import OffsetMap, OffsetUnit

__all__ = [
    "CharSpan",
    "Misalignment",
    "RawDocument",
    "align_spans",
    "document_to_json",
    "json_problem",
    "read_jsonl",
    "read_jsonl_file",
    "write_jsonl",
    "write_line",
]

_LINE_ENDS = ("\x85", "\u2028", "\u2029")  # to some readers, though not to JSON


def read_jsonl_file(path: str | Path, *, offsets: OffsetUnit = OffsetUnit.CODEPOINT) -> list[Document | RawDocument]:
    """The documents of a file; see ``read_jsonl``.

    Raises:
        FormatError: A line is malformed, or not UTF-8.
        OSError: The file cannot be read.
    """
    return list(read_jsonl(read_lines(Path(path)), str(path), offsets=offsets))


def read_jsonl(
    stream: Iterable[str],
    path: str = "<stream>",
    *,
    offsets: OffsetUnit = OffsetUnit.CODEPOINT,
    text_field: str = "text",
    id_field: str = "id",
    layer: str = "ner",
) -> Iterator[Document | RawDocument]:
    """The documents of a stream of lines, each as soon as its line is there; blank lines are skipped.

    A line with ``sentences`` or ``tokens`` gives a ``Document``, any other a ``RawDocument``.

    Args:
        stream: Lines, with or without their line ends.
        path: What errors call the stream.
        offsets: The unit in which the lines count.
        text_field: The field that holds the text of an unsegmented document.
        id_field: The field that holds its id.
        layer: The layer of spans that are given without one.

    Raises:
        FormatError: A line is not a JSON object of a known shape, or its text is not valid Unicode.
    """
    for number, line in enumerate(stream, 1):
        content = (strip_mark(line) if number == 1 else line).strip()
        if not content:
            continue
        try:
            data = check(json.loads(content), dict, "line")
            if "\\" in content:  # only an escape can bring a lone surrogate in
                check_unicode(json.dumps(data, ensure_ascii=False))
            yield _document(data, offsets, text_field, id_field, layer)
        except (ValueError, RecursionError, InvalidText) as error:
            raise FormatError(path, number, json_problem(error)) from None


def write_jsonl(
    documents: Iterable[Document | RawDocument], *, offsets: OffsetUnit = OffsetUnit.CODEPOINT
) -> Iterator[str]:
    """One line a document, with its line end; tagged documents in the answer shape."""
    for document in documents:
        if isinstance(document, RawDocument):
            data = _raw_to_json(document, offsets)
        else:
            data = document_to_json(document, offsets=offsets)
        yield write_line(data)


def write_line(data: Mapping[str, Any]) -> str:
    """A JSON object on a line of its own, with the line end; dates, decimals and bytes in it become strings."""
    line = msgspec.json.encode(data, enc_hook=as_plain).decode("utf-8")
    for character in _LINE_ENDS:
        line = line.replace(character, f"\\u{ord(character):04x}")
    return line + "\n"


def _document(data: Json, offsets: OffsetUnit, text_field: str, id_field: str, layer: str) -> Document | RawDocument:
    if "sentences" in data:
        return document_from_json(data, offsets=offsets)
    if "tokens" in data and text_field not in data:
        words = [
            [check(word, str, f"tokens[{index}]") for word in check(row, list, f"tokens[{index}]")]
            for index, row in enumerate(take(data, "tokens", list))
        ]
        return Document.from_words(words, id=read_id(data, id_field))
    text = take(data, text_field, str)
    return RawDocument(text, read_id(data, id_field), _layers(data, layer, OffsetMap(text, offsets), len(text)))


def _layers(data: Json, layer: str, mapping: OffsetMap, length: int) -> dict[str, tuple[CharSpan, ...]]:
    given = data.get("spans", data.get("label"))
    if given is None:
        return {}
    layers: Mapping[str, Any] = given if isinstance(given, dict) else {layer: given}
    return {
        name: tuple(
            _char_span(item, mapping, length, f"spans.{name}[{index}]")
            for index, item in enumerate(check(items, list, f"spans.{name}"))
        )
        for name, items in layers.items()
    }


def _char_span(item: object, mapping: OffsetMap, length: int, where: str) -> CharSpan:
    if isinstance(item, list):
        if len(item) != 3:
            raise ValueError(f"{where}: expected [start, end, label], found {len(item)} values")
        item = dict(zip(("start", "end", "label"), item, strict=True))
    entry = check(item, dict, where)
    start, end = (mapping.to_codepoint(take(entry, key, int, where)) for key in ("start", "end"))
    check_range(start, end, length, where)
    return CharSpan(start, end, take(entry, "label", str, where))


def _raw_to_json(document: RawDocument, offsets: OffsetUnit) -> Json:
    to_unit = OffsetMap(document.text, offsets).to_unit
    layers = {
        layer: [{"start": to_unit(span.start), "end": to_unit(span.end), "label": span.label} for span in spans]
        for layer, spans in document.spans.items()
    }
    return {"id": document.id, "text": document.text, "spans": layers}


def json_problem(error: Exception) -> str:
    """What is wrong with a line, for people: what was expected and what was found."""
    if isinstance(error, json.JSONDecodeError):
        return f"expected a JSON object, found {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "expected a JSON object, found one nested too deep to read"
    if isinstance(error, InvalidText):
        return "expected valid Unicode, found a lone surrogate"
    return str(error)
