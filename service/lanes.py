"""Lanes: interactive before background, with a guaranteed share for each.

Short requests are interactive: somebody looks at a screen. Streams and long texts are background: they get what is left
over, and ``BACKGROUND_SHARE`` of the tokens however much interactive work there is. Nobody who is interactive runs in a
batch with the background, so that the batch is as short as it can be.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from service.niceness import yield_cores
from service.room import Entry, WaitingRoom
from taggers.labeler import Chunk

BACKGROUND_SHARE = 0.2
"""The share of the device's tokens that the background gets as long as it has work."""


class Lane(Enum):
    """In which lane a request waits."""

    INTERACTIVE = "interactive"
    BACKGROUND = "background"


working_lane: ContextVar[Lane] = ContextVar("working_lane", default=Lane.INTERACTIVE)
"""The lane of the work that the thread at hand does."""


def work_in(lane: Lane) -> None:
    """Let the thread at hand work in this lane from now on; in the background others get the cores first."""
    working_lane.set(lane)
    if lane is Lane.BACKGROUND:
        yield_cores()


Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True)
class Batch(Generic[Owner]):
    """Chunks that run together."""

    lane: Lane = Lane.INTERACTIVE
    entries: Sequence[Entry[Owner]] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.entries)

    @property
    def tokens(self) -> int:
        """The costs of its chunks."""
        return sum(entry.chunk.cost for entry in self.entries)


class Lanes(Generic[Owner]):
    """The waiting chunks of all requests, in a room for each lane."""

    def __init__(self) -> None:
        self._rooms: dict[Lane, WaitingRoom[Owner]] = {lane: WaitingRoom() for lane in Lane}
        self._owed = 0.0  # tokens that the background has not got of its share

    def __len__(self) -> int:
        return sum(map(len, self._rooms.values()))

    @property
    def turn(self) -> Lane:
        """The lane whose turn it is."""
        if not self._rooms[Lane.INTERACTIVE] or (self._owed > 0 and self._rooms[Lane.BACKGROUND]):
            return Lane.BACKGROUND
        return Lane.INTERACTIVE

    def tokens(self, lane: Lane) -> int:
        """The costs of what waits in a lane."""
        return self._rooms[lane].tokens

    def add(self, owner: Owner, chunks: Sequence[Chunk], *, lane: Lane) -> list[Entry[Owner]]:
        """Let in the chunks of a request, in their order."""
        return self._rooms[lane].add(owner, chunks)

    def remove(self, entries: Sequence[Entry[Owner]], *, lane: Lane) -> None:
        """Send away those of the entries that still wait; they came in this lane."""
        self._rooms[lane].remove(entries)

    def take(self, *, max_padded_tokens: int) -> Batch[Owner]:
        """The next batch, which leaves; empty if nothing waits. See ``WaitingRoom.take``."""
        lane = self.turn
        batch = Batch(lane, self._rooms[lane].take(max_padded_tokens=max_padded_tokens))
        if lane is Lane.BACKGROUND:
            # What it gets while nobody else waits counts, too, but not as a debt that it would have to sit out.
            self._owed = max(self._owed - batch.tokens, -max_padded_tokens)
        elif self._rooms[Lane.BACKGROUND]:
            self._owed += _background_part(batch)
        else:
            self._owed = 0.0
        return batch

    def take_before(self, batch: Batch[Owner], *, max_padded_tokens: int) -> Batch[Owner]:
        """The next batch that should run before one that was taken already; empty if none should."""
        if batch.lane is Lane.INTERACTIVE or self._owed > 0:
            return Batch()
        urgent = Batch(Lane.INTERACTIVE, self._rooms[Lane.INTERACTIVE].take(max_padded_tokens=max_padded_tokens))
        self._owed += _background_part(urgent)  # for the other batch waits, though not here
        return urgent


def _background_part(batch: Batch[Owner]) -> float:
    """What the background has to get for an interactive batch."""
    return batch.tokens * BACKGROUND_SHARE / (1 - BACKGROUND_SHARE)
