"""Part: what became of a chunk, in one file: a ZIP with lines of JSON, and what they cannot hold.

``documents.jsonl`` is the output of the job as ``tagline tag`` writes it, and ``places.jsonl`` says where each of them
stands in the input. ``failures.jsonl`` names the records that gave nothing, and ``part.json`` how many come before, and
which model it was. Where the input has columns with types (Parquet), the other columns are there once more, as
``extras.arrow``.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from taggers.bulk.pieces import Failure
from taggers.bulk.records import OWN_COLUMNS
from taggers.bulk.rendering import Tagged
from taggers.formats.answer_reader import document_from_json

_DOCUMENTS, _PLACES, _FAILURES, _HEAD = "documents.jsonl", "places.jsonl", "failures.jsonl", "part.json"
_EXTRAS = "extras.arrow"
_FAST = 1
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a chunk.

    Attributes:
        first: How many records of the input come before it.
        version: Which model tagged it; see ``ServedModel``.
        lines: The documents in it, tagged, each as a line.
        places: Where each of them stands.
        failures: The records that gave nothing, each with how many come before it.
        extras: The other columns of the documents, as an Arrow stream; empty where JSON holds them.
    """

    first: int
    version: str
    lines: Sequence[str]
    places: Sequence[str]
    failures: Sequence[tuple[int, Failure]]
    extras: bytes = b""

    def pack(self) -> bytes:
        """The file."""
        failures = [
            {"number": number, "place": failure.place, "reason": failure.reason} for number, failure in self.failures
        ]
        packed = io.BytesIO()
        with ZipFile(packed, "w", ZIP_DEFLATED, compresslevel=_FAST) as file:
            file.writestr(_HEAD, json.dumps({"first": self.first, "version": self.version}))
            file.writestr(_DOCUMENTS, "".join(self.lines).encode("utf-8"))
            file.writestr(_PLACES, _json_lines(self.places))
            file.writestr(_FAILURES, _json_lines(failures))
            file.writestr(_EXTRAS, self.extras)
        return packed.getvalue()


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of the documents in a file, in pieces of some size."""
    with ZipFile(path) as file, file.open(_DOCUMENTS) as stream:
        while piece := stream.read(_READ_BYTES):
            yield piece


def read_version(path: Path) -> str:
    """Which model tagged what is in a file; of one that does not say, no model that there is."""
    with ZipFile(path) as file:
        version: str = json.loads(file.read(_HEAD)).get("version", "")
    return version


def read_failures(path: Path) -> Iterator[tuple[int, Failure]]:
    """The records of a file that gave nothing, each with how many come before it."""
    with ZipFile(path) as file, file.open(_FAILURES) as stream:
        for line in stream:
            failure = json.loads(line)
            yield failure["number"], Failure(failure["place"], failure["reason"])


def read_tagged(path: Path) -> Iterator[Tagged]:
    """The documents of a file."""
    failed = {number for number, _ in read_failures(path)}
    with ZipFile(path) as file, file.open(_DOCUMENTS) as stream:
        number = json.loads(file.read(_HEAD))["first"]
        schema, extras = _read_extras(file.read(_EXTRAS))
        places = map(json.loads, file.read(_PLACES).splitlines())
        for index, (line, place) in enumerate(zip(stream, places, strict=True)):
            while number in failed:
                number += 1
            data = msgspec.json.decode(line, type=dict[str, Any])
            own = {name: data.pop(name) for name in OWN_COLUMNS}
            yield Tagged(document_from_json(own), number, place, data if schema is None else extras[index], schema)
            number += 1


def _json_lines(values: Iterable[Any]) -> bytes:
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)


def _read_extras(stream: bytes) -> tuple[Any, Sequence[Mapping[str, Any]]]:
    if not stream:
        return None, ()
    import pyarrow  # takes a moment to import

    from taggers.formats.arrow import rows_of

    with pyarrow.ipc.open_stream(stream) as reader:
        table = reader.read_all()
    return table.schema, rows_of(table)
