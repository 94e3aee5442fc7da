"""An input -> tagged chunks in order, through Ray Data: one task that reads, and a pool of actors that tag.

Ray starts an actor that dies again and gives it its chunks anew. When an execution fails as a whole, as when a machine
is gone for good, another begins behind the last chunk that was answered.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol

import pyarrow
import ray
import ray.data
from ray.exceptions import RayError, RayTaskError
from ray.util.queue import Queue

from taggers.bulk.backlog import Backlog
from taggers.bulk.chunks import TaggedChunk
from taggers.bulk.input import Input
from taggers.bulk.pool_watch import PoolFailure, PoolWatch
from taggers.bulk.ray_addresses import is_address, reopened
from taggers.bulk.ray_worker import ChunkWorker, Refused, from_block, to_block
from taggers.bulk.work import Work, content_of
from taggers.errors import TaglineError

PATIENCE_S = 60.0
"""So long the workers of a machine that is gone may wait for room: clusters that replace machines take about that."""

_AHEAD = 2
"""So many chunks for each worker are read by this process and not yet written."""

_QUEUED = 4
"""So many chunks lie ready for the task that takes them."""

_MAX_FAILURES = 3
"""So many executions may fail one after the other without an answer."""

_FIRST, _LAST = "first", "last"
"""What comes before and behind all chunks on the way to the task that takes them."""

_HERE = "ray.io/node-id"
"""The label of a machine that holds its id."""

Read = Callable[[pyarrow.Table], Iterator[pyarrow.Table]]
"""What the task that reads runs."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The actors that tag.

    Attributes:
        size: How many.
        num_gpus: The part of a GPU that each has.
    """

    size: int
    num_gpus: float = 0


def tag_input(input: Input, work: Work, pool: Pool) -> Iterator[TaggedChunk]:
    """The tagged chunks of an input, in order.

    Args:
        input: If it has addresses only, the cluster reads it, else this process.
        work: What to do with each chunk.
        pool: The actors that do it; those for which there is no room yet are waited for while the others work.

    Raises:
        TaglineError: The work cannot be done, or fails again and again.
    """
    content = content_of(work.model)
    supply: _Supply = _There(input) if is_remote(input) else _Here(input, room=_AHEAD * pool.size + 1)
    failures = 0
    while True:
        try:
            for answer in _execute(supply, work, pool, content):
                failures = 0
                if isinstance(answer, Refused):
                    raise TaglineError(answer.reason)
                supply.answered(answer)
                yield answer
            supply.check_end()
        except (RayError, PoolFailure) as error:
            failures += 1
            if failures == _MAX_FAILURES:
                raise TaglineError(f"the cluster failed: {_reason(error)}") from error
        else:
            return


def is_remote(input: Input) -> bool:
    """Whether the cluster reads an input: all of it has addresses."""
    return all(is_address(source.name) for source in input.sources)


def _execute(supply: "_Supply", work: Work, pool: Pool, content: str | None) -> Iterator[TaggedChunk | Refused]:
    watch = PoolWatch(patience_s=PATIENCE_S, tell=partial(_tell_waiting, pool))
    with supply.begin() as (read, labels), ray.data.DataContext.current(_context(watch, pool)):
        blocks = (
            ray.data.from_items([0], override_num_blocks=1)
            .map_batches(read, batch_size=1, batch_format="pyarrow", num_cpus=0, label_selector=labels)
            .map_batches(
                ChunkWorker,
                fn_constructor_args=(work, version("tagline"), content),
                batch_size=1,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(size=pool.size),
                num_cpus=1,
                num_gpus=pool.num_gpus,
            )
            .iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)
        )
        for block in blocks:
            watch.answered()
            yield from_block(block)


def _tell_waiting(pool: Pool) -> None:
    there, free = ray.cluster_resources(), ray.available_resources()
    room = " and ".join(f"{free.get(name, 0):g} of {there.get(name, 0):g} {name}s" for name in ("CPU", "GPU"))
    needs = f"1 CPU and {pool.num_gpus:g} GPU" if pool.num_gpus else "1 CPU"
    print(f"tagline: no worker has started yet; each needs {needs}, and {room} are free", file=sys.stderr, flush=True)


def _context(watch: PoolWatch, pool: Pool) -> Any:
    context = ray.data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # a chunk travels alone: it must not wait for others
    context.execution_no_progress_timeout_s = -1  # a pipe may be silent
    context.max_consecutive_actor_init_deaths = max(3, pool.size)  # a machine may be lost while its workers load
    context.custom_execution_callback_classes = [lambda: watch]
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return context


class _Supply(Protocol):
    """Where chunks come from."""

    def begin(self) -> AbstractContextManager[tuple[Read, dict[str, str] | None]]:
        """What reads, from the first chunk on that is not answered, and the labels of the machine that it runs on."""
        ...

    def answered(self, chunk: TaggedChunk) -> None:
        """The first of those is answered."""
        ...

    def check_end(self) -> None:
        """An execution has ended. Raises ``PoolFailure`` if not all is answered."""
        ...


class _There:
    """Chunks that the cluster reads."""

    def __init__(self, input: Input) -> None:
        self._input = input

    @contextmanager
    def begin(self) -> Iterator[tuple[Read, None]]:
        start = self._input

        def read(_: pyarrow.Table) -> Iterator[pyarrow.Table]:
            yield from map(to_block, reopened(start))

        yield read, None

    def answered(self, chunk: TaggedChunk) -> None:
        self._input = self._input.behind(chunk.end)

    def check_end(self) -> None:
        """Ray runs a task that died again, and it reads the same again."""


class _Here:
    """Chunks that this process reads and a task beside it takes."""

    def __init__(self, input: Input, *, room: int) -> None:
        self._backlog = Backlog(input, room=room)

    @contextmanager
    def begin(self) -> Iterator[tuple[Read, dict[str, str]]]:
        here = {_HERE: ray.get_runtime_context().get_node_id()}
        queue = Queue(_QUEUED, actor_options={"num_cpus": 0, "label_selector": here})
        stop = threading.Event()
        sender = threading.Thread(target=self._send, args=(queue, stop), daemon=True)
        sender.start()

        def read(_: pyarrow.Table) -> Iterator[pyarrow.Table]:
            if queue.get() != _FIRST:  # Ray runs again a task that died, but what it had taken is gone
                return
            yield from iter(queue.get, _LAST)

        try:
            yield read, here
        finally:
            stop.set()
            self._backlog.wake()
            queue.shutdown(force=True)
            sender.join()

    def answered(self, chunk: TaggedChunk) -> None:  # noqa: ARG002
        self._backlog.answered()

    def check_end(self) -> None:
        if not self._backlog.finished:
            raise PoolFailure("the process that passes chunks on has died")

    def _send(self, queue: Queue, stop: threading.Event) -> None:
        try:
            queue.put(_FIRST)
            for chunk in self._backlog.unanswered(stop):
                queue.put(to_block(chunk))
            if not stop.is_set():
                queue.put(_LAST)
        except RayError:
            return


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if isinstance(error, RayTaskError) else lines[0]  # that of a task is a traceback
