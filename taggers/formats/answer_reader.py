"""A tagged document from its JSON shape: the way back of ``answer.py``, which trusts nothing it reads."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from taggers.document import MOST_LAYERS, NO_VALUE, Document, EmptyNode, MultiWord, Sentence, Span
from taggers.formats.answer import EMPTY_COLUMNS, OWN_KEYS, Json
from taggers.formats.comments import one_line
from taggers.formats.json_fields import check, check_number, check_range, take
from taggers.offsets import OffsetMap, OffsetUnit

_COMMENT = re.compile(r"#[^\r\n]*")


def document_from_json(data: Mapping[str, Any], *, offsets: OffsetUnit = OffsetUnit.CODEPOINT) -> Document:
    """A document from the answer shape, all of it checked.

    Raises:
        ValueError: A field is missing or of a wrong kind, or an offset is wrong; the message names the field.
    """
    text = take(data, "text", str)
    mapping = OffsetMap(text, offsets)
    sentences = []
    for index, entry in enumerate(take(data, "sentences", list)):
        where = f"sentences[{index}]"
        sentences.append(_sentence_from_json(check(entry, dict, where), where, mapping.to_codepoint, len(text)))
    layers = _spans_from_json(data.get("spans", {}), sentences)
    sentences = [
        sentence.annotated(
            spans={layer: tuple(sorted(rows[index], key=lambda span: span.start)) for layer, rows in layers.items()}
        )
        for index, sentence in enumerate(sentences)
    ]
    document = Document(text, tuple(sentences), read_id(data))
    document.check()
    return document


def read_id(data: Mapping[str, Any], key: str = "id") -> str | None:
    """The id of a document: a string, or an integer read as one; None if there is none.

    Raises:
        ValueError: It is something else.
    """
    value = data.get(key)
    if value is None or isinstance(value, str):
        return value
    return str(check(value, int, key))


def _sentence_from_json(entry: Json, where: str, to_codepoint: Callable[[int], int], length: int) -> Sentence:
    def place(data: Json, path: str) -> tuple[int, int]:
        first, last = (to_codepoint(take(data, key, int, path)) for key in ("start", "end"))
        return check_range(first, last, length, path)

    paths = [f"{where}.tokens[{index}]" for index in range(len(take(entry, "tokens", list, where)))]
    tokens = [check(token, dict, path) for token, path in zip(entry["tokens"], paths, strict=True)]
    words = tuple(take(token, "text", str, path) for token, path in zip(tokens, paths, strict=True))
    offsets = tuple(place(token, path) for token, path in zip(tokens, paths, strict=True))
    names = {name: None for token in tokens for name in token if name not in OWN_KEYS}
    _check_layers(names, f"{where}.tokens")
    start, end = place(entry, where)
    return Sentence(
        words,
        offsets,
        start,
        end,
        tags={name: _column_from_json(tokens, name, where) for name in names},
        multiword=_multiword_from_json(entry, len(words), where),
        empty_nodes=_empty_nodes_from_json(entry, len(words), where),
        comments=_comments_from_json(entry, where) if "comments" in entry else (),
    )


def _comments_from_json(entry: Json, where: str) -> tuple[str, ...]:
    comments = _strings(entry, "comments", where)
    for index, comment in enumerate(comments):
        if not _COMMENT.fullmatch(comment):
            raise ValueError(f"{where}.comments[{index}]: expected a line that begins with #, found {comment!r}")
    return comments


def _column_from_json(tokens: list[Json], name: str, where: str) -> tuple[str, ...]:
    column = []
    for index, token in enumerate(tokens):
        value = token.get(name)
        path = f"{where}.tokens[{index}].{name}"
        if name == "feats" and isinstance(value, dict):
            items = ((key, check(item, str, f"{path}.{key}")) for key, item in value.items())
            value = "|".join(f"{key}={item}" if item else key for key, item in items) or NO_VALUE
        column.append(NO_VALUE if value is None else check(value, str, path))
    return tuple(column)


def _multiword_from_json(entry: Json, length: int, where: str) -> tuple[MultiWord, ...]:
    made: list[MultiWord] = []
    for index, item in enumerate(check(entry.get("multiword", []), list, f"{where}.multiword")):
        path = f"{where}.multiword[{index}]"
        first, stop = _token_range(check(item, dict, path), length, path)
        if made and first < made[-1].stop:
            raise ValueError(f"{path}.tokens: expected a range from {made[-1].stop}, found {first}:{stop}")
        columns = _cells(item, path, 8) if "columns" in item else EMPTY_COLUMNS
        made.append(MultiWord(first, stop, take(item, "text", str, path), columns))
    return tuple(made)


def _empty_nodes_from_json(entry: Json, length: int, where: str) -> tuple[EmptyNode, ...]:
    made: list[EmptyNode] = []
    for index, item in enumerate(check(entry.get("empty_nodes", []), list, f"{where}.empty_nodes")):
        path = f"{where}.empty_nodes[{index}]"
        after = take(check(item, dict, path), "after", int, path)
        check_range(0, after, length, f"{path}.after")
        last = made[-1] if made else EmptyNode(0, 0, ())
        node = EmptyNode(after, take(item, "index", int, path), _cells(item, path, 9))
        if after < last.after or node.index != (last.index + 1 if after == last.after else 1):
            found = f"{node.after}.{node.index} behind {last.after}.{last.index}" if made else f"{after}.{node.index}"
            raise ValueError(f"{path}: expected empty nodes in order, counted from 1 behind each word, found {found}")
        made.append(node)
    return tuple(made)


def _spans_from_json(data: object, sentences: list[Sentence]) -> dict[str, list[list[Span]]]:
    layers: dict[str, list[list[Span]]] = {}
    given = check(data, dict, "spans")
    _check_layers(given, "spans")
    for layer, items in given.items():
        rows: list[list[Span]] = [[] for _ in sentences]
        for index, item in enumerate(check(items, list, f"spans.{layer}")):
            path = f"spans.{layer}[{index}]"
            at = take(check(item, dict, path), "sentence", int, path)
            check_range(at, at + 1, len(sentences), f"{path}.sentence")
            start, stop = _token_range(item, len(sentences[at]), path)
            score = None if item.get("score") is None else check_number(item["score"], f"{path}.score")
            rows[at].append(Span(start, stop, take(item, "label", str, path), score))
        layers[layer] = rows
    return layers


def _check_layers(names: Collection[str], where: str) -> None:
    if len(names) > MOST_LAYERS:
        raise ValueError(f"{where}: expected at most {MOST_LAYERS} layers, found {len(names):,}")


def _token_range(item: Json, length: int, where: str) -> tuple[int, int]:
    """The words ``[first, stop)`` that a span or a multi-word token covers: at least one."""
    pair = take(item, "tokens", list, where)
    if len(pair) != 2:
        raise ValueError(f"{where}.tokens: expected [first, stop], found {pair}")
    first, stop = (check(value, int, f"{where}.tokens") for value in pair)
    check_range(first + 1, stop, length, f"{where}.tokens")
    return check_range(first, stop, length, f"{where}.tokens")


def _cells(item: Json, where: str, count: int) -> tuple[str, ...]:
    cells = _strings(item, "columns", where, count)
    for index, cell in enumerate(cells):
        if one_line(cell) != cell:
            raise ValueError(f"{where}.columns[{index}]: expected a value without tabs or line ends, found {cell!r}")
    return cells


def _strings(item: Json, key: str, where: str, count: int | None = None) -> tuple[str, ...]:
    values = take(item, key, list, where)
    if count is not None and len(values) != count:
        raise ValueError(f"{where}.{key}: expected {count} strings, found {len(values)}")
    return tuple(check(value, str, f"{where}.{key}") for value in values)
