"""A pretrained encoder with only the pieces that a language needs, a smaller tokenizer and embedding, and fewer layers.

Every text that was counted is still cut into the same pieces. A text that was not may be cut into shorter ones, in the
end into single characters.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from taggers.errors import ConfigError
from taggers.features import PieceTokenizer, as_seen

_ASCII = frozenset(map(chr, range(0x21, 0x7F)))
_MARKS = ("##", "\u2581")
"""What a piece begins with beside its text: inside a word in WordPiece, after a space in Unigram."""

logger = logging.getLogger(__name__)


def keep_layers(model: nn.Module, count: int) -> None:
    """Drop all layers of a ``transformers`` model but the first ``count``, in place.

    Raises:
        ConfigError: It has fewer, or no plain stack of them.
    """
    config: Any = model.config
    stacks = [
        module
        for module in model.modules()
        if isinstance(module, nn.ModuleList) and len(module) == config.num_hidden_layers
    ]
    if len(stacks) != 1 or count > config.num_hidden_layers:
        raise ConfigError(f"pretrained_layers: cannot keep {count} of the encoder's {config.num_hidden_layers} layers")
    del stacks[0][count:]
    config.num_hidden_layers = count


def without_space_mark(tokenizer: PieceTokenizer) -> PieceTokenizer:
    """The same tokenizer for a language without spaces: a word's pieces are those that it has inside a text.

    Raises:
        ConfigError: It does not mark spaces.
    """
    content = json.loads(tokenizer.tokenizer.to_str())
    steps = content["pre_tokenizer"] or {}
    marking = [s for s in steps.get("pretokenizers", [steps]) if s.get("type") == "Metaspace"]
    if not marking:
        raise ConfigError("pieces.spaces: this tokenizer does not mark spaces")
    for step in marking:
        step["prepend_scheme"] = "never"
    return _replaced(tokenizer, content)


def prune_pieces(
    model: nn.Module,
    tokenizer: PieceTokenizer,
    forms: Mapping[str, int],
    *,
    min_count: int = 1,
    charset: str | None = None,
) -> PieceTokenizer:
    """Drop the pieces that no form needs, from the model's embedding in place and from a new tokenizer.

    Kept are special pieces, pieces that occur ``min_count`` times, and every single character that occurs, is ASCII or
    in ``charset``.

    Args:
        model: A ``transformers`` model.
        tokenizer: Its tokenizer.
        forms: Words, or longer stretches of text -> how often they occur.
        min_count: See above.
        charset: An encoding by its name in Python.

    Raises:
        ConfigError: The tokenizer is neither Unigram nor WordPiece.
    """
    content = json.loads(tokenizer.tokenizer.to_str())
    kind = content["model"].get("type")
    if kind not in ("Unigram", "WordPiece"):
        raise ConfigError(f"pieces: only Unigram and WordPiece vocabularies can be pruned, this one is {kind}")
    counts, characters = _count(tokenizer.tokenizer, forms)
    characters |= {character for character in map(chr, range(0x10000)) if charset and _has(charset, character)}
    vocabulary = tokenizer.tokenizer.get_vocab()
    kept = {piece for piece, count in counts.items() if count >= min_count}
    kept |= {index for piece, index in vocabulary.items() if _bare(piece) in characters}
    kept |= _special(content, tokenizer)
    new_ids = {old: new for new, old in enumerate(sorted(kept))}
    _shrink(content, new_ids)
    _shrink_model(model, new_ids)
    logger.info("pieces: %d kept of %d", len(kept), len(vocabulary))
    return _replaced(tokenizer, content, new_ids)


def read_texts(corpora: Path, names: Iterable[str]) -> Counter[str]:
    """What stands between white space in text files, or in all text files of folders, and how often.

    Raises:
        ConfigError: There is no such file, or it is not UTF-8.
    """
    found: Counter[str] = Counter()
    for name in names:
        place = corpora / name
        paths = sorted(place.rglob("*.txt")) if place.is_dir() else [place]
        try:
            for path in paths:
                found.update(path.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"pieces.texts: {path} cannot be read: {error}") from error
        if not paths:
            raise ConfigError(f"pieces.texts: no text files (*.txt) in {place}")
    return found


def _count(tokenizer: Tokenizer, forms: Mapping[str, int]) -> tuple[Counter[int], set[str]]:
    """How often each piece occurs, and the characters that do, as the tokenizer sees them."""
    counts: Counter[int] = Counter()
    characters = set(_ASCII)
    seen = Counter[str]()
    for form, count in forms.items():
        seen[as_seen(form)] += count
    encoded = tokenizer.encode_batch([[form] for form in seen], is_pretokenized=True, add_special_tokens=False)
    for (form, count), encoding in zip(seen.items(), encoded, strict=True):
        for piece in encoding.ids:
            counts[piece] += count
        characters.update(tokenizer.normalizer.normalize_str(form) if tokenizer.normalizer else form)
    return counts, characters


def _has(charset: str, character: str) -> bool:
    try:
        return bool(character.encode(charset))
    except UnicodeEncodeError:
        return False


def _bare(piece: str) -> str:
    for mark in _MARKS:
        if len(piece) > len(mark):
            piece = piece.removeprefix(mark)
    return piece


def _special(content: Mapping[str, Any], tokenizer: PieceTokenizer) -> set[int]:
    """The pieces that frame, fill up and stand for the unknown; in Unigram also the one of the lowest score.

    An unknown character counts ten less than that: so what is unknown costs the same as before.
    """
    model = content["model"]
    kept = {
        *tokenizer.prefix,
        *tokenizer.suffix,
        tokenizer.padding,
        *(added["id"] for added in content["added_tokens"]),
    }
    if model["type"] == "WordPiece":
        return kept | {model["vocab"][model["unk_token"]]}
    scores = [score for _, score in model["vocab"]]
    mark = {index for index, (piece, _) in enumerate(model["vocab"]) if piece in _MARKS}
    return kept | mark | {model["unk_id"], scores.index(min(scores))}


def _shrink(content: dict[str, Any], new_ids: Mapping[int, int]) -> None:
    """Rewrite ``tokenizer.json`` in place."""
    model = content["model"]
    if model["type"] == "WordPiece":
        model["vocab"] = {piece: new_ids[old] for piece, old in model["vocab"].items() if old in new_ids}
    else:
        model["vocab"] = [model["vocab"][old] for old in sorted(new_ids) if old < len(model["vocab"])]
        model["unk_id"] = new_ids[model["unk_id"]]
    content["added_tokens"] = [{**added, "id": new_ids[added["id"]]} for added in content["added_tokens"]]
    content["post_processor"] = None  # PieceTokenizer frames sequences itself; this one still has the old ids


def _shrink_model(model: Any, new_ids: Mapping[int, int]) -> None:
    """Only the embedding's rows that are kept, in the same order; the config follows."""
    old = model.get_input_embeddings()
    padding = new_ids.get(old.padding_idx) if old.padding_idx is not None else None
    new = nn.Embedding(len(new_ids), old.embedding_dim, padding_idx=padding)
    with torch.no_grad():
        new.weight.copy_(old.weight[sorted(new_ids)])
    model.set_input_embeddings(new)
    model.config.vocab_size = len(new_ids)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id"):
        if getattr(model.config, name, None) is not None:
            setattr(model.config, name, new_ids.get(getattr(model.config, name)))


def _replaced(
    tokenizer: PieceTokenizer, content: Mapping[str, Any], new_ids: Mapping[int, int] | None = None
) -> PieceTokenizer:
    made = Tokenizer.from_str(json.dumps(content))

    def moved(ids: tuple[int, ...]) -> tuple[int, ...]:
        return ids if new_ids is None else tuple(new_ids[piece] for piece in ids)

    return PieceTokenizer(made, moved(tokenizer.prefix), moved(tokenizer.suffix), *moved((tokenizer.padding,)))
