from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.document import Document, Sentence, Span
from training.evaluation import (
    Confusion,
    SpanConvention,
    evaluate,
    most_confused,
    span_scores,
    tag_scores,
    token_accuracy,
)

VALUES = {
    "upos": ("NOUN", "VERB", "X"),
    "xpos": ("NN", "VB", "_"),
    "feats": ("_", "Case=Nom", "Case=Nom|Typo=Yes", "Number=Sing", "Case=Acc|number[psor]=Sing"),
    "lemma": ("a", "b", "_"),
}


def sentence(*words: str, spans: Sequence[tuple[int, int, str]] | None = None, **tags: Sequence[str]) -> Sentence:
    made = Document.from_words([words]).sentences[0]
    layers = {} if spans is None else {"ner": tuple(Span(*span) for span in spans)}
    return replace(made, tags={layer: tuple(column) for layer, column in tags.items()}, spans=layers)


@st.composite
def annotations(draw, words: Sequence[str]) -> Sentence:
    """Some annotation of these words, spans among them."""
    tags = {layer: [draw(st.sampled_from(values)) for _ in words] for layer, values in VALUES.items()}
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=6)))
    spans = [
        (start, stop, label) for start, stop in pairwise(cuts) if (label := draw(st.sampled_from(("PER", "LOC", ""))))
    ]
    return sentence(*words, spans=spans, **tags)


@st.composite
def gold_and_predicted(draw) -> list[tuple[Sentence, Sentence]]:
    """Pairs of different annotations of the same words."""
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    words = [[f"w{i}" for i in range(length)] for length in lengths]
    return [(draw(annotations(row)), draw(annotations(row))) for row in words]


# Token layers


def test_accuracy_by_hand():
    gold = [sentence("a", "b", upos=["X", "VERB"], lemma=["a", "b"]), sentence("c", "d", upos=["X"] * 2, lemma="cd")]
    predicted = [sentence("a", "b", upos=["X", "X"], lemma="ab"), sentence("c", "d", upos=["X"] * 2, lemma="Cd")]
    assert token_accuracy(gold, predicted) == {"upos": 0.75, "lemma": 0.75}


def test_features_are_compared_whole_and_without_their_order():
    gold = sentence("a", "b", "c", "d", feats=["A=1|Case=Nom", "Case=Nom|Typo=Yes", "_", "Case=Nom"])
    predicted = sentence("a", "b", "c", "d", feats=["Case=Nom|A=1", "Case=Nom", "_", "_"])
    assert token_accuracy([gold], [predicted]) == {"ufeats": 0.5, "ufeats_universal": 0.75}


def test_no_lemma_is_a_value_like_any_other():
    gold, predicted = sentence("a", "b", lemma="_b"), sentence("a", "b", lemma="ab")
    assert token_accuracy([gold], [predicted]) == {"lemma": 0.5}


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [({}, {"xpos": ["NN"]}), ({"xpos": ["NN"]}, {}), ({"xpos": ["_"]}, {"xpos": ["NN"]})],
    ids=["absent in gold", "absent in prediction", "no value in gold"],
)
def test_a_layer_that_one_side_lacks_is_absent(gold, predicted):
    assert token_accuracy([sentence("a", **gold)], [sentence("a", **predicted)]) == {}


def test_sentences_whose_gold_lacks_the_layer_do_not_count():
    gold = [sentence("a", upos=["X"]), sentence("b")]
    predicted = [sentence("a", upos=["X"]), sentence("b", upos=["VERB"])]
    assert token_accuracy(gold, predicted) == {"upos": 1.0}


def test_a_prediction_may_not_skip_sentences():
    gold = [sentence("a", upos=["X"]), sentence("b", upos=["X"])]
    with pytest.raises(ValueError, match="'upos' in 1 of the 2 sentences"):
        token_accuracy(gold, [gold[0], sentence("b")])


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ([], "expected 1 predicted sentences, found 0"),
        ([sentence("a", "c")], "sentence 0"),
        ([sentence("ab")], "found 1"),
    ],
)
def test_other_words_than_gold_are_refused(predicted, message):
    with pytest.raises(ValueError, match=message):
        token_accuracy([sentence("a", "b")], predicted)


# Span layers


def test_the_two_conventions_differ_on_a_span_that_begins_with_i():
    tags = [["I-PHONE", "I-PHONE"]]
    assert tag_scores(tags, tags, convention="strict").f1 == 0.0
    assert tag_scores(tags, tags, convention="conlleval").f1 == 1.0


def test_in_the_strict_reading_a_span_without_b_is_missed_and_spoils_nothing_else():
    gold, predicted = [["B-ORG", "I-ORG", "O", "B-PER"]], [["I-ORG", "I-ORG", "O", "B-PER"]]
    strict, lenient = (tag_scores(gold, predicted, convention=reading) for reading in ("strict", "conlleval"))
    assert (strict.precision, strict.recall) == (1.0, 0.5)
    assert (lenient.precision, lenient.recall) == (1.0, 1.0)


def test_tags_have_no_offsets_to_score_by():
    with pytest.raises(ValueError, match="found 'offsets'"):
        tag_scores([["O"]], [["O"]], convention=SpanConvention.OFFSETS)


@pytest.mark.parametrize("convention", ["strict", "conlleval"])
@pytest.mark.parametrize("tags", [[], [[]], [["O"]], [["O"], []]], ids=str)
def test_without_any_span_all_is_zero(tags, convention):
    scores = tag_scores(tags, tags, convention=convention)
    assert (scores.precision, scores.recall, scores.f1, scores.types) == (0.0, 0.0, 0.0, {})


def test_spans_by_hand():
    gold = [sentence(*"abcd", spans=[(0, 2, "PER"), (3, 4, "LOC")]), sentence("e", spans=[(0, 1, "PER")])]
    predicted = [sentence(*"abcd", spans=[(0, 2, "PER"), (2, 4, "LOC")]), sentence("e", spans=[(0, 1, "ORG")])]
    scores = span_scores(gold, predicted)
    assert (scores.precision, scores.recall, scores.f1) == tuple(pytest.approx(1 / 3) for _ in range(3))
    assert {label: (of.precision, of.recall, of.support) for label, of in scores.types.items()} == {
        "LOC": (0.0, 0.0, 1),
        "ORG": (0.0, 0.0, 0),
        "PER": (1.0, 0.5, 2),
    }


def test_other_types_than_those_asked_for_count_on_neither_side():
    gold = sentence(*"abc", spans=[(0, 1, "PER"), (1, 2, "OTH")])
    predicted = sentence(*"abc", spans=[(0, 1, "PER"), (1, 2, "MISC"), (2, 3, "LOC")])
    scores = span_scores([gold], [predicted], types={"PER", "LOC"})
    assert (scores.precision, scores.recall, set(scores.types)) == (0.5, 1.0, {"PER", "LOC"})


def test_a_layer_that_nobody_has_is_refused():
    with pytest.raises(ValueError, match="'chunk'"):
        span_scores([sentence("a", spans=[])], [sentence("a", spans=[])], layer="chunk")


@given(gold_and_predicted())
@settings(max_examples=60)
def test_both_conventions_equal_a_count_of_equal_spans(pairs):
    spans = [{(i, s) for i, p in enumerate(pairs) for s in p[side].spans["ner"]} for side in (0, 1)]
    right, total = len(spans[0] & spans[1]), len(spans[0]) + len(spans[1])
    for convention in ("strict", "conlleval"):
        scores = span_scores([a for a, _ in pairs], [b for _, b in pairs], convention=convention)
        assert scores.f1 == pytest.approx(2 * right / total if total else 0.0)


@given(gold_and_predicted(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_sentences_does_not_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    first, second = (([a for a, _ in rows], [b for _, b in rows]) for rows in (pairs, shuffled))
    assert token_accuracy(*first) == token_accuracy(*second)
    assert span_scores(*first) == span_scores(*second)
    assert most_confused(*first, "upos") == most_confused(*second, "upos")


# Confusions


def test_the_most_frequent_mistakes_come_first():
    gold = [sentence(*"abcd", upos=["X", "X", "NOUN", "NOUN"])]
    predicted = [sentence(*"abcd", upos=["VERB", "VERB", "X", "NOUN"])]
    expected = [Confusion("X", "VERB", 2), Confusion("NOUN", "X", 1)]
    assert most_confused(gold, predicted, "upos") == expected
    assert most_confused(gold, predicted, "upos", top=1) == expected[:1]


def test_a_word_of_a_span_counts_by_its_label():
    gold, predicted = sentence(*"abc", spans=[(0, 2, "A-B")]), sentence(*"abc", spans=[(0, 1, "A-B"), (1, 3, "LOC")])
    assert most_confused([gold], [predicted], "ner") == [Confusion("A-B", "LOC", 1), Confusion("O", "LOC", 1)]


# The whole


def documents(sentences: Sequence[Sentence]) -> list[Document]:
    """One document each, the annotation of the sentence kept."""
    return [Document(" ".join(s.words), (s,)) for s in sentences]


@given(gold_and_predicted())
@settings(max_examples=40)
@pytest.mark.parametrize("raw", [False, True])
def test_a_perfect_prediction_scores_one_everywhere(raw, pairs):
    gold = documents([a for a, _ in pairs])
    scores = evaluate(lambda _: gold, gold, raw=raw)
    assert set(scores.layers.values()) <= {1.0}
    assert {"upos"} <= set(scores.layers)
    assert set((scores.segmentation or {"words": 1.0}).values()) == {1.0}
    if any(s.spans["ner"] for document in gold for s in document):
        assert {key: s.f1 for key, s in scores.spans.items()} == dict.fromkeys(
            ["ner"] if raw else ["ner", "ner_conlleval"], 1.0
        )


@pytest.mark.parametrize("raw", [False, True])
def test_a_tagger_sees_no_annotation(raw):
    gold = documents([sentence("a", "b", upos=["X", "X"], spans=[(0, 1, "PER")])])
    seen: list[Document] = []

    def tag(given: Sequence[Document]) -> Sequence[Document]:
        seen.extend(given)
        return gold

    scores = evaluate(tag, gold, raw=raw, model="en", files=["test.conllu"])
    assert seen == [Document("a b") if raw else Document("a b", (gold[0].sentences[0].bare(),))]
    assert (scores.model, scores.files, scores.tokens, scores.sentences) == ("en", ("test.conllu",), 2, 1)


def test_raw_scores_follow_the_words_that_the_tagger_found():
    gold = documents([sentence("a", "b", upos=["X", "X"], spans=[(0, 2, "PER")])])
    found = Sentence(("a b",), ((0, 3),), 0, 3, {"upos": ("X",)}, {"ner": (Span(0, 1, "PER"),)})
    scores = evaluate(lambda _: [Document("a b", (found,))], gold, raw=True)
    assert scores.segmentation == {"tokens": 0.0, "words": 0.0, "sentences": 1.0}
    assert scores.layers == {"upos": 0.0}
    assert scores.spans["ner"].f1 == 1.0
    assert scores.spans["ner"].convention is SpanConvention.OFFSETS
