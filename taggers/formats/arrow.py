"""Tagged documents as Arrow columns, in the shape of the JSON answer (``answer.py``): what Parquet files hold.

Where JSON leaves out what a sentence lacks, a table has nulls. FEATS is a map, a span layer a field of ``spans``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import msgspec
import pyarrow as pa

from taggers.document import Document, MultiWord, Sentence, Span
from taggers.formats.answer import EMPTY_COLUMNS, FIRST_COLUMNS, SCORE_DIGITS, feats_items
from taggers.formats.plain import as_plain

_WORDS = pa.list_(pa.int32())  # of a span or a multi-word token: the first and the one behind the last
_STRINGS = pa.list_(pa.string())
_MULTIWORD = pa.struct({"tokens": _WORDS, "text": pa.string(), "columns": _STRINGS})
_EMPTY_NODE = pa.struct({"after": pa.int32(), "index": pa.int32(), "columns": _STRINGS})


def documents_to_table(
    documents: Sequence[Document],
    extras: Sequence[Mapping[str, Any]],
    *,
    layers: Iterable[str] = (),
    types: Mapping[str, pa.DataType] | None = None,
) -> pa.Table:
    """A row for each document, with its other columns behind ours.

    Args:
        documents: What to write.
        extras: The other columns of each document.
        layers: Span layers that have a field even if no document has them.
        types: The types of other columns where they are known; the others' are found out, and a column whose values
            have no common type holds them as JSON.
    """
    columns = {
        "id": pa.array([document.id for document in documents], pa.string()),
        "text": pa.array([document.text for document in documents], pa.string()),
        "sentences": _lists([document.sentences for document in documents], _sentences),
    }
    found = chain.from_iterable(sentence.spans for document in documents for sentence in document)
    if names := list(dict.fromkeys(chain(layers, found))):  # Parquet can hold no struct without fields
        columns["spans"] = pa.StructArray.from_arrays([_layer(documents, name) for name in names], names=names)
    for name in dict.fromkeys(chain.from_iterable(extras)):
        columns[name] = other_column([extra.get(name) for extra in extras], (types or {}).get(name))
    return pa.table(columns)


def other_column(values: Sequence[Any], kind: pa.DataType | None) -> pa.Array:
    """A column of values that came from elsewhere, of this type if they have it."""
    truths = [isinstance(value, bool) for value in values if value is not None]
    if kind is None and any(truths) and not all(truths):  # Arrow would take them for numbers
        return as_json(values)
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError):
        return as_json(values)


def values_of(column: pa.Array) -> list[Any]:
    """The values of a column as Python has them; a time with more digits than that has stays a scalar of Arrow.

    Raises:
        ValueError: A value has no counterpart: a string is not UTF-8, a date is past the year 9999.
        OverflowError: The same.
    """
    if getattr(column.type, "unit", None) != "ns":
        return column.to_pylist(maps_as_pydicts="lossy")  # type: ignore[no-any-return]
    kind = _in_microseconds(column.type)
    try:
        return column.cast(kind).to_pylist()  # type: ignore[no-any-return]
    except pa.ArrowInvalid:
        return [_shortest(value, kind) for value in column]


def rows_of(table: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """The rows of a table, of values as ``values_of`` has them.

    Raises:
        ValueError: As there.
        OverflowError: As there.
    """
    names = table.schema.names
    columns = [values_of(column) for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")


def _shortest(value: pa.Scalar, kind: pa.DataType) -> Any:
    if not value.is_valid:
        return None
    try:
        return value.cast(kind).as_py()
    except pa.ArrowInvalid:
        return value


def as_json(values: Iterable[Any]) -> pa.Array:
    """A column of values that have no common type: text as it is, anything else as JSON."""
    return pa.array([None if value is None else _as_text(value) for value in values], pa.string())


def _as_text(value: Any) -> str:
    plain = msgspec.to_builtins(value, enc_hook=as_plain)  # a date becomes text
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode("utf-8")


def _lists(rows: Sequence[Sequence[Any] | None], build: Callable[[list[Any]], pa.Array]) -> pa.Array:
    """A list column from the items of each row; null where there are none to speak of."""
    return pa.ListArray.from_arrays(_offsets(rows), build(list(chain.from_iterable(row or () for row in rows))))


def _offsets(rows: Sequence[Sequence[Any] | None]) -> pa.Array:
    """Where the items of each row begin; null for a row that is null itself."""
    ends = list(accumulate((len(row or ()) for row in rows), initial=0))
    starts = [None if row is None else end for row, end in zip(rows, ends, strict=False)]
    return pa.array([*starts, ends[-1]], pa.int32())


def _sentences(sentences: Sequence[Sentence]) -> pa.Array:
    return pa.StructArray.from_arrays(
        [
            pa.array([sentence.start for sentence in sentences], pa.int32()),
            pa.array([sentence.end for sentence in sentences], pa.int32()),
            _tokens(sentences),
            pa.array([_multiword(sentence.multiword) for sentence in sentences], pa.list_(_MULTIWORD)),
            pa.array([_empty_nodes(sentence) for sentence in sentences], pa.list_(_EMPTY_NODE)),
            pa.array([sentence.comments or None for sentence in sentences], _STRINGS),
        ],
        names=["start", "end", "tokens", "multiword", "empty_nodes", "comments"],
    )


def _tokens(sentences: Sequence[Sentence]) -> pa.Array:
    found = dict.fromkeys(chain.from_iterable(sentence.tags for sentence in sentences))
    names = [name for name in FIRST_COLUMNS if name in found] + [name for name in found if name not in FIRST_COLUMNS]
    offsets = [pair for sentence in sentences for pair in sentence.offsets]
    columns = {
        "text": pa.array(list(chain.from_iterable(sentence.words for sentence in sentences)), pa.string()),
        "start": pa.array([start for start, _ in offsets], pa.int32()),
        "end": pa.array([end for _, end in offsets], pa.int32()),
    }
    for name in names:
        absent = (None,)
        column: list[str | None] = list(
            chain.from_iterable(sentence.tags.get(name) or absent * len(sentence) for sentence in sentences)
        )
        columns[name] = _feats(column) if name == "feats" else pa.array(column, pa.string())
    tokens = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    return pa.ListArray.from_arrays(_offsets([sentence.words for sentence in sentences]), tokens)


def _feats(column: Sequence[str | None]) -> pa.Array:
    items = [None if feats is None else feats_items(feats) for feats in column]
    flat = list(chain.from_iterable(pairs or () for pairs in items))
    return pa.MapArray.from_arrays(
        _offsets(items),
        pa.array([name for name, _ in flat], pa.string()),
        pa.array([value for _, value in flat], pa.string()),
    )


def _multiword(tokens: Sequence[MultiWord]) -> list[dict[str, Any]] | None:
    return [
        {
            "tokens": (token.first, token.stop),
            "text": token.surface,
            "columns": None if token.columns == EMPTY_COLUMNS else token.columns,
        }
        for token in tokens
    ] or None


def _empty_nodes(sentence: Sentence) -> list[dict[str, Any]] | None:
    return [
        {"after": node.after, "index": node.index, "columns": node.columns} for node in sentence.empty_nodes
    ] or None


def _layer(documents: Sequence[Document], layer: str) -> pa.Array:
    rows = [
        [
            (document.text, sentence, index, span)
            for index, sentence in enumerate(document)
            for span in sentence.spans.get(layer, ())
        ]
        if any(layer in sentence.spans for sentence in document)
        else None
        for document in documents
    ]
    return _lists(rows, _layer_items)


def _layer_items(items: Sequence[tuple[str, Sentence, int, Span]]) -> pa.Array:
    starts = [sentence.offsets[span.start][0] for _, sentence, _, span in items]
    ends = [sentence.offsets[span.stop - 1][1] for _, sentence, _, span in items]
    texts = [text[start:end] for (text, *_), start, end in zip(items, starts, ends, strict=True)]
    scores = [None if span.score is None else round(span.score, SCORE_DIGITS) for *_, span in items]
    return pa.StructArray.from_arrays(
        [
            pa.array([span.label for *_, span in items], pa.string()),
            pa.array(starts, pa.int32()),
            pa.array(ends, pa.int32()),
            pa.array(texts, pa.string()),
            pa.array([index for _, _, index, _ in items], pa.int32()),
            pa.array([(span.start, span.stop) for *_, span in items], _WORDS),
            pa.array(scores, pa.float64()),
        ],
        names=["label", "start", "end", "text", "sentence", "tokens", "score"],
    )
