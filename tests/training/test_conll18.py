import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from udtools.udeval import evaluate as udtools_evaluate
from udtools.udeval import load_conllu

from taggers.document import Document, MultiWord, Sentence, Span
from taggers.formats.conllu import read_conllu
from training.conll18 import raw_scores, raw_span_scores
from training.evaluation import token_accuracy

GOLD = """\
# newdoc
# text = She don't know.
1 She she PRON PRP Case=Nom|Person=3|Typo=Yes 4 nsubj _ _
2-3 don't _ _ _ _ _ _ _ _
2 do do AUX VBP _ 4 aux _ _
3 n't not PART RB Polarity=Neg 4 advmod _ _
4 know know VERB VB VerbForm=Inf 0 root _ SpaceAfter=No
5 . _ PUNCT . _ 4 punct _ _

# text = Really?
1 Really really ADV RB _ 0 root _ SpaceAfter=No
2 ? ? PUNCT . _ 1 punct _ SpaceAfter=No

"""

PREDICTED = """\
1 She she PRON PRP Case=Nom|Person=3 4 nsubj _ _
2-3 don't _ _ _ _ _ _ _ _
2 do do VERB VB _ 4 aux _ _
3 not not PART RB Polarity=Neg 4 advmod _ _
4 know know NOUN NN Number=Sing 0 root _ SpaceAfter=No
5 . dot PUNCT . _ 4 punct _ _
6 Really? really? ADV RB _ 4 dep _ SpaceAfter=No

"""


def conllu(text: str) -> io.StringIO:
    """The columns above are written with blanks, for people; comments keep theirs."""
    return io.StringIO(
        "\n".join(line if line.startswith("#") else line.replace(" ", "\t") for line in text.split("\n"))
    )


def documents(text: str) -> list[Document]:
    return list(read_conllu(conllu(text), "test"))


def cut(text: str, bounds: Sequence[int], first_words: Sequence[int], **tags: Sequence[str]) -> Document:
    """A document whose words begin at ``bounds`` and whose sentences begin at the words ``first_words``."""
    edges = [*bounds, len(text)]
    offsets = [(a, a + len(text[a:b].rstrip())) for a, b in pairwise(edges)]
    made = []
    for first, stop in zip(first_words, [*first_words[1:], len(offsets)], strict=True):
        own = tuple(offsets[first:stop])
        words = tuple(text[a:b] for a, b in own)
        columns = {layer: tuple(column[first:stop]) for layer, column in tags.items()}
        made.append(Sentence(words, own, own[0][0], own[-1][1], columns))
    return Document(text, tuple(made))


def test_known_mistakes_by_hand():
    scores = raw_scores(documents(GOLD), documents(PREDICTED))
    # tokens: She, don't, know, . are right of 6 in gold and 5 found; words: the same with do, but n't is not "not"
    assert scores.segmentation == {"tokens": pytest.approx(8 / 11), "words": pytest.approx(8 / 13), "sentences": 0.0}
    assert scores.layers == {
        "upos": pytest.approx(2 * 2 / 13),  # She and the full stop
        "xpos": pytest.approx(2 * 2 / 13),
        "ufeats": pytest.approx(2 * 3 / 13),  # Typo is no universal feature: She, do and the full stop
        "lemma": pytest.approx(2 * 4 / 13),  # a gold lemma _ accepts "dot"
    }


def test_the_dummy_tree_changes_no_score():
    gold, predicted = (load_conllu(conllu(text), "test", {}) for text in (GOLD, PREDICTED))
    expected = udtools_evaluate(gold, predicted)
    ours = raw_scores(documents(GOLD), documents(PREDICTED))
    names = {"tokens": "Tokens", "words": "Words", "sentences": "Sentences"}
    assert ours.segmentation == {key: expected[name].f1 for key, name in names.items()}
    names = {"upos": "UPOS", "xpos": "XPOS", "ufeats": "UFeats", "lemma": "Lemmas"}
    assert ours.layers == {key: expected[name].f1 for key, name in names.items()}


def test_layers_that_one_side_lacks_are_absent():
    gold = cut("a b", [0, 2], [0], upos=["X", "X"], xpos=["_", "_"])
    predicted = cut("a b", [0, 2], [0], xpos=["NN", "NN"], lemma=["a", "b"])
    assert raw_scores([gold], [predicted]).layers == {}


def test_white_space_that_no_line_of_conllu_can_hold_does_not_matter():
    gold = cut("a\tb\nc d", [0, 2, 4, 6], [0], lemma=list("abcd"))
    predicted = cut("a\tb\nc d", [0, 4, 6], [0], lemma=["a\tb", "c", "d"])
    assert raw_scores([gold], [predicted]).segmentation["tokens"] == pytest.approx(4 / 7)


def test_sentences_without_a_word_are_left_out():
    gold = cut("a", [0], [0])
    predicted = Document("a", (Sentence((), (), 0, 0), *gold.sentences))
    assert raw_scores([gold], [predicted]).segmentation["sentences"] == 1.0


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([cut("a", [0], [0])], [], "expected 1 predicted documents, found 0"),
        ([cut("a", [0], [0])], [cut("b", [0], [0])], "document 0"),
        ([Document("")], [Document("")], "the gold has no sentence"),
        ([cut("a", [0], [0])], [Document("a")], "the prediction has no sentence"),
    ],
)
def test_what_cannot_be_compared_is_refused(gold, predicted, message):
    with pytest.raises(ValueError, match=message):
        raw_scores(gold, predicted)


@st.composite
def segmentations(draw, text: str) -> Document:
    bounds = sorted({0, *draw(st.sets(st.sampled_from([i for i, c in enumerate(text) if c != " "])))})
    firsts = sorted({0, *draw(st.sets(st.sampled_from(range(len(bounds)))))})
    return cut(text, bounds, firsts)


@given(segmentations("abc de fghi j k"), segmentations("abc de fghi j k"))
@settings(max_examples=60)
def test_segmentation_equals_a_count_of_equal_stretches(gold, predicted):
    def f1(stretches):
        a, b = map(stretches, (gold, predicted))
        return 2 * len(a & b) / (len(a) + len(b))

    scores = raw_scores([gold], [predicted]).segmentation
    assert scores["sentences"] == pytest.approx(f1(lambda d: {(s.start, s.end) for s in d}))
    for key in ("tokens", "words"):
        assert scores[key] == pytest.approx(f1(lambda d: {o for s in d for o in s.offsets}))


@given(st.data())
@settings(max_examples=60)
def test_on_gold_words_raw_f1_is_the_accuracy(data):
    size = data.draw(st.integers(1, 8))
    text = " ".join("abcdefgh"[:size])

    def draw_document():
        values = {"upos": ["X", "NOUN"], "xpos": ["NN", "VB"], "lemma": ["a", "b"]}
        values["feats"] = ["Case=Nom", "Case=Nom|Typo=Yes", "Number=Sing|Person=1", "Person=1|Number=Sing"]
        columns = {
            layer: data.draw(st.lists(st.sampled_from(of), min_size=size, max_size=size))
            for layer, of in values.items()
        }
        return cut(text, range(0, 2 * size, 2), [0], **columns)

    gold, predicted = draw_document(), draw_document()
    accuracy = token_accuracy(gold.sentences, predicted.sentences)
    accuracy["ufeats"] = accuracy.pop("ufeats_universal")
    assert raw_scores([gold], [predicted]).layers == {key: pytest.approx(value) for key, value in accuracy.items()}


def with_spans(document: Document, *spans: tuple[int, int, str]) -> Document:
    (sentence,) = document.sentences
    return replace(document, sentences=(sentence.annotated(spans={"ner": tuple(Span(*s) for s in spans)}),))


def test_spans_are_compared_by_characters_whatever_the_words():
    text = "New York Times"
    gold = with_spans(cut(text, [0, 4, 9], [0]), (0, 2, "LOC"), (2, 3, "ORG"))
    predicted = with_spans(cut(text, [0, 9, 12], [0]), (0, 1, "LOC"), (1, 2, "ORG"))
    scores = raw_span_scores([gold], [predicted])
    assert (scores.precision, scores.recall, scores.types["LOC"].f1, scores.types["ORG"].f1) == (0.5, 0.5, 1.0, 0.0)
    assert raw_span_scores([gold], [predicted], types=["LOC"]).f1 == 1.0


def test_equal_offsets_in_another_document_are_no_match():
    spanned, plain = with_spans(cut("a", [0], [0]), (0, 1, "PER")), with_spans(cut("a", [0], [0]))
    assert raw_span_scores([spanned, plain], [plain, spanned]).f1 == 0.0


def test_words_of_one_multi_word_token_can_hold_two_spans_at_the_same_offsets():
    words = Sentence(("de", "le"), ((0, 2), (0, 2)), 0, 2, multiword=(MultiWord(0, 2, "du"),))
    twice = with_spans(Document("du", (words,)), (0, 1, "X"), (1, 2, "X"))
    once = with_spans(Document("du", (words,)), (0, 1, "X"))
    assert raw_span_scores([twice], [once]).recall == 0.5
