"""What runs on the cluster: blocks in, blocks out, and a refusal in the place of an exception."""

from importlib.metadata import version
from pathlib import Path

import pytest

from taggers.bulk.chunks import Chunk, Position
from taggers.bulk.pieces import Piece, ReadOptions
from taggers.bulk.ray_worker import ChunkWorker, Refused, from_block, to_block
from taggers.bulk.rendering import OutputOptions
from taggers.bulk.tagging import ChunkTagger
from taggers.bulk.work import Work
from taggers.fingerprint import fingerprint
from tests.tiny import tiny_folder

CHUNK = Chunk((Piece("a", "text", 1, 0, b"Ada wrote to Babbage."),), 0, Position(1), 21)


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    folder = tiny_folder(tmp_path_factory.mktemp("models") / "tiny")
    return Work(str(folder), ReadOptions(), OutputOptions("jsonl"), device="cpu")


def test_answer_is_that_of_the_tagger(work, one_thread) -> None:
    answer = ChunkWorker(work, version("tagline"), fingerprint(Path(work.model)))(to_block(CHUNK))
    assert answer.num_rows == 1
    assert from_block(answer) == ChunkTagger(work)(CHUNK)


@pytest.mark.parametrize(
    ("model", "tagline", "reason"),
    [("nope", version("tagline"), "unknown model 'nope'"), ("en", "0.0.1", "expected Tagline 0.0.1, found ")],
)
def test_work_that_cannot_be_done_is_refused(model, tagline, reason) -> None:
    worker = ChunkWorker(Work(model, ReadOptions(), OutputOptions("jsonl")), tagline, None)
    answer = from_block(worker(to_block(CHUNK)))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(reason)
    assert " (on the cluster's machine " in answer.reason


def test_model_that_has_changed_is_refused(work) -> None:
    answer = from_block(ChunkWorker(work, version("tagline"), "another")(to_block(CHUNK)))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(f"{work.model} is not the model that it was where the command runs (on the ")
