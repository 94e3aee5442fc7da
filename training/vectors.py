"""Static word vectors on disk -> a table: GloVe's and word2vec's text formats, and wink-embeddings' JSON."""

import json
from collections.abc import Iterator
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
    content = json.loads(path.read_text(encoding="utf-8"))
    width = content["dimensions"]
    for word in content["words"]:
        yield word, np.array(content["vectors"][word][:width], dtype=np.float32)


def _read_text(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        first = stream.readline().split()
        lines = enumerate(stream, start=2)
        if len(first) != 2:  # word2vec begins with the numbers of words and of dimensions, GloVe at once
            stream.seek(0)
            lines = enumerate(stream, start=1)
        width = None
        for number, line in lines:
            word, *numbers = line.rstrip().split(" ")
            try:
                vector = np.array(numbers, dtype=np.float32)
            except ValueError:
                raise FormatError(path, number, "expected a word and numbers separated by single spaces") from None
            if width is not None and len(vector) != width:
                raise FormatError(path, number, f"expected {width} numbers, found {len(vector)}")
            width = len(vector)
            yield word, vector
