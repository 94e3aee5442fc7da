"""The segmenter: any text, any windows, one verdict for each unit, and documents that hold together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.boundaries import BOUNDARIES, LABELS
from taggers.document import Document
from taggers.errors import InvalidText
from taggers.labeler import Labeler
from taggers.segmenter import Segmenter
from tests.strategies import texts
from tests.tiny import randomize, tiny_corpus, tiny_segmenter

AWKWARD = st.text(alphabet="ab .\n\u0301\u200d\u200b\x00\x07😀👩字\u00a0", max_size=60)


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    made, config = tiny_segmenter()
    assert config.encoder.radius == 3
    made.labeler.network.double()
    return made


@pytest.fixture(scope="module")
def of_syllables(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    made, _ = tiny_segmenter(folder=tmp_path_factory.mktemp("pretrained") / "bert")
    randomize(made.labeler.network.double())
    return made


def windowed(segmenter: Segmenter, window: int, margin: int) -> Segmenter:
    labeler = segmenter.labeler
    cut = Labeler(
        labeler.network,
        labeler.featurizer,
        labeler.tasks,
        window=window,
        margin=margin,
        max_pieces=labeler.max_pieces,
    )
    return Segmenter(cut, segmenter.expansions, units=segmenter.units)


@settings(max_examples=60)
@given(texts(max_size=80) | AWKWARD | st.text(alphabet="ab", max_size=40), st.integers(3, 9), st.integers(0, 40))
def test_windows_of_any_size_give_each_character_the_same_verdict(
    segmenter: Segmenter, text: str, margin: int, more: int
) -> None:
    (whole,) = windowed(segmenter, 1000, 3).segment([text])
    (cut,) = windowed(segmenter, 2 * margin + 1 + more, margin).segment([text])
    assert cut == whole
    cut.check()
    assert cut.text == text


def test_a_segmenter_that_looks_ahead_reads_further_than_its_windows(segmenter: Segmenter) -> None:
    """A form shows the characters behind a window's end, so that windows still change nothing."""
    text = "Ada wrote to Babbage. " * 20
    labeler = segmenter.labeler
    cut = Labeler(labeler.network, labeler.featurizer, labeler.tasks, window=20, margin=3)
    (whole,) = Segmenter(labeler, segmenter.expansions, lookahead=2).segment([text])
    assert Segmenter(cut, segmenter.expansions, lookahead=2).segment([text]) == [whole]
    whole.check()


def test_it_knows_the_labels_of_the_codec_and_no_more(segmenter: Segmenter) -> None:
    assert [*segmenter.labeler.tasks] == [BOUNDARIES]
    assert segmenter.labeler.tasks[BOUNDARIES].labels.labels == LABELS


def test_texts_come_back_in_order_with_their_ids(segmenter: Segmenter) -> None:
    given_texts = ["b " * 50, "", "a", " \n ", "Ada wrote."]
    made = segmenter.segment(given_texts, ids=["1", None, "3", "4", "1"])
    assert [document.text for document in made] == given_texts
    assert [document.id for document in made] == ["1", None, "3", "4", "1"]
    assert [document.id for document in segmenter.segment(given_texts)] == [None] * 5
    assert segmenter.segment([]) == []


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0\u3000 "])
def test_nothing_to_see_is_no_sentence(segmenter: Segmenter, text: str) -> None:
    assert segmenter.segment([text]) == [Document(text)]


def test_together_or_alone(segmenter: Segmenter) -> None:
    many = [document.text * count for count, document in enumerate(tiny_corpus(), start=1)]
    together = segmenter.segment(many, max_padded_units=300)
    assert together == [segmenter.segment([text])[0] for text in many]


def test_a_lone_surrogate_is_refused_before_anything_runs(segmenter: Segmenter) -> None:
    with pytest.raises(InvalidText, match="lone surrogate U\\+D800 at code point 1"):
        segmenter.segment(["fine", "a\ud800"])


def test_as_many_ids_as_texts(segmenter: Segmenter) -> None:
    with pytest.raises(ValueError, match="zip"):
        segmenter.segment(["a", "b"], ids=["1"])


@settings(max_examples=60)
@given(texts(max_size=80) | AWKWARD, st.integers(3, 9), st.integers(0, 2))
def test_a_text_that_is_read_gradually_has_the_same_sentences(
    segmenter: Segmenter, text: str, margin: int, lookahead: int
) -> None:
    labeler = windowed(segmenter, 2 * margin + 7, margin).labeler
    cut = Segmenter(labeler, segmenter.expansions, lookahead=lookahead)
    reading = cut.read(text)
    found = [sentence for chunk in reading.chunks() for sentence in reading.feed(*labeler.label([chunk]))]
    assert (Document(text, tuple(found)),) == tuple(cut.segment([text]))
    with pytest.raises(InvalidText):
        cut.read("a\ud800")


@settings(max_examples=40)
@given(texts(max_size=80) | AWKWARD, st.integers(3, 9))
def test_syllables_are_segmented_whole_and_gradually_alike(of_syllables: Segmenter, text: str, margin: int) -> None:
    cut = windowed(of_syllables, 2 * margin + 2, margin)
    (whole,) = cut.segment([text])
    whole.check()
    assert whole.text == text
    reading = cut.read(text)
    found = [sentence for chunk in reading.chunks() for sentence in reading.feed(*cut.labeler.label([chunk]))]
    assert tuple(found) == whole.sentences


def test_no_token_begins_inside_a_syllable(of_syllables: Segmenter) -> None:
    (document,) = of_syllables.segment(["Ada Lovelace đến Hà Nội, rồi về. " * 20])
    openings = {start for sentence in document for start, _ in sentence.offsets}
    assert len(openings) > 20
    inside = {i for i in range(1, len(document.text)) if document.text[i - 1 : i + 1].isalpha()}
    assert not openings & inside
