"""Pretrained encoders: a folder, a hub name or an installed package -> its model and its tokenizer."""

import importlib.util
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn

from taggers.errors import ConfigError
from taggers.features import PieceTokenizer

_PACKAGE = "package:"


def load_pretrained(source: str) -> tuple[nn.Module, PieceTokenizer]:
    """A ``transformers`` encoder and its tokenizer, applied word by word.

    Args:
        source: A folder, a hub name, or ``package:NAME/SUBFOLDER`` for an installed Python package.

    Raises:
        ConfigError: It is not there, or its tokenizer cannot read words that are already split.
    """
    # Imported here: it takes seconds, and only configs with a pretrained encoder need it.
    from transformers import AutoModel, AutoTokenizer

    place = _package_folder(source) if source.startswith(_PACKAGE) else source
    try:
        wrapper: Any = AutoTokenizer.from_pretrained(place, add_prefix_space=True)
        model: nn.Module = AutoModel.from_pretrained(place)
    except (OSError, ValueError) as error:
        raise ConfigError(f"pretrained encoder {source!r} cannot be loaded: {error}") from error
    if not wrapper.is_fast:
        raise ConfigError(f"pretrained encoder {source!r} has no fast tokenizer, so its words cannot be told apart")
    return model, word_tokenizer(wrapper.backend_tokenizer, padding=wrapper.pad_token_id or 0)


def word_tokenizer(tokenizer: Tokenizer, *, padding: int) -> PieceTokenizer:
    """A tokenizer for pre-split words: nothing truncated, nothing padded, special pieces set apart."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    bare = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=False).ids
    framed = tokenizer.encode(["a"], is_pretokenized=True, add_special_tokens=True).ids
    start = next((i for i in range(len(framed)) if framed[i : i + len(bare)] == bare), 0)
    return PieceTokenizer(tokenizer, tuple(framed[:start]), tuple(framed[start + len(bare) :]), padding)


def _package_folder(source: str) -> Path:
    package, _, below = source.removeprefix(_PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"pretrained encoder {source!r}: the package {package!r} is not installed")
    return Path(spec.submodule_search_locations[0]) / below
