import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.document import Document, MultiWord, Sentence, Span, Token, check_unicode
from taggers.errors import InvalidText
from tests.strategies import documents, texts, words

SENTENCE = Sentence(
    ("do", "n't", "go"),
    ((0, 2), (2, 5), (6, 8)),
    0,
    8,
    {"upos": ("AUX", "PART", "VERB")},
    multiword=(MultiWord(0, 2, "don't"),),
)


def test_tokens_are_views_of_the_columns():
    assert SENTENCE.tokens[1] == Token("n't", 2, 5, {"upos": "PART"})
    assert [token.tags for token in SENTENCE.bare().tokens] == [{}, {}, {}]
    assert len(SENTENCE) == 3


def test_annotated_adds_and_replaces_while_bare_takes_all_annotation_away():
    more = SENTENCE.annotated(tags={"upos": ("X", "X", "X"), "lemma": ("do", "not", "go")}, spans={"ner": ()})
    assert more.tags == {"upos": ("X", "X", "X"), "lemma": ("do", "not", "go")}
    assert more.spans == {"ner": ()}
    assert SENTENCE.tags == {"upos": ("AUX", "PART", "VERB")}, "the first one must stay as it was"
    bare = more.annotated(spans={"ner": (Span(0, 1, "PER"),)}).bare()
    assert (bare.tags, bare.spans, bare.multiword) == ({}, {}, SENTENCE.multiword)


@given(st.lists(st.lists(words(), max_size=4), max_size=4), st.none() | st.text())
def test_from_words_puts_every_word_where_its_offsets_say(sentences, name):
    document = Document.from_words(sentences, id=name)
    document.check()
    assert [list(sentence.words) for sentence in document] == sentences
    assert document.id == name
    for sentence in document:
        for word, (start, end) in zip(sentence.words, sentence.offsets, strict=True):
            assert document.text[start:end] == word


@given(documents())
def test_well_formed_documents_pass_the_check(document):
    document.check()


@pytest.mark.parametrize(
    ("sentences", "problem"),
    [
        ([Sentence(("ab",), ((0, 2),), 0, 2)], "lost at the end: ' cd'"),
        ([Sentence(("cd",), ((3, 5),), 3, 5)], "text lost before 3: 'ab '"),
        ([Sentence(("ab", "cd"), ((0, 2), (3, 6)), 0, 5)], "leaves sentence"),
        ([Sentence(("ab",), ((0, 2),), 0, 2), Sentence(("b", "cd"), ((1, 2), (3, 5)), 1, 5)], "expected order after 2"),
        ([Sentence(("ab cd",), ((0, 5),), 0, 9)], "spans 0:9"),
    ],
)
def test_check_names_what_is_broken(sentences, problem):
    with pytest.raises(ValueError, match=problem):
        Document("ab cd", tuple(sentences)).check()


@given(texts())
def test_valid_unicode_is_accepted(text):
    check_unicode(text)


def test_a_lone_surrogate_is_refused_with_its_place():
    with pytest.raises(InvalidText, match=r"U\+DC80 at code point 2") as caught:
        check_unicode("😀a\udc80")
    assert (caught.value.position, caught.value.code_point) == (2, 0xDC80)
