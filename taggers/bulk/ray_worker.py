"""What an actor of a Ray Data pool runs: a block with a chunk -> a block with what became of it."""

import pickle
import socket
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pyarrow

from taggers.bulk.chunks import Chunk, TaggedChunk
from taggers.bulk.work import Work
from taggers.bulk.workers import one_threaded
from taggers.catalog import find_model
from taggers.errors import TaglineError
from taggers.fingerprint import fingerprint

_COLUMN = "pickled"


@dataclass(frozen=True, slots=True)
class Refused:
    """What a worker says that cannot do its work."""

    reason: str


class ChunkWorker:
    """A loaded model on some machine of the cluster.

    Args:
        work: The work.
        tagline: The version of Tagline that asks for it: another might write other bytes.
        content: What is in the model there, None if it is not there: an output is not to be of two models.
    """

    def __init__(self, work: Work, tagline: str, content: str | None) -> None:
        # Raised here it would be a failure of the pool, tried again and told in pages.
        self._refused: Refused | None = None
        try:
            _check_version(tagline)
            _check_content(work.model, content)
            self._tag = one_threaded(work)
        except (TaglineError, ImportError) as error:
            self._refused = _refused(error)

    def __call__(self, block: pyarrow.Table) -> pyarrow.Table:
        """Do the work on the one chunk in a block."""
        return to_block(self._refused or self._answer(from_block(block)))

    def _answer(self, chunk: Chunk) -> TaggedChunk | Refused:
        try:
            return self._tag(chunk)
        except TaglineError as error:
            return _refused(error)


def to_block(content: object) -> pyarrow.Table:
    """A block of one row, which Ray moves without looking into it."""
    pickled = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    return pyarrow.table({_COLUMN: pyarrow.array([pickled], pyarrow.large_binary())})


def from_block(block: pyarrow.Table) -> Any:
    """What is in such a block."""
    return pickle.loads(block[_COLUMN][0].as_buffer())


def _check_version(expected: str) -> None:
    if version("tagline") != expected:
        raise TaglineError(f"expected Tagline {expected}, found {version('tagline')}")


def _check_content(model: str, expected: str | None) -> None:
    if expected and fingerprint(find_model(model)) != expected:
        raise TaglineError(f"{model} is not the model that it was where the command runs")


def _refused(error: Exception) -> Refused:
    return Refused(f"{error} (on the cluster's machine {socket.gethostname()})")
