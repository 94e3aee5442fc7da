"""The file of a chunk holds all that any form of the results needs."""

from datetime import date
from pathlib import Path

import pyarrow as pa

from service.jobs.part import Part, read_failures, read_lines, read_tagged, read_version
from taggers.bulk.pieces import Failure
from taggers.formats.answer import document_to_json
from taggers.formats.jsonl import write_line
from taggers.formats.parquet import table_to_stream
from tests.tiny import tiny_corpus


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    documents = tiny_corpus()[:3]
    lines = [write_line({**document_to_json(document), "k": n}) for n, document in enumerate(documents)]
    places = ["in:2", "in:4", "s3://b/\u2028:5"]
    failures = [(10, Failure("in:1", "a")), (12, Failure("in:3", "b\u2028"))]
    path = tmp_path / "part"
    path.write_bytes(Part(10, "v", lines, places, failures).pack())
    assert b"".join(read_lines(path)).decode() == "".join(lines)
    assert list(read_failures(path)) == failures
    assert read_version(path) == "v"
    tagged = list(read_tagged(path))
    assert [(one.number, one.place, one.extra, one.schema) for one in tagged] == [
        (11, places[0], {"k": 0}, None),
        (13, places[1], {"k": 1}, None),
        (14, places[2], {"k": 2}, None),
    ]
    assert [document_to_json(one.document) for one in tagged] == list(map(document_to_json, documents))


def test_columns_with_types_keep_them(tmp_path: Path) -> None:
    line = write_line({**document_to_json(tiny_corpus()[0]), "day": date(2026, 1, 2)})
    table = pa.table({"day": pa.array([date(2026, 1, 2)], pa.date32())})
    path = tmp_path / "part"
    path.write_bytes(Part(0, "v", [line], ["in:1"], [], table_to_stream(table)).pack())
    (tagged,) = read_tagged(path)
    assert tagged.extra == {"day": date(2026, 1, 2)}
    assert tagged.schema.field("day").type == pa.date32()
