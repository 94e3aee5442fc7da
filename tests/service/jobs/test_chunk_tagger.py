"""A record that cannot be tagged or written takes no other with it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from service.jobs.chunk_tagger import ChunkTagger, Outcome
from service.jobs.job import Input, Order
from service.jobs.part import read_failures, read_tagged
from service.registry import Registry
from service.settings import Settings
from taggers.bulk.chunks import Chunk, Position
from taggers.bulk.pieces import Failure, Piece, ReadOptions
from taggers.errors import UnknownTask


def row(number: int, text: str, **others: Any) -> Piece:
    return Piece("in", "row", number, 0, {"id": str(number), "text": text, **others})


def outcome(settings: Settings, *items: Piece | Failure, tasks: tuple[str, ...] = ("ner",)) -> Outcome:
    async def run() -> Outcome:
        registry = Registry(settings)
        await registry.load()
        tagger = ChunkTagger(
            lambda: registry.find("tiny"), Order("in", "tiny", tasks, ("ner",), Input()), ReadOptions()
        )
        try:
            return await tagger.tag(Chunk(items, 7, Position(0, 1, 2, 3), 4))
        finally:
            await registry.close()

    return asyncio.run(run())


def test_bad_records_fail_alone(settings: Settings, tmp_path: Path) -> None:
    items = [row(number, "Ada sings.") for number in range(1, 8)]
    items[2] = row(3, "\ud800")  # which no reader lets through
    items[4] = row(5, "Ada", k=object())
    found = outcome(settings, *items, Failure("in:8", "no row"))
    path = tmp_path / "part"
    path.write_bytes(found.content)
    failed = list(read_failures(path))
    assert [(number, failure.place) for number, failure in failed] == [(9, "in:3"), (11, "in:5"), (14, "in:8")]
    assert failed[0][1].reason.startswith("cannot be tagged: ")
    assert failed[1][1].reason.startswith("cannot be written: ")
    assert found.last_failure == Failure("in:8", "no row")
    assert [one.document.id for one in read_tagged(path)] == ["1", "2", "4", "6", "7"]
    assert (found.documents, found.failures, found.end, found.bytes_read) == (5, 3, Position(0, 1, 2, 3), 4)
    assert found.words == sum(len(sentence) for one in read_tagged(path) for sentence in one.document)


def test_a_task_that_the_model_lacks_by_now_ends_it(settings: Settings) -> None:
    with pytest.raises(UnknownTask, match="poetry"):
        outcome(settings, row(1, "Ada"), tasks=("poetry",))


def test_nothing_but_failures(settings: Settings) -> None:
    found = outcome(settings, Failure("in:1", "no row"))
    assert (found.documents, found.failures, found.words) == (0, 1, 0)
