"""The convolution against torch's own over sequences."""

import pytest
import torch
from torch import nn

from taggers.convolution import Convolution


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 8])
@pytest.mark.parametrize("length", [1, 2, 9, 40])
def test_it_is_conv1d_with_the_width_last(kernel: int, dilation: int, length: int) -> None:
    torch.manual_seed(0)
    ours = Convolution(6, 10, kernel, dilation=dilation).double()
    theirs = nn.Conv1d(6, 10, kernel, dilation=dilation, padding=dilation * (kernel // 2)).double()
    theirs.load_state_dict(ours.state_dict())
    x_BTD = torch.randn(3, length, 6, dtype=torch.float64, requires_grad=True)
    expected_BTO = theirs(x_BTD.transpose(1, 2)).transpose(1, 2)
    found_BTO = ours(x_BTD)
    torch.testing.assert_close(found_BTO, expected_BTO, rtol=0, atol=1e-12)
    seed_BTO = torch.randn_like(found_BTO)
    for made, wanted in zip(
        torch.autograd.grad(found_BTO, [x_BTD, *ours.parameters()], seed_BTO),
        torch.autograd.grad(expected_BTO, [x_BTD, *theirs.parameters()], seed_BTO),
        strict=True,
    ):
        torch.testing.assert_close(made, wanted, rtol=0, atol=1e-12)


def test_it_copies_nothing_but_its_weights() -> None:
    found_BTO = Convolution(4, 8, 3)(torch.randn(2, 5, 4))
    assert found_BTO.is_contiguous()
