"""Encoders: embeddings of a sequence in, vectors that know their context out; nothing else knows which one it is."""

from typing import Protocol

from torch import Tensor, nn

from taggers.batch import TokenBatch
from taggers.config import BiLSTMConfig, CNNConfig, EncoderConfig, TransformerConfig
from taggers.encoders.bilstm import BiLSTMEncoder
from taggers.encoders.cnn import CNNEncoder
from taggers.encoders.transformer import PretrainedEncoder, TransformerEncoder


class Encoder(Protocol):
    """``width`` is that of the result; padding goes in as anything and comes out as zeros."""

    width: int

    def __call__(self, x_BTD: Tensor | None, batch: TokenBatch) -> Tensor:
        """``(B, T, input width) -> (B, T, width)``."""
        ...


def build_encoder(config: EncoderConfig, input_width: int, *, piece_model: nn.Module | None = None) -> nn.Module:
    """A config to an encoder with fresh weights.

    Args:
        config: Which encoder.
        input_width: The width of the word features; 0 for none.
        piece_model: The ``transformers`` model of a pretrained encoder.
    """
    match config:
        case BiLSTMConfig():
            return BiLSTMEncoder(
                input_width, width=config.width, layers=config.layers, cell=config.cell, dropout=config.dropout
            )
        case CNNConfig():
            return CNNEncoder(
                input_width,
                width=config.width,
                kernel=config.kernel,
                dilations=config.dilations,
                dropout=config.dropout,
            )
        case TransformerConfig(pretrained=None):
            assert config.width is not None, "checked by TransformerConfig"
            assert config.layers is not None, "checked by TransformerConfig"
            assert config.heads is not None, "checked by TransformerConfig"
            return TransformerEncoder(
                input_width, width=config.width, layers=config.layers, heads=config.heads, dropout=config.dropout
            )
        case TransformerConfig():
            assert piece_model is not None, "a pretrained encoder needs its model"
            return PretrainedEncoder(
                piece_model,
                int(piece_model.config.hidden_size),  # type: ignore[union-attr, arg-type]
                feature_width=input_width,
                pooling=config.pooling,
                dropout=config.dropout,
            )
