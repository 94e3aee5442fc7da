from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.labels import MISSING, LabelSet, label_set_id

labels = st.lists(st.text(), unique=True, min_size=1, max_size=20)


@given(labels)
def test_ids_and_labels_are_inverse(names):
    made = LabelSet(names)

    assert made.decode(range(len(made))) == list(made) == names
    assert [made.id(name) for name in names] == list(range(len(names)))
    assert made.labels == tuple(names)


def test_a_label_outside_the_set_has_no_id():
    made = LabelSet(["NOUN"])

    assert made.id("VERB") is None
    assert "NOUN" in made
    assert "VERB" not in made


def test_an_id_outside_the_set_is_refused():
    with pytest.raises(IndexError):
        LabelSet(["NOUN"]).decode([1])


def test_counts_are_ordered_by_frequency_then_name():
    counts = Counter({"b": 2, "a": 2, "c": 5, "rare": 1})

    assert LabelSet.from_counts(counts).labels == ("c", "a", "b", "rare")
    assert LabelSet.from_counts(counts, min_count=2).labels == ("c", "a", "b")


def test_sets_are_equal_when_their_labels_and_order_are():
    assert LabelSet("ab") == LabelSet(["a", "b"])
    assert hash(LabelSet("ab")) == hash(LabelSet(["a", "b"]))
    assert LabelSet("ab") != LabelSet("ba")
    assert LabelSet("ab") != ("a", "b")
    assert repr(LabelSet("ab")) == "LabelSet(['a', 'b'])"


@pytest.mark.parametrize(("names", "problem"), [([], "at least one label"), (["a", "b", "a"], "'a' occurs twice")])
def test_sets_without_meaning_are_refused(names, problem):
    with pytest.raises(ValueError, match=problem):
        LabelSet(names)


def test_ids_of_label_sets_are_below_that_of_a_missing_label():
    ids = [label_set_id(index) for index in range(5)]

    assert ids == sorted(ids, reverse=True)
    assert len({*ids, MISSING}) == 6
    assert all(label < MISSING < 0 for label in ids)
