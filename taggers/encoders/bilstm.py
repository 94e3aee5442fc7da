"""A bidirectional recurrent encoder over packed sequences.

Legend: B sequences, T positions, D width.
"""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from taggers.batch import TokenBatch

Cell = Literal["lstm", "gru", "rnn"]

_CELLS: dict[Cell, Callable[..., nn.Module]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class BiLSTMEncoder(nn.Module):
    """Layers of one forward and one backward recurrence each, residual from layer to layer.

    After Graves and Schmidhuber 2005, "Framewise Phoneme Classification with Bidirectional LSTM"; cells ``lstm``
    (Hochreiter and Schmidhuber 1997), ``gru`` (Cho et al. 2014) or ``rnn`` (Elman 1990, "Finding Structure in Time").
    Packing keeps the backward direction from reading padding.

    Args:
        input_width: The width of the embeddings.
        width: The width D of the result, half of it for each direction.
        layers: How many.
        cell: Which recurrence.
        dropout: Between layers, in training.
    """

    def __init__(self, input_width: int, *, width: int, layers: int, cell: Cell, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Identity() if input_width == width else nn.Linear(input_width, width)
        self.recurrences = nn.ModuleList(
            _CELLS[cell](width, width // 2, batch_first=True, bidirectional=True) for _ in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTD: Tensor, batch: TokenBatch) -> Tensor:
        """``(B, T, input_width) -> (B, T, D)``, zero on padding."""
        x_BTD = self.project(x_BTD)
        for recurrence in self.recurrences:
            packed = pack_padded_sequence(x_BTD, batch.lengths_B, batch_first=True, enforce_sorted=False)
            states, _ = recurrence(packed)
            h_BTD, _ = pad_packed_sequence(states, batch_first=True, total_length=x_BTD.shape[1])
            x_BTD = x_BTD + self.dropout(h_BTD)
        return x_BTD.masked_fill(~batch.mask_BT[..., None], 0.0)
