import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.document import Document, MultiWord, Sentence, Span
from taggers.formats.raw import CharSpan, Misalignment, align_spans
from tests.strategies import documents

TEXT = "Ana vive no Rio. Leo não."
DOCUMENT = Document(
    TEXT,
    (
        Sentence(
            ("Ana", "vive", "em", "o", "Rio", "."),
            ((0, 3), (4, 8), (9, 11), (9, 11), (12, 15), (15, 16)),
            0,
            16,
            multiword=(MultiWord(2, 4, "no"),),
        ),
        Sentence(("Leo", "não", "."), ((17, 20), (21, 24), (24, 25)), 17, 25),
    ),
)


@pytest.mark.parametrize(
    ("start", "end", "sentence", "span"),
    [
        (0, 3, 0, Span(0, 1, "X")),
        (12, 15, 0, Span(4, 5, "X")),
        (9, 11, 0, Span(2, 4, "X")),
        (9, 15, 0, Span(2, 5, "X")),
        (16, 20, 1, Span(0, 1, "X")),
        (15, 17, 0, Span(5, 6, "X")),
        (24, 25, 1, Span(2, 3, "X")),
    ],
)
def test_a_span_finds_its_tokens(start, end, sentence, span):
    aligned, problems = align_spans(DOCUMENT, {"ner": [CharSpan(start, end, "X")]})
    assert problems == ()
    assert [found.spans["ner"] for found in aligned] == [(span,) if at == sentence else () for at in range(2)]


@pytest.mark.parametrize(
    ("start", "end", "kept"), [(1, 3, (0, 3)), (2, 6, (0, 8)), (10, 11, (9, 11)), (9, 10, (9, 11)), (21, 23, (21, 24))]
)
def test_a_span_that_cuts_a_token_grows_and_is_reported(start, end, kept):
    span = CharSpan(start, end, "X")
    aligned, problems = align_spans(DOCUMENT, {"ner": [span]})
    assert problems == (Misalignment("ner", span, "begins or ends inside a token", CharSpan(*kept, "X")),)
    assert sum(len(sentence.spans["ner"]) for sentence in aligned) == 1


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (12, 20, "reaches over the end of a sentence"),
        (3, 4, "covers no token"),
        (5, 5, "covers no token"),
        (25, 25, "covers no token"),
    ],
)
def test_a_span_without_a_place_is_left_out_and_reported(start, end, problem):
    span = CharSpan(start, end, "X")
    aligned, problems = align_spans(DOCUMENT, {"ner": [span], "chunk": []})
    assert problems == (Misalignment("ner", span, problem),)
    assert all(sentence.spans == {"ner": (), "chunk": ()} for sentence in aligned)


def test_of_spans_that_overlap_the_longest_stays():
    short, long = CharSpan(4, 8, "A"), CharSpan(0, 8, "B")
    aligned, problems = align_spans(DOCUMENT, {"ner": [short, long]})
    assert aligned.sentences[0].spans["ner"] == (Span(0, 2, "B"),)
    assert problems == (Misalignment("ner", short, "overlaps a longer span"),)


def test_nothing_aligns_with_an_empty_document():
    aligned, problems = align_spans(Document(" "), {"ner": [CharSpan(0, 1, "X")]})
    assert aligned == Document(" ")
    assert [problem.problem for problem in problems] == ["covers no token"]


@given(documents(), st.data())
def test_spans_of_tokens_come_back_and_any_span_is_kept_or_reported(document, data):
    given_spans = {
        layer: [
            CharSpan(sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1], span.label)
            for sentence in document
            for span in sentence.spans[layer]
        ]
        for layer in {layer for sentence in document for layer in sentence.spans}
    }
    aligned, _ = align_spans(document, given_spans)
    whole = all(len(set(sentence.offsets)) == len(sentence) for sentence in document)
    if whole:  # a word of a multi-word token that is not literal cannot be told from its neighbors by characters
        assert aligned == document
    edges = data.draw(st.lists(st.integers(0, len(document.text)), min_size=2, max_size=2).map(sorted))
    span = CharSpan(*edges, "X")
    aligned, problems = align_spans(document, {"ner": [span]})
    kept = [spans for sentence in aligned if (spans := sentence.spans["ner"])]
    assert len(kept) == 1 or (not kept and problems[0].span == span)
