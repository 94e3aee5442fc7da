"""Where the work of a job is done: on this machine, or on a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal, Protocol

from taggers.bulk.chunks import TaggedChunk
from taggers.bulk.input import Input
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.readers import look_into
from taggers.bulk.sources import InputFormat, Source, find_sources
from taggers.bulk.work import Work
from taggers.bulk.workers import open_workers
from taggers.cores import num_cores

EngineName = Literal["local", "ray"]

TagInput = Callable[[Input], Iterator[TaggedChunk]]
"""What a job reads -> what became of its chunks, in order."""

_BYTES_A_WORKER = 1_000_000
"""Less than this is tagged before another worker has started."""


class Engine(Protocol):
    """Finds what is to be read, and has workers for it."""

    def find_sources(self, names: Sequence[str], *, format: InputFormat, exclude: Sequence[Path]) -> tuple[Source, ...]:
        """The files that names stand for: see ``sources.find_sources``."""
        ...

    def look_into(self, sources: Sequence[Source], options: ReadOptions) -> None:
        """Go on unless the only input is none: see ``readers.look_into``."""
        ...

    def open_workers(self, work: Work, *, count: int | None, size: int | None) -> AbstractContextManager[TagInput]:
        """Workers for as long as the block lasts.

        Args:
            work: What they do.
            count: How many; None for as many as there is room for and as the input is worth.
            size: The bytes of the input, if that is known.

        Raises:
            TaglineError: The work cannot be done.
        """
        ...


class LocalEngine:
    """This machine."""

    def find_sources(self, names: Sequence[str], *, format: InputFormat, exclude: Sequence[Path]) -> tuple[Source, ...]:
        """The files that names stand for, seen from here."""
        return find_sources(names, format=format, exclude=exclude)

    def look_into(self, sources: Sequence[Source], options: ReadOptions) -> None:
        """Look into the only input from here."""
        look_into(sources, options)

    @contextmanager
    def open_workers(self, work: Work, *, count: int | None, size: int | None) -> Iterator[TagInput]:
        """This process, or others beside it."""
        with open_workers(work, count=count or enough_workers(num_cores(), size)) as tag_chunks:
            yield tag_chunks


@contextmanager
def open_engine(name: EngineName, *, ray_address: str | None = None) -> Iterator[Engine]:
    """An engine for as long as the block lasts.

    Args:
        name: Which one.
        ray_address: The cluster; None for the one that ``RAY_ADDRESS`` names or that runs here, else one that is
            started here.

    Raises:
        TaglineError: There is no such cluster, or Ray is not installed.
    """
    match name:
        case "local":
            yield LocalEngine()
        case "ray":
            from taggers.bulk.ray_engine import open_ray  # Ray takes seconds to import, and may not be installed

            with open_ray(ray_address) as engine:
                yield engine


def enough_workers(room: int, size: int | None) -> int:
    """How many workers an input is worth, where there is room for so many.

    Args:
        room: At least 1 is used.
        size: The bytes of the input, if that is known.
    """
    return max(1, room if size is None else min(room, size // _BYTES_A_WORKER))
