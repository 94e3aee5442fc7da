"""WaitingRoom: the chunks that wait for the device, and which of them run next. No clock, no threads, no asyncio.

Whose turn it is depends on the order of arrival alone; who comes along depends on length alone. A batch grows around
the chunk whose turn it is, with the neighbors by length that fill the budget with most real tokens.

A chunk's turn is the count of tokens taken when it arrived, so the oldest is next and nothing starves: the count goes
on with every batch, and newcomers stand behind it. Only what a request brings beyond one batch stands further back, by
``STEP`` tokens for each token of its own before it. So a book goes through in pieces between other people's tweets,
with a share of at least ``1 / (STEP + 1)`` of the device while others keep it busy, and all of it when nobody does.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from operator import attrgetter
from typing import Generic, TypeVar

from taggers.labeler import Chunk
from taggers.packing import grow

STEP = 8
"""How far a big request stands back: turns per token beyond its first batch."""

_MANY = 32
"""From so many newcomers on, sorting the room once is cheaper than finding each one's place."""

Owner = TypeVar("Owner")


@dataclass(slots=True, eq=False)
class Entry(Generic[Owner]):
    """One chunk that waits.

    Attributes:
        owner: The request it belongs to.
        position: Its position among the owner's chunks.
        chunk: What to label.
        turn: Orders the room by age: the least is next.
        by_length: Orders it by length, equal lengths by age.
        waits: False once it was taken or removed.
    """

    owner: Owner
    position: int
    chunk: Chunk
    turn: tuple[int, int]
    by_length: tuple[int, int, int]
    waits: bool = True


_by_length = attrgetter("by_length")


class WaitingRoom(Generic[Owner]):
    """The waiting chunks of all requests.

    Args:
        max_padded_tokens: The most that a batch may cost: its longest chunk times its number of chunks. A chunk over
            it runs alone.
    """

    def __init__(self, *, max_padded_tokens: int) -> None:
        self.max_padded_tokens = max_padded_tokens
        self._entries: list[Entry[Owner]] = []  # by length
        self._costs: list[int] = []  # of the entries, in their order: what packing reads
        self._turns: list[tuple[tuple[int, int], Entry[Owner]]] = []  # a heap; the entries that left are skipped
        self._taken = 0
        self._arrivals = count()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, owner: Owner, chunks: Sequence[Chunk]) -> list[Entry[Owner]]:
        """Let in the chunks of a request, in their order."""
        entries = list(self._make_entries(owner, chunks))
        if len(entries) < _MANY:
            for entry in entries:
                insort(self._entries, entry, key=_by_length)
                insort(self._costs, entry.chunk.cost)
                heappush(self._turns, (entry.turn, entry))
            return entries
        self._entries += entries
        self._entries.sort(key=_by_length)
        self._costs = [entry.chunk.cost for entry in self._entries]
        self._turns += [(entry.turn, entry) for entry in entries]
        heapify(self._turns)
        return entries

    def take(self) -> list[Entry[Owner]]:
        """The next batch, which leaves the room; empty if nothing waits."""
        while self._turns and not self._turns[0][1].waits:
            heappop(self._turns)
        if not self._turns:
            return []
        oldest = self._turns[0][1]
        anchor = bisect_left(self._entries, oldest.by_length, key=_by_length)
        chosen = grow(self._costs, anchor, max_padded_tokens=self.max_padded_tokens)
        batch = self._entries[chosen.start : chosen.stop]
        del self._entries[chosen.start : chosen.stop], self._costs[chosen.start : chosen.stop]
        for entry in batch:
            entry.waits = False
            self._taken += entry.chunk.cost
        return batch

    def remove(self, entries: Iterable[Entry[Owner]]) -> None:
        """Send away those of the entries that still wait."""
        leaving = [entry for entry in entries if entry.waits]
        for entry in leaving:
            entry.waits = False  # in the heap, it is skipped when its turn comes
        if len(leaving) < _MANY:
            for entry in leaving:
                position = bisect_left(self._entries, entry.by_length, key=_by_length)
                del self._entries[position], self._costs[position]
            return
        self._entries = [entry for entry in self._entries if entry.waits]
        self._costs = [entry.chunk.cost for entry in self._entries]

    def _make_entries(self, owner: Owner, chunks: Sequence[Chunk]) -> Iterator[Entry[Owner]]:
        before = 0
        for position, chunk in enumerate(chunks):
            arrival = next(self._arrivals)
            turn = self._taken + STEP * max(0, before - self.max_padded_tokens)
            before += chunk.cost
            yield Entry(owner, position, chunk, (turn, arrival), (chunk.cost, turn, arrival))
