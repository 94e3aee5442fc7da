"""Self-attention encoders: one from scratch over word features, one pretrained over subword pieces.

Legend: B sequences, T words, P pieces, H heads, K width of a head, D width, E the pretrained model's width.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from taggers.batch import PieceBatch, TokenBatch

Pooling = Literal["first", "mean"]


class AttentionBlock(nn.Module):
    """Self-attention and feed-forward, with layer norm in front of each.

    After Vaswani et al. 2017, "Attention Is All You Need", and Xiong et al. 2020, "On Layer Normalization in the
    Transformer Architecture".
    """

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor) -> Tensor:
        """``(B, T, D) -> (B, T, D)``."""
        B, T, D = x_BTD.shape
        qkv_BT3HK = self.query_key_value(self.attention_norm(x_BTD)).view(B, T, 3, self.heads, D // self.heads)
        q_BHTK, k_BHTK, v_BHTK = qkv_BT3HK.permute(2, 0, 3, 1, 4)
        y_BHTK = scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, attn_mask=mask_BT[:, None, None])
        x_BTD = x_BTD + self.dropout(self.attention_out(y_BHTK.transpose(1, 2).reshape(B, T, D)))
        out_BTD: Tensor = x_BTD + self.dropout(self.feed_out(gelu(self.feed_in(self.feed_norm(x_BTD)))))
        return out_BTD


class TransformerEncoder(nn.Module):
    """A Transformer trained from scratch over word features, with sinusoidal positions.

    Args:
        input_width: The width of the embeddings.
        width: The width D of the result.
        layers: How many blocks.
        heads: How many attention heads in each.
        dropout: In each block, in training.
    """

    def __init__(self, input_width: int, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Identity() if input_width == width else nn.Linear(input_width, width)
        self.blocks = nn.ModuleList(AttentionBlock(width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, x_BTD: Tensor, batch: TokenBatch) -> Tensor:
        """``(B, T, input_width) -> (B, T, D)``, zero on padding."""
        x_BTD = self.project(x_BTD)
        x_BTD = x_BTD + sinusoids(x_BTD.shape[1], self.width).to(x_BTD)
        # Whatever stands in the padding must be finite: 0 x infinity would reach every row of the attention.
        x_BTD = x_BTD.masked_fill(~batch.mask_BT[..., None], 0.0)
        for block in self.blocks:
            x_BTD = block(x_BTD, batch.mask_BT)
        out_BTD: Tensor = self.norm(x_BTD)
        return out_BTD.masked_fill(~batch.mask_BT[..., None], 0.0)


class PretrainedEncoder(nn.Module):
    """A pretrained model over subword pieces, pooled to words, beside the word features where there are any.

    A word without a piece (control characters, ...) has a learned vector, so that every word has an answer.

    Args:
        model: The ``transformers`` model.
        model_width: Its width E.
        feature_width: The width of the word features; 0 for none.
        pooling: A word's first piece, or the mean of its pieces.
        dropout: On the pooled vectors, in training.
    """

    def __init__(
        self, model: nn.Module, model_width: int, *, feature_width: int, pooling: Pooling, dropout: float
    ) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling
        self.no_piece = nn.Parameter(torch.zeros(model_width))
        self.dropout = nn.Dropout(dropout)
        self.width = model_width + feature_width

    @property
    def num_pieces(self) -> int:
        """How many pieces the model has an embedding for."""
        return int(self.model.get_input_embeddings().num_embeddings)  # type: ignore[operator]

    @property
    def max_positions(self) -> int | None:
        """The longest sequence of pieces that the model can read; None if it says of no limit."""
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if not isinstance(limit, int) or limit <= 0:
            return None
        for name, module in self.model.named_modules():
            # RoBERTa and its kin count their positions from behind the padding's.
            if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
                return limit - int(module.padding_idx) - 1
        return limit

    def forward(self, x_BTD: Tensor | None, batch: TokenBatch) -> Tensor:
        """``(B, T, D) or None -> (B, T, E + D)``, zero on padding."""
        pieces = batch.pieces
        assert pieces is not None, "a pretrained encoder reads pieces"
        states_BPE = self.model(
            input_ids=pieces.ids_BP, attention_mask=pieces.mask_BP.to(torch.int64), return_dict=False
        )[0]
        words_BTE = self.dropout(self.pool(states_BPE, pieces))
        out_BTD = words_BTE if x_BTD is None else torch.cat([words_BTE, x_BTD], dim=-1)
        return out_BTD.masked_fill(~batch.mask_BT[..., None], 0.0)

    def pool(self, states_BPE: Tensor, pieces: PieceBatch) -> Tensor:
        """Pieces to words: ``(B, P, E) -> (B, T, E)``."""
        first_BT = pieces.first_BT.clamp_min(0)
        if self.pooling == "first":
            words_BTE = _gather(states_BPE, first_BT)
        else:
            # A cumulative sum gives every word's total by two look-ups, whatever its number of pieces; in float64,
            # because the difference of two long sums keeps little of a lower precision.
            states_BPE = states_BPE.masked_fill(~pieces.mask_BP[..., None], 0.0)
            sums_BPE = nn.functional.pad(states_BPE.double().cumsum(1), (0, 0, 1, 0))
            total_BTE = _gather(sums_BPE, first_BT + pieces.count_BT) - _gather(sums_BPE, first_BT)
            words_BTE = (total_BTE / pieces.count_BT.clamp_min(1)[..., None]).to(states_BPE.dtype)
        return torch.where((pieces.count_BT > 0)[..., None], words_BTE, self.no_piece)


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal positions, (length, width): any length (Vaswani et al. 2017)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _gather(states_BPE: Tensor, index_BT: Tensor) -> Tensor:
    return states_BPE.gather(1, index_BT[..., None].expand(-1, -1, states_BPE.shape[-1]))
