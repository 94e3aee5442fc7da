import itertools

import pytest
import seqeval.scheme
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from taggers.document import Span
from taggers.spans import (
    Reading,
    Repair,
    Scheme,
    allowed_transitions,
    convert_tags,
    decode_spans,
    encode_spans,
    repair_tags,
    span_tags,
)

LABELS = ("A", "B", "work-of-art")  # few, so that neighbors often agree; a label may hold hyphens

schemes = st.sampled_from(Scheme)
readings = st.sampled_from(Reading)


@st.composite
def spans_and_length(draw):
    length = draw(st.integers(0, 10))
    edges = draw(st.lists(st.integers(0, length), unique=True).map(sorted))
    ranges = [pair for pair in itertools.pairwise(edges) if draw(st.booleans())]
    return [Span(start, stop, draw(st.sampled_from(LABELS))) for start, stop in ranges], length


@st.composite
def schemes_and_tags(draw):
    """Any tags of a scheme, valid in order or not."""
    scheme = draw(schemes)
    return scheme, draw(st.lists(st.sampled_from(span_tags(LABELS, scheme)), max_size=10))


def spans_of(entities):
    return [Span(entity.start, entity.end, entity.tag) for entity in entities]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        (Scheme.IOB1, ["I-A", "B-A", "I-A", "O", "I-A", "I-B"]),
        (Scheme.BIO, ["B-A", "B-A", "I-A", "O", "B-A", "B-B"]),
        (Scheme.BIOES, ["S-A", "B-A", "E-A", "O", "S-A", "S-B"]),
        (Scheme.BILOU, ["U-A", "B-A", "L-A", "O", "U-A", "U-B"]),
    ],
)
def test_each_scheme_writes_the_same_spans_its_own_way(scheme, tags):
    spans = [Span(0, 1, "A"), Span(1, 3, "A"), Span(4, 5, "A"), Span(5, 6, "B")]

    assert encode_spans(spans, 6, scheme) == tags
    assert encode_spans(spans[::-1], 6, scheme) == tags


@given(spans_and_length(), schemes, readings)
def test_decoding_gives_back_what_was_encoded(drawn, scheme, reading):
    spans, length = drawn

    assert decode_spans(encode_spans(spans, length, scheme), scheme, reading) == spans


@given(spans_and_length(), schemes, schemes)
def test_conversion_keeps_the_spans(drawn, source, target):
    spans, length = drawn

    assert convert_tags(encode_spans(spans, length, source), source, target) == encode_spans(spans, length, target)


@given(schemes_and_tags())
def test_repair_keeps_the_lenient_spans_and_is_idempotent(drawn):
    scheme, tags = drawn
    repaired, repairs = repair_tags(tags, scheme)

    assert decode_spans(repaired, scheme, Reading.STRICT) == decode_spans(tags, scheme, Reading.CONLLEVAL)
    assert repair_tags(repaired, scheme) == (repaired, [])
    for repair in repairs:
        assert (tags[repair.position], repaired[repair.position]) == (repair.found, repair.wrote)
    assert len(repairs) == sum(found != wrote for found, wrote in zip(tags, repaired, strict=True))


@given(spans_and_length(), schemes)
def test_repair_leaves_valid_tags_alone(drawn, scheme):
    tags = encode_spans(*drawn, scheme)

    assert repair_tags(tags, scheme) == (tags, [])


def test_repair_says_what_it_changed():
    assert repair_tags(["O", "I-A", "I-B"], Scheme.BIO) == (
        ["O", "B-A", "B-B"],
        [Repair(1, "I-A", "B-A"), Repair(2, "I-B", "B-B")],
    )


def test_the_i_i_case_counts_by_default_and_not_in_strict_mode():
    gold, predicted = [["B-PHONE", "I-PHONE"]], [["I-PHONE", "I-PHONE"]]

    assert f1_score(gold, predicted) == 1.0
    assert f1_score(gold, predicted, mode="strict", scheme=seqeval.scheme.IOB2, zero_division=0) == 0.0
    assert decode_spans(predicted[0], Scheme.BIO, Reading.CONLLEVAL) == [Span(0, 2, "PHONE")]
    assert decode_spans(predicted[0], Scheme.BIO, Reading.STRICT) == []


@given(schemes_and_tags())
def test_the_lenient_reading_is_that_of_seqeval(drawn):
    scheme, tags = drawn
    # seqeval's lenient reading does not know L and U.
    known = [tag.replace("L-", "E-").replace("U-", "S-") for tag in tags] if scheme is Scheme.BILOU else tags

    expected = [Span(start, last + 1, label) for label, start, last in get_entities(known)]
    assert decode_spans(tags, scheme, Reading.CONLLEVAL) == expected


@given(schemes_and_tags())
def test_the_strict_reading_is_that_of_seqeval(drawn):
    scheme, tags = drawn
    named = {Scheme.IOB1: "IOB1", Scheme.BIO: "IOB2", Scheme.BIOES: "IOBES", Scheme.BILOU: "BILOU"}[scheme]
    oracle = getattr(seqeval.scheme, named)
    found = decode_spans(tags, scheme, Reading.STRICT)
    expected = spans_of(seqeval.scheme.Tokens(tags, oracle).entities)
    if scheme is Scheme.IOB1:
        # seqeval loses a well written span when a misplaced B- of another label follows it.
        found = [span for span in found if span in expected or not _misplaced(tags, span.stop)]

    assert found == expected


def _misplaced(tags, position):
    return position < len(tags) and tags[position].startswith("B-") and tags[position][2:] != tags[position - 1][2:]


@pytest.mark.parametrize("scheme", Scheme)
def test_the_transition_table_allows_the_valid_sequences_and_no_other(scheme):
    tags = span_tags(("A", "B"), scheme)
    allowed = allowed_transitions(tags, scheme)
    for length in range(4 if len(tags) > 5 else 5):
        for path in itertools.product(range(len(tags)), repeat=length):
            legal = all(allowed.step[a][b] for a, b in itertools.pairwise(path))
            if path:
                legal = legal and allowed.start[path[0]] and allowed.end[path[-1]]
            written = [tags[index] for index in path]
            assert legal == (repair_tags(written, scheme)[1] == []), written


def test_the_label_set_of_a_network_starts_with_outside():
    assert span_tags(["PER", "LOC"], Scheme.BIO) == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    assert span_tags(["X"], Scheme.BILOU) == ["O", "B-X", "I-X", "L-X", "U-X"]


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("IOB1", Scheme.IOB1),
        ("BIO", Scheme.BIO),
        ("iob2", Scheme.BIO),
        ("IOBES", Scheme.BIOES),
        ("BILOU", Scheme.BILOU),
    ],
)
def test_schemes_are_found_by_their_synonyms(name, scheme):
    assert Scheme.parse(name) is scheme
    assert Scheme(name) is scheme


def test_an_unknown_scheme_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="unknown tagging scheme 'BIOX'; there are: IOB1, BIO, BIOES, BILOU"):
        Scheme.parse("BIOX")


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ([Span(0, 2, "A"), Span(1, 3, "A")], "1:3 overlaps 0:2"),
        ([Span(2, 4, "A")], "2:4 is not in a sentence of 3 tokens"),
        ([Span(-1, 1, "A")], "-1:1 is not in"),
        ([Span(1, 1, "A")], "1:1 is not in"),
        ([Span(0, 1, "")], "0:1 has no label"),
    ],
)
def test_spans_that_no_tags_can_hold_are_refused(spans, problem):
    with pytest.raises(ValueError, match=problem):
        encode_spans(spans, 3, Scheme.BIO)


@pytest.mark.parametrize("tag", ["E-A", "B", "B-", "PER", "", "-A", "BI-A", "o"])
def test_what_is_no_tag_of_the_scheme_is_refused(tag):
    with pytest.raises(ValueError, match=rf"expected a BIO tag \(O, B-LABEL, I-LABEL\), found '{tag}'"):
        decode_spans(["O", tag], Scheme.BIO, Reading.CONLLEVAL)
