"""An encoder in 16 bits: its matrix products and convolutions, and the weights they read; all else is in float32."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from taggers.batch import TokenBatch


class ReducedEncoder(nn.Module):
    """Another encoder, computing in bfloat16 or float16 where ``torch.autocast`` finds that safe.

    Sums along the layers, norms, softmax and the pooling of pieces stay in float32. The weights are cast once: autocast
    alone would cast them again for every batch.

    Args:
        encoder: The encoder, in float32; it is copied, so that it can be taken again.
        dtype: ``torch.bfloat16`` or ``torch.float16``.
    """

    def __init__(self, encoder: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.encoder = deepcopy(encoder)
        for module in self.encoder.modules():
            if isinstance(module, nn.Linear | nn.Conv1d):
                module.to(dtype)
        self.dtype = dtype
        self.width = encoder.width

    def forward(self, x_BTD: Tensor | None, batch: TokenBatch) -> Tensor:
        """As the encoder's own, in float32."""
        with torch.autocast(batch.mask_BT.device.type, dtype=self.dtype, cache_enabled=False):
            out_BTD: Tensor = self.encoder(x_BTD, batch)
        return out_BTD.float()
