"""Units to learn boundaries from: every one in exactly one example, its label with it wherever it goes."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.boundaries import BOUNDARIES, LABELS, collect_expansions, decode_boundaries, encode_boundaries
from taggers.document import Document
from taggers.formats.files import read_file
from taggers.units import find_units
from training.characters import CharacterCorpus, boundary_task, undivided


@pytest.fixture(scope="module")
def letters(fixtures: Path):
    return read_file(fixtures / "letters.conllu")


def pairs(examples):
    return [(c, i) for e in examples for c, i in zip(e.forms, e.labels[BOUNDARIES], strict=True)]


@given(st.lists(st.text(alphabet="ab .\n", min_size=1, max_size=2000), max_size=3), st.integers(0, 5))
def test_every_character_is_in_exactly_one_example(texts, epoch) -> None:
    corpus = CharacterCorpus([(text, range(len(text))) for text in texts], newline_rate=0.0)
    examples = corpus.examples(seed=1, epoch=epoch)
    assert pairs(examples) == [pair for text in texts for pair in zip(text, range(len(text)), strict=True)]
    assert all(0 < len(example.forms) <= 600 for example in examples)


def test_an_epoch_is_the_same_again_and_another_is_not(letters) -> None:
    corpus = CharacterCorpus.from_documents(letters * 20, newline_rate=0.5)
    assert corpus.examples(seed=1, epoch=0) == corpus.examples(seed=1, epoch=0)
    forms = [[e.forms for e in corpus.examples(seed=s, epoch=e)] for s, e in ((1, 0), (1, 1), (2, 0))]
    assert forms[0] != forms[1]
    assert forms[0] != forms[2]


@given(
    st.lists(st.tuples(st.text(alphabet="ab", min_size=1, max_size=3), st.sampled_from([" ", "\n", "\n\n", "\n\n\n"]))),
    st.integers(0, 9),
)
def test_labels_move_along_when_blank_lines_change(words, epoch) -> None:
    """Each character is labelled by itself here, so that a label which moved shows."""
    text = "".join(word + gap for word, gap in words) or "a"
    corpus = CharacterCorpus([(text, list(map(ord, text)))], newline_rate=0.999)
    made = pairs(corpus.examples(seed=1, epoch=epoch))
    for character, label in made:
        assert character == chr(label) or (character, chr(label)) == (" ", "\n")
    made_text = "".join(character for character, _ in made)
    assert made_text.split() == text.split()
    if "\n\n" in text and made_text != text:
        assert "\n\n" not in made_text


def test_the_share_of_changed_documents_is_the_rate(letters) -> None:
    (document, *_) = letters
    assert "\n\n" in document.text
    for rate, low, high in ((0.0, 0, 0), (0.3, 45, 75), (0.999, 195, 200)):
        corpus = CharacterCorpus.from_documents([document] * 200, newline_rate=rate)
        texts = "".join(str(example.forms) for example in corpus.examples(seed=1, epoch=0))
        assert low <= 200 - texts.count("\n\n") <= high


def test_changed_texts_still_have_their_sentences(letters) -> None:
    for document in letters:
        corpus = CharacterCorpus.from_documents([document], newline_rate=0.999)
        made = pairs(corpus.examples(seed=1, epoch=0))
        text = "".join(character for character, _ in made)
        sentences = decode_boundaries(text, [LABELS[label] for _, label in made], {})
        assert text != document.text
        assert [sentence.words for sentence in sentences] == [sentence.words for sentence in document]


def test_sentences_that_are_put_together_keep_their_labels(letters) -> None:
    corpus = CharacterCorpus.from_documents(letters * 5, newline_rate=0.0, joints=["", "\n"])
    made = pairs(corpus.examples(seed=1, epoch=0))
    single = [(d.text[s.start : s.end], encode_boundaries(d)[s.start : s.end]) for d in letters * 5 for s in d]
    expected = [pair for text, labels in single for pair in zip(text, map(LABELS.index, labels), strict=True)]
    joints = len(made) - len(expected)
    assert sorted(made) == sorted([*expected, *[("\n", LABELS.index("O"))] * joints])
    assert 0 < joints < len(single)
    text = "".join(character for character, _ in made)
    found = decode_boundaries(text, [LABELS[label] for _, label in made], collect_expansions(letters))
    assert sorted(s.words for s in found) == sorted(s.words for d in letters * 5 for s in d)
    assert corpus.examples(seed=1, epoch=0) == corpus.examples(seed=1, epoch=0) != corpus.examples(seed=1, epoch=1)


def test_forms_show_the_characters_behind_even_past_the_end_of_an_example() -> None:
    text = "".join(map(chr, range(0x100, 0x100 + 1500)))
    corpus = CharacterCorpus([(text, [0] * len(text))], newline_rate=0.0, lookahead=2)
    examples = corpus.examples(seed=1, epoch=0)
    assert len(examples) > 2
    forms = [form for example in examples for form in example.forms]
    assert forms == [text[start : start + 3] for start in range(1500)]


def test_syllables_have_the_labels_of_their_characters(letters) -> None:
    corpus = CharacterCorpus.from_documents(letters * 20, newline_rate=0.0, units="syllables")
    made = pairs(corpus.examples(seed=1, epoch=0))
    expected = [pair for document in letters * 20 for pair in syllables(document)]
    assert made == expected
    assert all(0 < len(example.forms) <= 150 for example in corpus.examples(seed=1, epoch=0))


def syllables(document):
    units = find_units(document.text, "syllables")
    labels = encode_boundaries(document, opens=find_units(document.text, "syllables").opens)
    return list(zip(units.forms, map(LABELS.index, units.gather(labels)), strict=True))


def test_boundaries_inside_a_syllable_are_counted(caplog) -> None:
    document = Document.from_words([["Ada", "answered", "."]])
    divided = replace(document, sentences=decode_boundaries(document.text, "SIIOTITIIIIIIT", {}))
    assert divided.sentences[0].words == ("Ada", "an", "swered", ".")
    CharacterCorpus.from_documents([document], newline_rate=0.0, units="syllables")
    CharacterCorpus.from_documents([divided], newline_rate=0.0)
    assert not caplog.messages
    CharacterCorpus.from_documents([divided], newline_rate=0.0, units="syllables")
    assert caplog.messages == ["units = 'syllables': 1 of 4 boundaries lie inside a unit and are not learned"]


def test_an_empty_text_is_no_example(letters) -> None:
    (document, *_) = letters
    bare = type(document)("", ())
    assert CharacterCorpus.from_documents([bare], newline_rate=0.2).examples(seed=1, epoch=0) == []


def test_the_task_knows_every_label() -> None:
    assert boundary_task().labels.labels == LABELS


def test_undivided_documents_are_their_texts(letters) -> None:
    bare = undivided(letters)
    assert [document.text for document in bare] == [document.text for document in letters]
    assert not any(document.sentences for document in bare)
