"""Feature ids -> vectors: one vector for each distinct form, then one for each position.

Legend: B sequences, T positions, F distinct forms, C characters, A affix lengths, W width of one feature, D width.
"""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from taggers.batch import PADDING, TokenBatch, silence
from taggers.convolution import Convolution
from taggers.features import UNKNOWN
from taggers.quantization import quantize_rows


class WordEmbedding(nn.Module):
    """An embedding of whole forms; in training a known form is hidden at ``unknown_rate``.

    Shape: ``(F,) -> (F, width)``.
    """

    def __init__(self, num_words: int, width: int, *, unknown_rate: float) -> None:
        super().__init__()
        self.table = nn.Embedding(num_words, width, padding_idx=PADDING)
        self.unknown_rate = unknown_rate

    def forward(self, word_F: Tensor) -> Tensor:
        """Embed the forms' ids."""
        if self.training and self.unknown_rate > 0.0:
            hidden_F = torch.rand(word_F.shape, device=word_F.device) < self.unknown_rate
            word_F = word_F.masked_fill(hidden_F, UNKNOWN)
        out_FW: Tensor = self.table(word_F)
        return out_FW


class AffixEmbedding(nn.Module):
    """The sum of the embeddings of a form's affixes. Shape: ``(F, A) -> (F, width)``."""

    def __init__(self, num_affixes: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_affixes, width, padding_idx=PADDING)

    def forward(self, affixes_FA: Tensor) -> Tensor:
        """Embed and sum."""
        out_FW: Tensor = self.table(affixes_FA).sum(1)
        return out_FW


class CharacterEmbedding(nn.Module):
    """A convolution over characters and its maximum.

    After Ma and Hovy 2016, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF".

    Shape: ``(F, C) -> (F, filters)``.
    """

    def __init__(self, num_characters: int, width: int, *, filters: int, kernel: int) -> None:
        super().__init__()
        self.table = nn.Embedding(num_characters, width, padding_idx=PADDING)
        self.convolution = Convolution(width, filters, kernel)

    def forward(self, characters_FC: Tensor) -> Tensor:
        """Convolve and pool; a form without characters gives zeros."""
        filters = self.convolution.out_channels
        if characters_FC.shape[1] == 0:
            return self.table.weight.new_zeros(characters_FC.shape[0], filters)
        mask_FC = characters_FC != PADDING
        x_FCW = silence(self.table(characters_FC), mask_FC)  # the edges read their neighbors
        x_FCW = self.convolution(x_FCW).masked_fill(~mask_FC[..., None], -torch.inf)
        x_FW = x_FCW.amax(1)
        return torch.where(mask_FC.any(1, keepdim=True), x_FW, torch.zeros_like(x_FW)).relu()


class StaticVectors(nn.Module):
    """Frozen word vectors in 8 bits with one scale a row. Shape: ``(F,) -> (F, width)``; unknown words are zeros."""

    codes: Tensor
    scales: Tensor

    def __init__(self, num_words: int, width: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(num_words, width, dtype=torch.int8))
        self.register_buffer("scales", torch.zeros(num_words))

    @property
    def width(self) -> int:
        """The vectors' width."""
        return int(self.codes.shape[1])

    @classmethod
    def quantized(cls, vectors: Tensor) -> Self:
        """Quantize float vectors (words, width); rows for padding and the unknown word are put before them."""
        made = cls(len(vectors) + 2, vectors.shape[1])
        made.codes[2:], made.scales[2:] = quantize_rows(vectors)
        return made

    def forward(self, vector_F: Tensor) -> Tensor:
        """Look up and scale."""
        scales_F = self.scales[vector_F]
        return self.codes[vector_F].to(scales_F.dtype) * scales_F[:, None]


class FormEmbeddings(nn.Module):
    """All features of a form, concatenated and projected; then laid out by position.

    Args:
        parts: Feature name (a field of ``FormBatch`` without its axes) -> its embedding.
        widths: The width of each part.
        width: The width D of the result.
        dropout: In training, the share of numbers set to zero at each position.
    """

    def __init__(self, parts: dict[str, nn.Module], widths: dict[str, int], *, width: int, dropout: float) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self.projection = nn.Linear(sum(widths[name] for name in parts), width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.width = width

    def forward(self, batch: TokenBatch) -> Tensor:
        """``TokenBatch -> (B, T, D)``, zero on padding."""
        ids = {
            "words": batch.forms.word_F,
            "prefixes": batch.forms.prefixes_FA,
            "suffixes": batch.forms.suffixes_FA,
            "shape": batch.forms.shape_F,
            "characters": batch.forms.characters_FC,
            "vectors": batch.forms.vector_F,
        }
        x_FW = torch.cat([part(ids[name]) for name, part in self.parts.items()], dim=1)
        x_FD = self.norm(self.projection(x_FW))
        # Not x_FD[form_BT], whose gradient is several times slower on a CPU.
        return silence(self.dropout(embedding(batch.form_BT, x_FD)), batch.mask_BT)
