"""Chunks -> tagged chunks, in order: in this process, or in others that do nothing else, each on one core.

The processes are our own and not an executor's, because an executor's workers share their queues: when the process that
feeds them is killed, each still sees a queue that the others hold open, and none ever ends. Here each has a pipe of its
own, which breaks with either end. On a GPU several processes share the device: while one computes, others parse,
prepare and write.
"""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from taggers.bulk.chunks import Chunk, TaggedChunk
from taggers.bulk.work import Work
from taggers.errors import TaglineError
from taggers.processes import how_it_ended, start_shielded

if TYPE_CHECKING:
    from taggers.bulk.tagging import ChunkTagger  # imports torch, which a process that feeds others can do without

ON_ONE_GPU = 4
"""So many processes keep a GPU busy; each costs some 500 MB of its memory."""

_AHEAD = 2
"""So many chunks for each worker are read and not yet written, so that a slow one holds up no other."""

TagChunks = Callable[[Iterable[Chunk]], Iterator[TaggedChunk]]
"""Chunks -> what became of them, in the same order."""


@contextmanager
def open_workers(work: Work, *, count: int) -> Iterator[TagChunks]:
    """Workers for as long as the block lasts; the model is loaded when it begins.

    Args:
        work: What they do.
        count: How many at most; 1 is this process.

    Raises:
        TaglineError: The work cannot be done: see ``tagging.ChunkTagger``.
    """
    if count == 1:
        tagger = one_threaded(work)
        yield lambda chunks: (tagger(chunk) for chunk in chunks)
        return
    pool = _Pool(work, count)
    try:
        yield pool.tag
    finally:
        pool.close()


def one_threaded(work: Work) -> "ChunkTagger":
    """A loaded model that keeps to one core; for a process that does nothing else.

    Raises:
        TaglineError: The work cannot be done: see ``tagging.ChunkTagger``.
    """
    # Before torch and tokenizers are imported, which read this when they are.
    for variable in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[variable] = "1"
    import torch

    from taggers.bulk.tagging import ChunkTagger

    torch.set_num_threads(1)
    return ChunkTagger(work)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a process says when it has loaded the model."""

    device: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """What a process says when it cannot do the work."""

    reason: str


class _Process:
    """A process with a loaded model, and the pipe to it."""

    def __init__(self, work: Work) -> None:
        context = multiprocessing.get_context("spawn")  # torch and threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        start_shielded(self._process)
        theirs.close()

    def load(self) -> str:
        """Wait until it has loaded the model; the kind of device that it uses.

        Raises:
            TaglineError: It cannot do the work.
        """
        answer = self._receive()
        assert isinstance(answer, _Ready)
        return answer.device

    def tag(self, chunk: Chunk) -> TaggedChunk:
        """Have a chunk tagged.

        Raises:
            TaglineError: It could not be, or the process died.
        """
        try:
            self._pipe.send(chunk)
        except OSError:
            self._raise_death()
        answer = self._receive()
        assert isinstance(answer, TaggedChunk)
        return answer

    def _receive(self) -> object:
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._raise_death()
        if isinstance(answer, _Refused):
            raise TaglineError(answer.reason)
        return answer

    def _raise_death(self) -> None:
        self._process.join()
        memory = "; was memory short? fewer --workers need less" if self._process.exitcode == -signal.SIGKILL else ""
        raise TaglineError(f"a worker process {how_it_ended(self._process)}{memory}")

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _serve(pipe: Connection, work: Work) -> None:
    """What a process does: answer chunks until the other end of the pipe is gone."""
    try:
        try:
            tagger = one_threaded(work)
            pipe.send(_Ready(tagger.device))
            while True:
                pipe.send(tagger(pipe.recv()))
        except (TaglineError, ImportError) as error:
            pipe.send(_Refused(str(error)))
    except (EOFError, OSError):
        return


class _Pool:
    """Processes, each behind a thread that waits for it; they start as chunks come."""

    def __init__(self, work: Work, count: int) -> None:
        self._work = work
        self._processes = [_Process(work)]
        try:
            device = self._processes[0].load()
        except BaseException:
            self.close()
            raise
        self._count = count if device == "cpu" else min(count, ON_ONE_GPU)
        self._waiting: queue.SimpleQueue[tuple[Chunk, Future[TaggedChunk]]] = queue.SimpleQueue()

    def tag(self, chunks: Iterable[Chunk]) -> Iterator[TaggedChunk]:
        """The tagged chunks, in order; a thread reads ahead, by a few chunks and no more."""
        answers: queue.SimpleQueue[Future[TaggedChunk] | None] = queue.SimpleQueue()
        room = threading.Semaphore(_AHEAD * self._count + 1)

        def read() -> None:
            try:
                for index, chunk in enumerate(chunks):
                    room.acquire()
                    if index < self._count:
                        self._start(None if index else self._processes[0])
                    answer: Future[TaggedChunk] = Future()
                    self._waiting.put((chunk, answer))
                    answers.put(answer)
            except Exception as error:
                failed: Future[TaggedChunk] = Future()
                failed.set_exception(error)
                answers.put(failed)
            answers.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (answer := answers.get()) is not None:
            tagged = answer.result()
            room.release()
            yield tagged

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.kill()

    def _start(self, process: _Process | None) -> None:
        threading.Thread(target=self._feed, args=(process,), daemon=True).start()

    def _feed(self, process: _Process | None) -> None:
        while True:
            chunk, answer = self._waiting.get()
            try:
                process = process or self._add_process()
                answer.set_result(process.tag(chunk))
            except TaglineError as error:
                answer.set_exception(error)
                return

    def _add_process(self) -> _Process:
        process = _Process(self._work)
        self._processes.append(process)
        process.load()
        return process
