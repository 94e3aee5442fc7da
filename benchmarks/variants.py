"""``tagline serve`` with one part replaced, to measure what the part is worth or what it bears.

    python benchmarks/variants.py first-come serve --model en-cnn

- ``first-come``: batches of 32 in the order of arrival, whatever their length, as most services batch.
- ``failing``: one batch of several chunks in five fails, and a chunk that holds the word ``POISON`` always does.
"""

import random
import sys
from collections.abc import Sequence
from typing import Any

import tagline
from service.batcher import Batcher, Prepare
from service.room import Entry, WaitingRoom
from taggers.labeler import Chunk, Run

_FIXED = 32
_FAILING = 0.2


def first_come() -> None:
    """Whoever has waited longest runs, 32 together."""

    def take(room: WaitingRoom[Any], *, max_padded_tokens: int) -> list[Entry[Any]]:  # noqa: ARG001
        batch = sorted(room._entries, key=lambda entry: entry.by_length[1])[:_FIXED]
        room.remove(batch)
        return batch

    WaitingRoom.take = take  # type: ignore[method-assign]


def failing() -> None:
    """Networks that cannot be relied on."""
    whole = Batcher.__init__
    rng = random.Random(7)

    def make(batcher: Batcher, prepare: Prepare, **arguments: Any) -> None:
        def prepare_badly(chunks: Sequence[Chunk]) -> Run:
            poisoned = any("POISON" in chunk.forms for chunk in chunks)
            return fail if poisoned or (len(chunks) > 1 and rng.random() < _FAILING) else prepare(chunks)

        whole(batcher, prepare_badly, **arguments)

    def fail() -> Any:
        raise RuntimeError("made to fail")

    Batcher.__init__ = make  # type: ignore[method-assign]


if __name__ == "__main__":
    {"first-come": first_come, "failing": failing}[sys.argv.pop(1)]()
    tagline.main()
