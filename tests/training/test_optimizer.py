"""Rates and groups of the optimizer."""

from pathlib import Path

import pytest
from torch import nn

from tests.tiny import tiny_labeler
from training.config import TrainingConfig
from training.optimizer import make_optimizer, rate_factor


def test_the_rate_rises_to_its_peak_and_falls_to_about_zero() -> None:
    rates = [rate_factor(step / 100, warmup=0.1) for step in range(101)]
    assert rates.index(max(rates)) == 10
    assert rates[10] == pytest.approx(1.0)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[0] == rates[-1] <= 1e-3


def test_without_warmup_it_begins_at_its_peak() -> None:
    assert rate_factor(0.0, warmup=0.0) == 1.0


@pytest.mark.parametrize("encoder", ["cnn", "pretrained"])
def test_every_parameter_is_in_one_group_with_its_rate_and_decay(encoder: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(encoder, folder=tmp_path / "bert")
    network = labeler.network
    config = TrainingConfig(learning_rate=1e-2, encoder_learning_rate=1e-4, weight_decay=0.1)
    groups = make_optimizer(network, config).param_groups
    settings = {parameter: (group["lr"], group["weight_decay"]) for group in groups for parameter in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(settings) == len(list(network.parameters()))
    inner = network.encoder.model if encoder == "pretrained" else nn.Identity()
    pretrained = set(inner.parameters())  # type: ignore[union-attr]
    for parameter, (rate, decay) in settings.items():
        assert rate == (1e-4 if parameter in pretrained else 1e-2)
        assert decay == (0.1 if parameter.ndim > 1 else 0.0)
