"""A convolution over positions that keeps the width last, as everything around it does.

Legend: B sequences, T positions, D input width, O output width.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d


class Convolution(nn.Conv1d):
    """``torch.nn.Conv1d`` with the same weights, over ``(B, T, D)``.

    A batch with its width last is just what torch calls channels-last, in which its CPU kernels for images are up to
    twice as fast as those for sequences on long rows, and nothing has to be transposed.

    Args:
        input_width: D.
        output_width: O.
        kernel: How many positions each output reads; odd.
        dilation: The step between them.
    """

    def __init__(self, input_width: int, output_width: int, kernel: int, *, dilation: int = 1) -> None:
        super().__init__(input_width, output_width, kernel, dilation=dilation, padding=dilation * (kernel // 2))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """``(B, T, D) -> (B, T, O)``; beyond the edges there are zeros."""
        image_BD1T = x_BTD.transpose(1, 2).unsqueeze(2)  # a view: one row of T pixels with D channels
        weight_OD1K = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        padding, dilation = (0, int(self.padding[0])), (1, self.dilation[0])
        y_BO1T = conv2d(image_BD1T, weight_OD1K, self.bias, padding=padding, dilation=dilation)
        return y_BO1T.squeeze(2).transpose(1, 2)
