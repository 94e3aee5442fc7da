"""Word vector files: three formats, their oddities, and every damaged line told with its number."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from taggers.embeddings import StaticVectors
from taggers.errors import ConfigError, FormatError
from training.vectors import read_vectors

ROWS = {"the": [0.5, -1.0, 0.25], "cat": [0.0, 2.0, 1.0], "1": [1.0, 1.0, -1.0]}


def written(folder: Path, text: str | bytes, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def lines(rows: dict[str, list[float]] = ROWS) -> str:
    return "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in rows.items())


def read(path: Path, max_words: int = 100) -> tuple[list[str], torch.Tensor]:
    """The words and their vectors, without the two rows that the table puts before them."""
    words, table = read_vectors(path, max_words=max_words)
    vectors = table(torch.arange(len(words) + 2))
    assert not vectors[:2].any()  # padding and the unknown word
    return words, vectors[2:]


def wink(rows: dict[str, list[float]]) -> str:
    """In the wink-embeddings packages a vector is followed by numbers of another kind."""
    return json.dumps({"dimensions": 3, "words": list(rows), "vectors": {w: [*v, 7, 9] for w, v in rows.items()}})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("glove.txt", lines()),
        ("glove-without-last-line-end.txt", lines().rstrip("\n")),
        ("word2vec.vec", "3 3\n" + lines()),
        ("blanks-at-line-ends.vec", "3 3\n" + lines().replace("\n", " \n")),
        ("windows.txt", lines().replace("\n", "\r\n")),
        ("wink.json", wink(ROWS)),
    ],
)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str, text: str) -> None:
    words, vectors = read(written(tmp_path, text, name))
    assert words == list(ROWS)
    torch.testing.assert_close(vectors, torch.tensor(list(ROWS.values())), atol=2.0 / 254, rtol=0)


def test_only_the_first_words_are_taken(tmp_path: Path) -> None:
    assert read(written(tmp_path, lines()), max_words=2)[0] == ["the", "cat"]
    assert read(written(tmp_path, wink(ROWS), "w.json"), max_words=2)[0] == ["the", "cat"]


def test_of_a_word_that_comes_twice_the_first_counts(tmp_path: Path) -> None:
    words, vectors = read(written(tmp_path, "a 1 2\nb 3 4\na 5 6\n"))
    assert words == ["a", "b"]
    torch.testing.assert_close(vectors[0], torch.tensor([1.0, 2.0]), atol=0.01, rtol=0)


def test_a_word_may_hold_spaces_as_in_glove_840b(tmp_path: Path) -> None:
    words, vectors = read(written(tmp_path, "the 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n"))
    assert words == ["the", ". . .", "at name@domain.com"]
    torch.testing.assert_close(vectors[1], torch.tensor([4.0, 5.0, 6.0]), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    "word", ["\u0085", "\u00a0", "a\u2028b", "\u3000", "字", "👩\u200d🚀", "b\u00adc", "nan", "2 000x"]
)
def test_any_character_may_stand_in_a_word(tmp_path: Path, word: str) -> None:
    assert read(written(tmp_path, f"the 1 2 3\n{word} 4 5 6\n"))[0] == ["the", word]


def test_a_word_that_is_not_utf_8_fails_nothing(tmp_path: Path) -> None:
    words, _ = read(written(tmp_path, b"the 1 2\n\xff\xfe 3 4\ncat 5 6\n"))
    assert words == ["the", "\ufffd\ufffd", "cat"]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a 1 2\nb 3\n", 2, "expected a word and 2 numbers, found 1"),
        ("a 1 2\nb 3 4 5\n", 2, "expected a word and 2 numbers, found 3"),
        ("2 3\na 1 2\n", 2, "expected a word and 3 numbers, found 2"),
        ("a 1 2\nb 3 four\n", 2, "expected a word and numbers separated by single spaces"),
        ("a 1 2\n\nb 3 4\n", 2, "expected a word and 2 numbers, found 0"),
        ("\na 1 2\n", 1, "expected a word and 1 numbers, found 0"),
        ("a\t1\t2\n", 1, "expected a word and 1 numbers, found 0"),
        ("a 1 nan\n", 1, "expected a word and numbers"),
        ("a 1 2\nb 3 inf\n", 2, "expected a word and numbers"),
        ("3000000 300\n\x00\x01 \x02\n", 2, "expected a word and 300 numbers"),
    ],
)
def test_a_malformed_line_is_told_with_its_number(tmp_path: Path, text: str, line: int, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_vectors(written(tmp_path, text), max_words=10)
    assert caught.value.line == line
    assert caught.value.problem.startswith(problem)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"dimensions": 2, "words": ["a"], "vectors": {}}', '{"dimensions": 2, "words": ["a"]}']
    + [f'{{"dimensions": 2, "words": ["a"], "vectors": {{"a": {vector}}}}}' for vector in ("[1]", "5", '["x", 1]')],
)
def test_a_json_of_another_kind_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.json: not a wink-embeddings file: ") as caught:
        read_vectors(written(tmp_path, text, "x.json"), max_words=10)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "5 3\n"])
def test_a_file_without_words_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="holds no word vectors"):
        read_vectors(written(tmp_path, text), max_words=10)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file of word vectors"):
        read_vectors(tmp_path / "none.txt", max_words=10)


@given(st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4), min_size=1, max_size=5))
@example([[0.0, 0.0, 8922.0, 3137.25]])
def test_quantizing_errs_by_half_a_step_of_each_row(rows) -> None:
    vectors = torch.tensor(rows)
    table = StaticVectors.quantized(vectors)
    error = (table(torch.arange(len(rows)) + 2) - vectors).abs().amax(1)
    step = vectors.abs().amax(1) / 127 * (1 + 2**-8)  # as it is stored, rounded to 8 bits
    assert (error <= step * (0.5 + 1e-4) + 1e-12).all()
