"""The ``encoder.json`` of a model folder -> a ``transformers`` model without weights.

The folder may come from anywhere. ``transformers`` configs can name code to be fetched and run (a hub repository's
classes, kernels for attention, pretrained parts): none of that is passed on.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

_DROPPED = frozenset(
    {
        "auto_map",
        "chunk_size_feed_forward",
        "attn_implementation",
        "experts_implementation",
        "backbone",
        "use_pretrained_backbone",
        "use_timm_backbone",
        "quantization_config",
        "per_layer_config",
        "dtype",
        "torch_dtype",
        "num_labels",
        "id2label",
        "label2id",
        "name_or_path",
    }
)


def build_piece_model(architecture: Mapping[str, Any], *, max_layers: int) -> nn.Module:
    """A model with fresh weights in float32.

    Args:
        architecture: A ``transformers`` config as JSON holds it.
        max_layers: More than that are refused before they are made.

    Raises:
        ValueError: It is not the architecture of an encoder that labels tokens.
    """
    # Imported here: it takes seconds, and only models with a pretrained encoder need it.
    from transformers import AutoConfig, AutoModel
    from transformers.models.auto.modeling_auto import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES

    model_type = architecture.get("model_type")
    if not isinstance(model_type, str) or model_type not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES:
        raise ValueError(f"encoder.json: no model_type that transformers labels tokens with: {model_type!r}")
    try:
        config = AutoConfig.for_model(model_type, **_harmless(architecture))
        fits = 0 < config.num_hidden_layers <= max_layers and config.hidden_size > 0 and not config.is_encoder_decoder
        model: nn.Module | None = None
        if fits:
            model = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False)
    except Exception as error:  # transformers raises anything for what may stand in a config
        raise ValueError(f"encoder.json cannot be built: {type(error).__name__}: {error}") from error
    if model is None:
        raise ValueError(f"encoder.json: expected an encoder of 1 to {max_layers} layers, and no decoder")
    drop_pooler(model)
    return model


def drop_pooler(model: nn.Module) -> None:
    """Take away the layer over the first piece that some models have: no word's answer depends on it."""
    if "add_pooling_layer" in inspect.signature(type(model).__init__).parameters and hasattr(model, "pooler"):
        model.register_module("pooler", None)


def _harmless(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes and switches; nothing that names code, and nothing private."""
    return {
        name: _harmless(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name not in _DROPPED and name != "model_type" and not name.startswith("_")
    }
