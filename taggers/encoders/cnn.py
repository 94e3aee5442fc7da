"""A convolutional encoder: residual blocks whose padding is silent in every layer.

Legend: B sequences, T positions, D width.
"""

from torch import Tensor, nn
from torch.nn.functional import glu

from taggers.batch import TokenBatch, silence
from taggers.convolution import Convolution


class GatedConvolution(nn.Module):
    """One residual block: norm, a gated convolution, dropout.

    After Dauphin et al. 2017, "Language Modeling with Gated Convolutional Networks", with layer norm in front.
    """

    def __init__(self, width: int, *, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.convolution = Convolution(width, 2 * width, kernel, dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """``(B, T, D) -> (B, T, D)``."""
        # The norm's bias makes padding non-zero again, and a convolution reads its neighbors.
        y_BTD = silence(self.norm(x_BTD), mask_BT)
        y_BTD = glu(self.convolution(y_BTD).to(x_BTD.dtype), dim=-1)  # a CPU's gate in 16 bits takes twice as long
        out_BTD: Tensor = x_BTD + self.dropout(y_BTD)
        return out_BTD


class CNNEncoder(nn.Module):
    """Residual gated convolutions, one for each dilation.

    Args:
        input_width: The width of the embeddings.
        width: The width D of the result.
        kernel: How many positions each convolution reads; odd.
        dilations: The step between the positions read, one for each block.
        dropout: In each block, in training.
    """

    def __init__(
        self, input_width: int, *, width: int, kernel: int, dilations: tuple[int, ...], dropout: float
    ) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Identity() if input_width == width else nn.Linear(input_width, width)
        self.blocks = nn.ModuleList(
            GatedConvolution(width, kernel=kernel, dilation=dilation, dropout=dropout) for dilation in dilations
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x_BTD: Tensor, batch: TokenBatch) -> Tensor:
        """``(B, T, input_width) -> (B, T, D)``, zero on padding."""
        x_BTD = self.project(x_BTD)
        for block in self.blocks:
            x_BTD = block(x_BTD, batch.mask_BT)
        return silence(self.norm(x_BTD), batch.mask_BT)
