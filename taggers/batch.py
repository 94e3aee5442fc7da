"""TokenBatch: a padded batch of sequences, and the only place where padding and masks are made.

Legend: B sequences, T positions (words, or the segmenter's units of text), F distinct forms, C characters of a form,
P pieces of a sequence, A affix lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

PADDING = 0
"""The id that pads every feature: its embedding reaches no score."""
NO_PIECE = -1
"""In ``first_BT``: this word has no piece."""


def silence(x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
    """``(B, T, D) -> (B, T, D)``: zero where the mask is false, for which ``x_BTD`` must be finite there.

    A product, since ``masked_fill`` with a mask to broadcast takes seven times as long on a CPU.
    """
    return x_BTD * mask_BT[..., None].to(x_BTD.dtype)


class FormIds(NamedTuple):
    """The feature ids of one form; features that the network does not use are 0 or empty."""

    word: int
    shape: int
    vector: int
    prefixes: tuple[int, ...]
    suffixes: tuple[int, ...]
    characters: tuple[int, ...]
    pieces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FormBatch:
    """The distinct forms of a batch: each is embedded once, however often it occurs."""

    word_F: Tensor
    shape_F: Tensor
    vector_F: Tensor
    prefixes_FA: Tensor
    suffixes_FA: Tensor
    characters_FC: Tensor

    def to(self, device: torch.device) -> Self:
        """The same batch on another device."""
        return type(self)(*(_moved(getattr(self, name), device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class PieceBatch:
    """The subword pieces of a batch, special pieces included.

    ``first_BT`` and ``count_BT`` say where each word's pieces stand in its row: ``NO_PIECE`` and 0 for a word without.
    """

    ids_BP: Tensor
    mask_BP: Tensor
    first_BT: Tensor
    count_BT: Tensor

    def to(self, device: torch.device) -> Self:
        """The same batch on another device."""
        return type(self)(*(_moved(getattr(self, name), device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Sequences of forms, padded on the right.

    ``form_BT`` points into ``forms``; ``mask_BT`` is true on real positions; ``lengths_B`` stays on the CPU, where
    packed sequences want it.
    """

    lengths_B: Tensor
    mask_BT: Tensor
    form_BT: Tensor
    forms: FormBatch
    pieces: PieceBatch | None

    def to(self, device: torch.device) -> Self:
        """The same batch on another device."""
        return type(self)(
            self.lengths_B,
            _moved(self.mask_BT, device),
            _moved(self.form_BT, device),
            self.forms.to(device),
            None if self.pieces is None else self.pieces.to(device),
        )


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; to a GPU by way of pinned memory, from where it goes without anybody waiting for it."""
    if device.type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def pad(rows: Sequence[Sequence[int]], *, value: int = PADDING) -> Tensor:
    """Rows of ids as one int64 tensor (rows, longest row), filled up with ``value`` on the right."""
    width = max(map(len, rows), default=0)
    padded = np.full((len(rows), width), value, dtype=np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return torch.from_numpy(padded)


def length_mask(lengths: Sequence[int]) -> Tensor:
    """True on the first ``lengths[b]`` of the positions of row ``b``: (B, T)."""
    lengths_B = np.asarray(lengths, dtype=np.int64)
    return torch.from_numpy(np.arange(max(lengths, default=0)) < lengths_B[:, None])


def make_forms(forms: Sequence[FormIds]) -> FormBatch:
    """Stack the ids of distinct forms."""
    scalars = np.array([form[:3] for form in forms], dtype=np.int64).reshape(-1, 3)
    word_F, shape_F, vector_F = torch.from_numpy(np.ascontiguousarray(scalars.T))
    return FormBatch(
        word_F,
        shape_F,
        vector_F,
        torch.from_numpy(np.array([form.prefixes for form in forms], dtype=np.int64)),
        torch.from_numpy(np.array([form.suffixes for form in forms], dtype=np.int64)),
        pad([form.characters for form in forms]),
    )


def make_pieces(
    sequences: Sequence[Sequence[FormIds]], *, prefix: tuple[int, ...], suffix: tuple[int, ...], padding: int
) -> PieceBatch:
    """Join the pieces of each sequence's forms between the special pieces ``prefix`` and ``suffix``."""
    ids: list[list[int]] = []
    first: list[list[int]] = []
    count: list[list[int]] = []
    for sequence in sequences:
        row = list(prefix)
        starts, counts = [], []
        for form in sequence:
            starts.append(len(row) if form.pieces else NO_PIECE)
            counts.append(len(form.pieces))
            row.extend(form.pieces)
        row.extend(suffix)
        ids.append(row)
        first.append(starts)
        count.append(counts)
    return PieceBatch(
        pad(ids, value=padding), length_mask([len(row) for row in ids]), pad(first, value=NO_PIECE), pad(count)
    )
