"""A matrix in 8 bits is off by half a step at most, and stays what it is from then on."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from taggers.quantization import quantize_rows, restore_rows


def matrix(scale: float = 1.0) -> torch.Tensor:
    return torch.randn(40, 6, 5, generator=torch.Generator().manual_seed(0)) * scale


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e4, 1e30])
def test_each_weight_is_off_by_half_a_step_of_its_row(scale: float) -> None:
    codes, scales = quantize_rows(matrix(scale))
    assert (codes.dtype, codes.shape) == (torch.int8, (40, 6, 5))
    assert (scales.dtype, scales.shape) == (torch.bfloat16, (40,))
    error = (restore_rows(codes, scales) - matrix(scale)).abs().amax((1, 2))
    assert (error <= matrix(scale).abs().amax((1, 2)) / 127 * 0.501).all()


WEIGHTS = st.floats(2.0**-90, 2.0**90, width=32) | st.floats(-(2.0**90), -(2.0**-90), width=32) | st.just(0.0)


@given(st.lists(WEIGHTS, min_size=1, max_size=8))
def test_what_was_quantized_once_is_found_again(row: list[float]) -> None:
    codes, scales = quantize_rows(torch.tensor([row, [0.0] * len(row)]))
    codes_again, scales_again = quantize_rows(restore_rows(codes, scales))
    assert torch.equal(codes, codes_again)
    assert torch.equal(scales, scales_again)


@pytest.mark.parametrize(
    ("codes", "scales"),
    [
        (torch.zeros(2, 3, dtype=torch.uint8), torch.zeros(2)),
        (torch.zeros(2, 3), torch.zeros(2)),
        (torch.zeros(2, 3, dtype=torch.int8), torch.zeros(3)),
        (torch.zeros(2, 3, dtype=torch.int8), torch.zeros(2, 1)),
        (torch.zeros(2, 3, dtype=torch.int8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, dtype=torch.int8), torch.zeros(2)),
        (torch.zeros((), dtype=torch.int8), torch.zeros(())),
    ],
)
def test_codes_and_scales_that_do_not_belong_together(codes: torch.Tensor, scales: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="one scale of floats for each row, found torch"):
        restore_rows(codes, scales)
