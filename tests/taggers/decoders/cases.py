"""Batches of scores for the tests of decoders."""

from collections.abc import Sequence

import torch
from torch import Tensor

from taggers.spans import Scheme, Transitions, allowed_transitions, span_tags

TAGS = span_tags(["PER", "LOC"], Scheme.BIO)
BIO = allowed_transitions(TAGS, Scheme.BIO)
NOWHERE = Transitions(start=(False,) * 3, step=((False,) * 3,) * 3, end=(False,) * 3)


def mask_of(lengths: Sequence[int], num_tokens: int | None = None) -> Tensor:
    """A right-padded mask ``(B, T)``."""
    width = max(lengths, default=0) if num_tokens is None else num_tokens
    return torch.arange(width) < torch.tensor(lengths, dtype=torch.int64)[:, None]


def random_scores(mask_BT: Tensor, num_labels: int, *, seed: int, padding: float = 0.0) -> Tensor:
    """Normal scores in float64, and ``padding`` in padding cells."""
    generator = torch.Generator().manual_seed(seed)
    scores_BTL = 2.0 * torch.randn(*mask_BT.shape, num_labels, generator=generator, dtype=torch.float64)
    return scores_BTL.masked_fill(~mask_BT[..., None], padding)


def random_transitions(num_labels: int, *, seed: int) -> Transitions:
    """A third of all transitions forbidden; the first label may stand anywhere, as ``O`` may."""
    generator = torch.Generator().manual_seed(seed)
    allowed_MM = torch.rand(num_labels + 1, num_labels + 1, generator=generator) > 1 / 3
    allowed_MM[0] = allowed_MM[:, 0] = True
    rows = [tuple(row) for row in allowed_MM.tolist()]
    return Transitions(
        start=rows[-1][:-1], step=tuple(row[:-1] for row in rows[:-1]), end=tuple(row[-1] for row in rows[:-1])
    )


def randomize(module: torch.nn.Module, *, seed: int) -> None:
    """Gives every parameter a random value."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
