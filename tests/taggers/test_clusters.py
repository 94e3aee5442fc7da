"""No token boundary inside what people see as one character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.boundaries import LABELS, decode_boundaries
from taggers.clusters import keep_clusters

WHOLE = {
    "combining accent": "e\u0301",
    "two marks": "a\u0323\u0302",
    "vowel sign": "\u0915\u093f",
    "variation selector": "\u2764\ufe0f",
    "skin tone": "\U0001f44d\U0001f3fd",
    "family": "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "flag": "\U0001f1eb\U0001f1f7",
}


@pytest.mark.parametrize("cluster", WHOLE.values(), ids=WHOLE)
def test_a_cluster_is_never_divided(cluster: str) -> None:
    text = f"x{cluster}y"
    labels = keep_clusters(text, ["T"] * len(text))
    assert labels == ["T", "T", *["I"] * (len(cluster) - 1), "T"]


def test_two_flags_are_two() -> None:
    flags = "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea"
    assert keep_clusters(flags, ["T"] * 4) == ["T", "I", "T", "I"]


def test_a_mark_without_a_base_stands_alone() -> None:
    assert keep_clusters(" \u0301", ["O", "T"]) == ["O", "T"]
    assert keep_clusters("\u0301", ["S"]) == ["S"]


def test_a_mark_on_a_character_outside_stays_outside() -> None:
    assert keep_clusters("x\u0301", ["O", "T"]) == ["O", "O"]


TEXTS = st.text(st.sampled_from("ab \n.\u0301\u200d\ufe0f\U0001f44d\U0001f3fd\U0001f1eb\U0001f1f7"), max_size=20)


@given(TEXTS, st.randoms(use_true_random=False))
def test_it_is_idempotent_and_sentences_never_divide_marks(text: str, order: object) -> None:
    labels = [order.choice(LABELS) for _ in text]  # type: ignore[attr-defined]
    kept = keep_clusters(text, labels)
    assert keep_clusters(text, kept) == kept
    starts = {start for sentence in decode_boundaries(text, kept, {}) for start, _ in sentence.offsets}
    divided = [
        position
        for position in starts
        if position and unicodedata.category(text[position]) == "Mn" and not text[position - 1].isspace()
    ]
    assert not divided
