"""WaitingRoom: chunks that wait for the device, and which of them run next. No clock, no threads, no asyncio.

Whose turn it is depends on the order of arrival alone, so nothing starves; who comes along depends on length alone. A
batch grows around the oldest chunk, with the neighbors by length that fill the budget with most real tokens, or a part
of the budget where these are too unlike.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import Generic, TypeVar

from taggers.labeler import Chunk
from taggers.packing import grow

_PARTS = (1, 2, 4, 8)
"""A full batch is weighed against these parts of one."""

_OF_EVERY_BATCH = 0.06
"""What any batch costs besides, in full ones."""

Owner = TypeVar("Owner")


@dataclass(slots=True, eq=False)
class Entry(Generic[Owner]):
    """One chunk that waits.

    Attributes:
        owner: The request it belongs to.
        position: Its position among the owner's chunks.
        chunk: What to label.
        by_length: Orders the room by length, equal lengths by age.
        waits: False once it was taken or removed.
    """

    owner: Owner
    position: int
    chunk: Chunk
    by_length: tuple[int, int]
    waits: bool = True


_by_length = attrgetter("by_length")


class WaitingRoom(Generic[Owner]):
    """The waiting chunks of many requests."""

    def __init__(self) -> None:
        self._by_age: deque[Entry[Owner]] = deque()  # those that left are skipped when their turn comes
        self._entries: list[Entry[Owner]] = []  # by length
        self._costs: list[int] = []  # of the entries, in their order: what packing reads
        self._arrivals = count()
        self.tokens = 0
        """The costs of all that waits."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, owner: Owner, chunks: Sequence[Chunk]) -> list[Entry[Owner]]:
        """Let in the chunks of a request, in their order."""
        made = [
            Entry(owner, position, chunk, (chunk.cost, next(self._arrivals))) for position, chunk in enumerate(chunks)
        ]
        self.tokens += sum(chunk.cost for chunk in chunks)
        self._by_age += made
        for entry in made:  # one by one, which is cheaper than to sort the room, however many they are
            insort(self._entries, entry, key=_by_length)
            insort(self._costs, entry.chunk.cost)
        return made

    def take(self, *, max_padded_tokens: int) -> list[Entry[Owner]]:
        """The next batch, which leaves the room; empty if nothing waits.

        Args:
            max_padded_tokens: The most that the batch may cost: its longest chunk times its number of chunks. A chunk
                over it runs alone.
        """
        while self._by_age and not self._by_age[0].waits:
            self._by_age.popleft()
        if not self._by_age:
            return []
        chosen = self._choose(max_padded_tokens)
        batch = self._entries[chosen.start : chosen.stop]
        del self._entries[chosen.start : chosen.stop], self._costs[chosen.start : chosen.stop]
        self._leave(batch)
        return batch

    def remove(self, entries: Iterable[Entry[Owner]]) -> None:
        """Send away those of the entries that still wait here."""
        leaving = [entry for entry in entries if entry.waits]
        self._leave(leaving)
        for entry in leaving:
            position = bisect_left(self._entries, entry.by_length, key=_by_length)
            del self._entries[position], self._costs[position]

    def _choose(self, max_padded_tokens: int) -> range:
        """The batch of the oldest, as big as pays: a big one has to pay for its padding, a small one for being one."""
        anchor = bisect_left(self._entries, self._by_age[0].by_length, key=_by_length)
        budgets = (max(1, max_padded_tokens // part) for part in _PARTS)
        batches = [grow(self._costs, anchor, max_padded_tokens=budget) for budget in budgets]
        return max(batches, key=lambda batch: self._worth(batch, max_padded_tokens * _OF_EVERY_BATCH))

    def _worth(self, batch: range, fixed_cost: float) -> float:
        """The real tokens of a batch for what it costs."""
        costs = self._costs[batch.start : batch.stop]
        return sum(costs) / (costs[-1] * len(costs) + fixed_cost)

    def _leave(self, entries: Iterable[Entry[Owner]]) -> None:
        for entry in entries:
            entry.waits = False
            self.tokens -= entry.chunk.cost
