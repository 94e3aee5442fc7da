"""Job: what was asked for, how far it is, and who works on it."""

from dataclasses import dataclass, field
from typing import Literal

from taggers.bulk.chunks import Position
from taggers.bulk.compression import Compression
from taggers.bulk.sources import SourceFormat

State = Literal["queued", "running", "done", "failed", "cancelled"]

LIVE: tuple[State, ...] = ("queued", "running")
"""The states of a job that is not over."""


@dataclass(frozen=True, slots=True)
class Input:
    """What a job reads.

    Attributes:
        format: Its format; None where only the content can tell.
        compression: That of an upload.
        text_field: The field or column that holds the text.
        id_field: The one that holds the id.
        source: The address, if it was not uploaded.
        version: Differs once what is there has changed, as far as can be told.
    """

    format: SourceFormat | None = None
    compression: Compression | None = None
    text_field: str = "text"
    id_field: str = "id"
    source: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        name: What people call it: the name of the file, mostly.
        model: The model's name.
        tasks: Which layers are filled; None for all.
        layers: Those of them that are layers of spans.
        input: What is read.
        bytes_total: How much there is to read; None if nobody knows.
    """

    name: str
    model: str
    tasks: tuple[str, ...] | None
    layers: tuple[str, ...]
    input: Input
    bytes_total: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the database. Times are seconds since 1970 by the clock of the database.

    Attributes:
        id: Its id.
        order: What was asked for.
        state: Where it is in its life.
        created: When it was asked for.
        started: When work on it began first.
        finished: When it was over.
        expires: When it is forgotten.
        position: Where reading goes on.
        chunks: How many chunks are done.
        documents: How many documents are tagged.
        failures: How many records gave nothing.
        words: The words in the documents.
        bytes_read: How much of the input is read.
        seconds: How long it was worked on, up to the last chunk that is done.
        error: What ended it early.
        claim: The claim by which somebody works on it.
        attempts: How often it was claimed since its last chunk.
    """

    id: str
    order: Order
    state: State
    created: float
    started: float | None = None
    finished: float | None = None
    expires: float | None = None
    position: Position = field(default_factory=Position)
    chunks: int = 0
    documents: int = 0
    failures: int = 0
    words: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    error: str | None = None
    claim: str | None = None
    attempts: int = 0

    @property
    def progress(self) -> float | None:
        """The share of the input that is done, in [0, 1]; None if nobody knows."""
        if self.state == "done":
            return 1.0
        total = self.order.bytes_total
        return None if total is None else min(1.0, self.bytes_read / max(1, total))

    @property
    def words_per_s(self) -> float | None:
        """How fast it goes; None until the first chunk is done."""
        return self.words / self.seconds if self.seconds else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will still be worked on; None if nobody knows."""
        progress = self.progress
        if self.state not in LIVE or not progress or not self.seconds:
            return None
        return self.seconds * (1 - progress) / progress


@dataclass(frozen=True, slots=True)
class PartDone:
    """What a chunk adds to its job.

    Attributes:
        file: The name of the file that holds what became of it.
        position: Where reading goes on behind it.
        documents: How many documents are in it.
        failures: How many of its records gave nothing.
        words: The words in the documents.
        bytes_read: How much of the input was read by then.
        seconds: How long it took.
    """

    file: str
    position: Position
    documents: int
    failures: int
    words: int
    bytes_read: int
    seconds: float
