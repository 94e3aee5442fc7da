"""Matrices in 8 bits: one number of 8 bits for each weight, and one scale for each row.

A row's step is its largest weight / 127, so that a weight is off by half a step at most. Looking for a smaller step
that clips the largest weights in return gains nothing at 8 bits: measured, hardly a row has one of less squared error.
"""

import torch
from torch import Tensor

_STEPS = 127


def quantize_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Finite floats (rows, ...) to int8 codes of the same shape and bfloat16 scales (rows,).

    A scale has few bits, but all the range of float32; 127 times a scale is exact in float32, so what was quantized
    once is found again when it is quantized once more.
    """
    rows = matrix.float().flatten(1)
    scales = (rows.abs().amax(1) / _STEPS).bfloat16()
    steps = scales.float().clamp_min(torch.finfo(torch.float32).tiny)[:, None]
    codes = (rows / steps).round().clamp(-_STEPS, _STEPS).to(torch.int8)
    return codes.view(matrix.shape), scales


def restore_rows(codes: Tensor, scales: Tensor) -> Tensor:
    """The float32 matrix of these codes.

    Raises:
        ValueError: They are not int8 codes of two or more dimensions with a scale of floats for each row.
    """
    if codes.dtype != torch.int8 or codes.ndim < 2 or not scales.is_floating_point() or scales.shape != codes.shape[:1]:
        raise ValueError(
            f"expected int8 codes (rows, ...) and one scale of floats for each row, found {codes.dtype} of shape "
            f"{tuple(codes.shape)} and {scales.dtype} of shape {tuple(scales.shape)}"
        )
    return (codes.float().flatten(1) * scales.float()[:, None]).view(codes.shape)
