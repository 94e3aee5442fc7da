"""Labels in runs give the sentences of the whole, and give them early."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.boundaries import LABELS, decode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Sentence
from taggers.gradual import GradualDecoder

EXPANSIONS = {"ab": ("a", "c"), "b": ("x", "y")}
AWKWARD = st.text(alphabet="ab .\n\u0301\u200d\u00a0😀🇦🇧👍🏽", max_size=60)


def in_runs(text: str, labels: str, cuts: list[int]) -> list[tuple[Sentence, ...]]:
    decoder = GradualDecoder(text, EXPANSIONS)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [decoder.feed(labels[start:stop]) for start, stop in pairwise(places) if start < stop]


@settings(max_examples=400)
@given(st.data(), AWKWARD, st.lists(st.integers(0, 60), max_size=12))
def test_any_labels_in_any_runs_give_the_sentences_of_the_whole(
    data: st.DataObject, text: str, cuts: list[int]
) -> None:
    labels = data.draw(st.text(alphabet="".join(LABELS), min_size=len(text), max_size=len(text)))
    whole = decode_boundaries(text, keep_clusters(text, list(labels)), EXPANSIONS)
    assert tuple(sentence for run in in_runs(text, labels, cuts) for sentence in run) == whole


def test_a_sentence_is_given_when_the_next_has_opened() -> None:
    found = in_runs("a b. cd e", "SOTTOSIOT", [3, 6, 8])
    assert [[sentence.words for sentence in run] for run in found] == [[], [("a", "b", ".")], [], [("cd", "e")]]
    assert found[3][0].offsets == ((5, 7), (8, 9))


def test_more_labels_than_characters_are_our_mistake() -> None:
    with pytest.raises(AssertionError, match="more labels"):
        GradualDecoder("a", {}).feed("SI")
