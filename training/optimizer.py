"""AdamW with a rate for each kind of parameter, and the schedule of the rates."""

import torch
from torch import nn

from taggers.encoders.transformer import PretrainedEncoder
from training.config import TrainingConfig

_LOWEST = 1e-3
"""The part of the highest rate that the last step still has."""


def make_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW; a pretrained encoder has a learning rate of its own, and vectors (biases, norms) do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    encoder = getattr(network, "encoder", None)
    pretrained = set(encoder.model.parameters()) if isinstance(encoder, PretrainedEncoder) else set()
    for parameter in network.parameters():
        rate = config.encoder_learning_rate if parameter in pretrained else config.learning_rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()],
        betas=(0.9, 0.98),
        fused=True,
    )


def rate_factor(done: float, *, warmup: float) -> float:
    """Linear warm-up, then linear decay to about zero, as a factor on the highest rate.

    Args:
        done: The part of all epochs that lies behind, in [0, 1].
        warmup: The part of them in which the rate rises.
    """
    factor = done / warmup if done < warmup else (1.0 - done) / (1.0 - warmup)
    return max(factor, _LOWEST)
