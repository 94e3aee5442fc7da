"""Labeler: one network with its features and tasks. Sequences of forms in, labels out, whatever their length.

The tagger's forms are words; the segmenter's are characters or runs of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from taggers.batch import TokenBatch
from taggers.features import Featurizer
from taggers.network import TaggingNetwork
from taggers.packing import pack
from taggers.tasks import Task
from taggers.windows import windows

Labels = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]]]
"""Task name -> the label id and its probability at each position."""

Compute = Callable[[TokenBatch], Labels]
"""Runs a network on a batch: the label ids and probabilities of each task, (B, T)."""

Run = Callable[[], list[Labels]]
"""Labels the chunks of a batch that is prepared: for each, the labels of the positions it keeps."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What the network reads at once: a sequence, or a window of one that is too long.

    Attributes:
        forms: The forms.
        keep: The positions of the chunk whose labels are taken from it; the others are context.
        cost: The positions it takes in the encoder, which packing counts.
    """

    forms: Sequence[str]
    keep: slice
    cost: int


class Labeler:
    """One network with its features and tasks.

    Args:
        network: On its device, in evaluation mode.
        featurizer: Makes its batches.
        tasks: Task name -> task.
        window: The longest sequence that is read at once.
        margin: The context of a window over a longer sequence, on either side.
        max_pieces: For a network that reads pieces: the most that it reads at once, special pieces not counted.
    """

    def __init__(
        self,
        network: TaggingNetwork,
        featurizer: Featurizer,
        tasks: Mapping[str, Task],
        *,
        window: int,
        margin: int,
        max_pieces: int | None = None,
    ) -> None:
        self.network = network
        self.featurizer = featurizer
        self.tasks = dict(tasks)
        self.window = window
        self.margin = margin
        self.max_pieces = max_pieces
        self._compute_elsewhere: Compute | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def chunks(self, forms: Sequence[str]) -> list[Chunk]:
        """Cut a sequence into what the network reads at once: one chunk for all but very long ones, none if empty."""
        return list(self.each_chunk(forms))

    def each_chunk(self, forms: Sequence[str]) -> Iterator[Chunk]:
        """The same one by one, each made when it is asked for."""
        if self.max_pieces is not None:
            yield from self._chunks_of_pieces(forms, self.max_pieces)
            return
        for w in windows(len(forms), size=self.window, margin=self.margin):
            kept = slice(w.keep_start - w.start, w.keep_stop - w.start)
            yield Chunk(forms[w.start : w.stop], kept, w.stop - w.start)

    def _chunks_of_pieces(self, forms: Sequence[str], max_pieces: int) -> list[Chunk]:
        costs = [self.featurizer.cost(form) for form in forms]
        size, margin = self.window, self.margin
        while True:
            cut = windows(len(forms), size=size, margin=margin)
            sums = [sum(costs[w.start : w.stop]) for w in cut]
            if all(total <= max_pieces for total in sums):
                return [
                    Chunk(forms[w.start : w.stop], slice(w.keep_start - w.start, w.keep_stop - w.start), total)
                    for w, total in zip(cut, sums, strict=True)
                ]
            # One form has few pieces (see Featurizer), so this ends well before windows of a single word.
            size, margin = size // 2, min(margin, size // 8)

    def prepare(self, chunks: Sequence[Chunk]) -> Run:
        """Make one padded batch of chunks: the part of labelling that does not need the device."""
        return partial(self._label, self.featurizer.batch([chunk.forms for chunk in chunks]), chunks)

    def label(self, chunks: Sequence[Chunk]) -> list[Labels]:
        """Label chunks in one padded batch.

        Returns:
            For each chunk, the labels of the positions it keeps.
        """
        return self.prepare(chunks)()

    def compute(self, batch: TokenBatch) -> Labels:
        """Run the network on a batch: the label ids and probabilities of each task, (B, T)."""
        predicted = self.network.predict(batch.to(self.device))
        return {
            task: (labels_BT.cpu().numpy(), probability_BT.float().cpu().numpy())
            for task, (labels_BT, probability_BT) in predicted.items()
        }

    def compute_elsewhere(self, compute: Compute) -> None:
        """From now on have batches computed by the same network elsewhere, and forget the weights of this one."""
        self._compute_elsewhere = compute
        self.network.to("meta")

    def _label(self, batch: TokenBatch, chunks: Sequence[Chunk]) -> list[Labels]:
        arrays = (self._compute_elsewhere or self.compute)(batch)
        return [
            {
                task: (labels_BT[row, chunk.keep], probability_BT[row, chunk.keep])
                for task, (labels_BT, probability_BT) in arrays.items()
            }
            for row, chunk in enumerate(chunks)
        ]

    def label_all(self, sequences: Sequence[Sequence[str]], *, max_padded_tokens: int) -> list[Labels]:
        """Label sequences of any length, packed by length into batches of at most ``max_padded_tokens``."""
        chunks: list[Chunk] = []
        owners: list[range] = []
        for sequence in sequences:
            mine = self.chunks(sequence)
            owners.append(range(len(chunks), len(chunks) + len(mine)))
            chunks.extend(mine)
        answers: list[Labels | None] = [None] * len(chunks)
        for indices in pack([chunk.cost for chunk in chunks], max_padded_tokens=max_padded_tokens):
            for index, labels in zip(indices, self.label([chunks[i] for i in indices]), strict=True):
                answers[index] = labels
        return [join_labels([answers[index] for index in owned], self.tasks) for owned in owners]  # type: ignore[misc]


def join_labels(parts: Sequence[Labels], tasks: Mapping[str, Task]) -> Labels:
    """Put the labels of a sequence's chunks together."""
    if len(parts) == 1:
        return parts[0]
    return {
        task: (
            np.concatenate([part[task][0] for part in parts] or [np.empty(0, np.int64)]),
            np.concatenate([part[task][1] for part in parts] or [np.empty(0, np.float32)]),
        )
        for task in tasks
    }
