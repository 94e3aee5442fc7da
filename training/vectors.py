"""Static word vectors on disk -> a table: GloVe's and word2vec's text formats, and wink-embeddings' JSON."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from taggers.embeddings import StaticVectors
from taggers.errors import ConfigError, FormatError


def read_vectors(path: Path, *, max_words: int) -> tuple[list[str], StaticVectors]:
    """The first (most frequent) words of a vector file, and their quantized vectors in the same order.

    Args:
        path: ``word number number …`` lines (with or without word2vec's line of counts first), or a ``.json`` of the
            wink-embeddings packages.
        max_words: How many words to take.

    Raises:
        ConfigError: The file cannot be read.
        FormatError: A line is not a word and as many numbers as the line before had.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file of word vectors")
    rows = _read_wink(path) if path.suffix == ".json" else _read_text(path)
    words: list[str] = []
    vectors: list[np.ndarray] = []
    seen: set[str] = set()
    for word, vector in rows:
        if word not in seen:
            seen.add(word)
            words.append(word)
            vectors.append(vector)
        if len(words) == max_words:
            break
    if not words:
        raise ConfigError(f"{path}: holds no word vectors")
    return words, StaticVectors.quantized(torch.from_numpy(np.stack(vectors)))


def _read_wink(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        width = content["dimensions"]
        for word in content["words"]:
            yield word, _as_vector(content["vectors"][word][:width], width)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a wink-embeddings file: {type(error).__name__}: {error}") from error


def _read_text(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    # A word that is not UTF-8 is no token's form: its row is read for nothing, but no reason to fail.
    with path.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        first = stream.readline().split()
        width = None
        if len(first) == 2 and first[1].isdecimal():  # word2vec begins with the numbers of words and of dimensions
            width = int(first[1])
            lines = enumerate(stream, start=2)
        else:
            stream.seek(0)
            lines = enumerate(stream, start=1)
        for number, line in lines:
            fields = line.rstrip().split(" ")
            width = width or max(1, len(fields) - 1)
            words, numbers = fields[:-width], fields[-width:]
            if not words or (len(words) > 1 and _is_number(words[-1])):  # a word itself may hold spaces, in GloVe 840B
                raise FormatError(path, number, f"expected a word and {width} numbers, found {len(fields) - 1}")
            try:
                yield " ".join(words), _as_vector(numbers, width)
            except ValueError:
                raise FormatError(path, number, "expected a word and numbers separated by single spaces") from None


def _as_vector(numbers: Sequence[object], width: int) -> np.ndarray:
    """Numbers as a vector.

    Raises:
        ValueError: They are not finite numbers, or not ``width`` of them.
    """
    vector = np.array(numbers, dtype=np.float32)
    if vector.shape != (width,) or not np.isfinite(vector).all():
        raise ValueError(f"expected {width} finite numbers")
    return vector


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
