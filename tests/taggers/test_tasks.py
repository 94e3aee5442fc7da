"""Tasks: a layer of a sentence to labels and back, through the codec of its kind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.document import Document, Sentence, Span
from taggers.labels import LabelSet
from taggers.spans import Scheme, span_tags
from taggers.tasks import Task, encode_layer, learn_labels
from tests.strategies import disjoint_spans
from tests.tiny import sentence_of, tiny_corpus

SENTENCES = [sentence for document in tiny_corpus() for sentence in document]
LABELS = ["PER", "LOC", "ORG", "creative-work", "A|B"]


def span_task(scheme: Scheme = Scheme.BIO) -> Task:
    return Task("ner", "span", "ner", LabelSet(span_tags(LABELS, scheme)), scheme)


@pytest.mark.parametrize(
    ("kind", "layer", "first"),
    [("token", "upos", "PROPN"), ("lemma", "lemma", "k;|"), ("span", "ner", "B-PER")],
)
def test_a_layer_is_encoded_by_its_kind(kind, layer, first) -> None:
    encoded = encode_layer(SENTENCES[0], kind=kind, layer=layer, scheme=Scheme.BIO)
    assert encoded is not None
    assert encoded[0] == first
    assert len(encoded) == len(SENTENCES[0])


@pytest.mark.parametrize("kind", ["token", "lemma", "span"])
def test_a_layer_that_a_sentence_does_not_carry(kind) -> None:
    assert encode_layer(sentence_of("a b"), kind=kind, layer="x", scheme=Scheme.BIO) is None
    assert learn_labels([sentence_of("a b")], kind=kind, layer="x", scheme=Scheme.BIO) is None


@pytest.mark.parametrize(("kind", "layer"), [("token", "upos"), ("token", "feats"), ("lemma", "lemma")])
def test_a_column_comes_back(kind, layer) -> None:
    labels = learn_labels(SENTENCES, kind=kind, layer=layer, scheme=Scheme.BIO)
    assert labels is not None
    task = Task(layer, kind, layer, labels)
    for sentence in SENTENCES:
        ids = [labels.id(label) for label in task.encode(sentence)]
        assert task.decode_tags(sentence.words, ids) == sentence.tags[layer]


@pytest.mark.parametrize("scheme", [Scheme.BIO, Scheme.BIOES])
@settings(max_examples=40)
@given(data=st.data())
def test_spans_come_back_with_the_product_of_their_words_probabilities(scheme: Scheme, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 12))
    spans = data.draw(disjoint_spans(length))
    probabilities = data.draw(st.lists(st.floats(0, 1), min_size=length, max_size=length))
    task = span_task(scheme)
    sentence = Document.from_words([["w"] * length]).sentences[0].annotated(spans={"ner": spans})
    found = task.decode_spans([task.labels.id(tag) for tag in task.encode(sentence)], probabilities)
    assert [(span.start, span.stop, span.label) for span in found] == [(s.start, s.stop, s.label) for s in spans]
    for span in found:
        product = 1.0
        for probability in probabilities[span.start : span.stop]:
            product *= probability
        assert span.score == pytest.approx(product)
        assert 0 <= span.score <= 1


def test_no_span_in_a_sentence_of_outside() -> None:
    assert span_task().decode_spans([0, 0, 0], [1.0] * 3) == ()
    assert span_task().decode_spans([], []) == ()


def test_a_tag_that_no_span_opens_opens_one() -> None:
    task = span_task()
    inside = task.labels.id("I-LOC")
    assert task.decode_spans([0, inside, inside], [1.0, 0.5, 0.5]) == (Span(1, 3, "LOC", 0.25),)


def test_the_labels_of_spans_without_their_prefixes() -> None:
    assert span_task(Scheme.BIOES).span_labels == tuple(LABELS)


def test_only_spans_have_transitions() -> None:
    transitions = span_task().transitions
    assert transitions is not None
    assert transitions.start[0]
    assert not transitions.start[span_task().labels.id("I-PER")]
    assert Task("upos", "token", "upos", LabelSet(["A"])).transitions is None


def test_labels_are_learnt_in_an_order_that_the_corpus_does_not_change() -> None:
    for kind, layer in (("token", "upos"), ("lemma", "lemma"), ("span", "ner")):
        there = learn_labels(SENTENCES, kind=kind, layer=layer, scheme=Scheme.BIO)
        assert there == learn_labels(SENTENCES[::-1], kind=kind, layer=layer, scheme=Scheme.BIO)
    spans = learn_labels(SENTENCES, kind="span", layer="ner", scheme=Scheme.BIO)
    assert spans is not None
    assert spans.labels[0] == "O"


def test_rare_labels_are_left_out() -> None:
    labels = learn_labels(SENTENCES, kind="token", layer="upos", scheme=Scheme.BIO, min_count=3)
    assert labels == LabelSet(["PROPN", "AUX", "PUNCT", "VERB"])


def test_a_corpus_annotated_as_without_spans_teaches_that_there_are_none() -> None:
    empty: Sentence = sentence_of("a b").annotated(spans={"ner": ()})
    assert learn_labels([empty], kind="span", layer="ner", scheme=Scheme.BIO) == LabelSet(["O"])


@pytest.mark.parametrize("scheme", Scheme)
def test_outside_all_spans_may_be_a_span_that_nobody_marked(scheme) -> None:
    task = span_task(scheme)
    assert task.outside(()) == (0,)
    tags = task.labels.decode(task.outside({"PER", "A|B", "no label of this task"}))
    assert tags == span_tags(["PER", "A|B"], scheme)
