"""Other typography: the same words in the same sentences, their labels still in place."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.boundaries import LABELS, decode_boundaries, encode_boundaries
from taggers.document import Document
from training.typography import tighten, vary_characters, vary_words

tokens = st.lists(st.sampled_from(["a", "bc", ",", ".", '"', "(", ")", "?", "5", "%"]), min_size=1, max_size=12)


def labelled(sentences: list[list[str]]) -> tuple[str, list[int]]:
    document = Document.from_words(sentences)
    return document.text, [LABELS.index(label) for label in encode_boundaries(document)]


def words(text: str, labels: list[int]) -> list[tuple[str, ...]]:
    return [sentence.words for sentence in decode_boundaries(text, [LABELS[label] for label in labels], {})]


@given(st.lists(tokens, min_size=1, max_size=3))
def test_tight_text_has_the_same_words(sentences: list[list[str]]) -> None:
    text, labels = labelled(sentences)
    tight, moved = tighten(text, labels)
    assert len(tight) == len(moved)
    assert words(tight, moved) == [tuple(sentence) for sentence in sentences]
    assert tight.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("a , b .", "a, b."),
        ("a ( b ) ?", "a (b)?"),
        ('a " b c " .', 'a "b c".'),
        ('" a " " b "', '"a" "b"'),
        ("a b", "a b"),
    ],
)
def test_punctuation_stands_close_to_its_word(given_text: str, expected: str) -> None:
    text, labels = labelled([given_text.split()])
    assert text == given_text
    assert tighten(text, labels)[0] == expected


def test_a_space_inside_a_word_stays() -> None:
    text, inside = "a , b", LABELS.index("I")
    assert tighten(text, [LABELS.index("S"), *[inside] * 4])[0] == text


@given(st.lists(tokens, min_size=1, max_size=3), st.integers(0, 9))
def test_varied_characters_keep_their_sentences(sentences: list[list[str]], seed: int) -> None:
    text, labels = labelled(sentences)
    varied, moved = vary_characters(text, labels, random.Random(seed))
    assert len(varied) == len(moved)
    assert len(words(varied, moved)) == len(sentences)


@given(tokens, st.integers(0, 9))
def test_varied_words_are_as_many(sentence: list[str], seed: int) -> None:
    assert len(vary_words(sentence, random.Random(seed))) == len(sentence)
