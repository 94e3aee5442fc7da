import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taggers.boundaries import LABELS, collect_expansions, decode_boundaries, encode_boundaries
from taggers.document import Document, MultiWord, Sentence

EXPANSIONS = {"du": ("de", "le"), "ab": ("a", "b"), "a": ("alone",)}

# Few characters, so that expansions and white space meet; or anything at all.
texts = st.text(alphabet="abdu. \n\u00a0\u200b\x1cİ😀", max_size=14) | st.text(max_size=14)


@st.composite
def labelled_texts(draw):
    text = draw(texts)
    return text, "".join(draw(st.lists(st.sampled_from(LABELS), min_size=len(text), max_size=len(text))))


def words_of(text, labels, expansions=EXPANSIONS):
    return [list(sentence.words) for sentence in decode_boundaries(text, labels, expansions)]


@given(labelled_texts())
@example(("a b", "SWI"))
@example((" ab", "XII"))
def test_any_labels_give_a_well_formed_document(drawn):
    text, labels = drawn
    document = Document(text, decode_boundaries(text, labels, EXPANSIONS))

    document.check()
    for sentence in document:
        assert sentence.words
        assert (sentence.start, sentence.end) == (sentence.offsets[0][0], sentence.offsets[-1][1])
        covered = {index for multi in sentence.multiword for index in range(multi.first, multi.stop)}
        for index, (word, (start, end)) in enumerate(zip(sentence.words, sentence.offsets, strict=True)):
            assert word.strip() == word != ""
            assert index in covered or text[start:end] == word
        for multi in sentence.multiword:
            assert multi.stop - multi.first > 1
            assert text[sentence.offsets[multi.first][0] : sentence.offsets[multi.stop - 1][1]] == multi.surface


@given(labelled_texts())
def test_boundaries_survive_the_way_through_labels(drawn):
    text, labels = drawn
    sentences = decode_boundaries(text, labels, EXPANSIONS)

    again = encode_boundaries(Document(text, sentences))
    assert decode_boundaries(text, again, EXPANSIONS) == sentences
    assert encode_boundaries(Document(text, decode_boundaries(text, again, EXPANSIONS))) == again


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("Hi you. Bye", "SIOTIITOSII", [["Hi", "you", "."], ["Bye"]]),
        ("今日は", "SIT", [["今日", "は"]]),
        ("xã hội đẹp", "SIIIIIOTII", [["xã hội", "đẹp"]]),
        ("don't", "SIWII", [["do", "n't"]]),
        ("", "", []),
        (" \n", "SI", []),
        ("ab", "TI", [["ab"]]),  # the first token opens a sentence anyway
        ("cat sat", "OOOOOOO", [["cat", "sat"]]),  # nothing visible is lost
        ("cat", "SOO", [["c", "at"]]),
        (" cat ", "SIIII", [["cat"]]),  # trimmed
        ("a. b", "STST", [["a", "."], ["b"]]),  # the dropped token leaves its sentence to the next
        ("do n't", "SIIWII", [["do", "n't"]]),  # no word goes on after white space
        ("ab cd", "WIOWI", [["ab", "cd"]]),
        ("x\u200by", "SOT", [["x", "\u200b", "y"]]),  # zero width is not white space
    ],
)
def test_labels_are_read(text, labels, expected):
    assert words_of(text, labels, {}) == expected
    assert words_of(text, list(labels), {}) == expected


def test_a_literal_multi_word_token_has_its_own_characters():
    (sentence,) = decode_boundaries("I don't", "SOTIWII", {})

    assert sentence == Sentence(
        ("I", "do", "n't"), ((0, 1), (2, 4), (4, 7)), 0, 7, multiword=(MultiWord(1, 3, "don't"),)
    )
    assert "".join(encode_boundaries(Document("I don't", (sentence,)))) == "SOTIWII"


def test_an_expanded_multi_word_token_has_the_whole_range():
    (sentence,) = decode_boundaries("vin du pays", "SIIOEIOTIII", EXPANSIONS)

    assert sentence.words == ("vin", "de", "le", "pays")
    assert sentence.offsets == ((0, 3), (4, 6), (4, 6), (7, 11))
    assert sentence.multiword == (MultiWord(1, 3, "du"),)
    assert "".join(encode_boundaries(Document("vin du pays", (sentence,)))) == "SIIOEIOTIII"


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        ("du", ["de", "le"]),
        ("Du", ["De", "le"]),
        ("DU", ["DE", "LE"]),
        ("dû", ["dû"]),  # no entry
        ("a", ["a"]),  # one word is no multi-word token
    ],
)
def test_expansions_follow_the_casing_of_the_surface(surface, words):
    assert words_of(surface, "X" + "I" * (len(surface) - 1)) == [words]


def test_a_looked_up_token_without_an_entry_falls_back_on_its_pieces():
    assert words_of("x don't", "SOEIWII") == [["x", "do", "n't"]]


def test_expansions_are_those_seen_most():
    def read(text, words):
        multi = MultiWord(0, len(words), text)
        return Document(text, (Sentence(words, ((0, len(text)),) * len(words), 0, len(text), multiword=(multi,)),))

    documents = [
        read("Du", ("De", "le")),
        read("du", ("de", "le")),
        read("du", ("de", "lui")),
        read("don't", ("do", "n't")),
        read("aLee", ("to", "Lee")),
    ]

    assert collect_expansions(documents) == {"alee": ("to", "lee"), "du": ("de", "le")}


def test_white_space_is_what_isspace_says():
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    text = "".join(spaces)

    assert decode_boundaries(text, "O" * len(text), {}) == ()
    assert all(words_of(f"a{space}b", "OOO") == [["a", "b"]] for space in spaces)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ("SI", "expected one label for each of 3 characters, found 2"),
        (["S", "II"], "expected one label for each of 3 characters, found 2"),
        ("SIQ", r"unknown boundary labels \['Q'\]"),
    ],
)
def test_labels_that_do_not_belong_to_the_text_are_refused(labels, problem):
    with pytest.raises(ValueError, match=problem):
        decode_boundaries("abc", labels, {})
