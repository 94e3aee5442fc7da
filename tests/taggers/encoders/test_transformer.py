"""Positions of the transformer from scratch."""

import math

import torch

from taggers.encoders.transformer import sinusoids


def test_sinusoids_are_sines_and_cosines_of_ever_slower_rates() -> None:
    found = sinusoids(50, 6)
    assert found.shape == (50, 6)
    for t, d in ((0, 0), (1, 0), (7, 1), (49, 2)):
        angle = t / 10_000 ** (2 * d / 6)
        assert found[t, d].item() == torch.tensor(math.sin(angle)).item() or abs(found[t, d] - math.sin(angle)) < 1e-5
        assert abs(found[t, d + 3] - math.cos(angle)) < 1e-5


def test_a_position_does_not_depend_on_the_length() -> None:
    assert torch.equal(sinusoids(300, 8)[:7], sinusoids(7, 8))


def test_no_two_positions_are_alike() -> None:
    assert len(sinusoids(1000, 16).unique(dim=0)) == 1000
