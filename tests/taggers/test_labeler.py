"""Sequences of any length get one answer for each position, whatever the windows, the batches and the pieces."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.labeler import Chunk, Labeler, Labels, join_labels
from tests.tiny import tiny_labeler

WORDS = ("Ada", "London", "wrote", "to", ".", "n't", "Zzyzx", "cats", "unheard-of", "😀")


def words_of(length: int, *, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return [WORDS[index] for index in random.integers(len(WORDS), size=length)]


def cut(labeler: Labeler, *, window: int, margin: int, max_pieces: int | None = None) -> Labeler:
    return Labeler(
        labeler.network, labeler.featurizer, labeler.tasks, window=window, margin=margin, max_pieces=max_pieces
    )


def label(labeler: Labeler, words: Sequence[str], *, budget: int = 4000) -> Labels:
    (answer,) = labeler.label_all([words], max_padded_tokens=budget)
    return answer


@pytest.fixture(scope="module")
def convolution() -> Labeler:
    labeler, config = tiny_labeler("cnn")
    assert config.encoder.radius == 3
    labeler.network.double()
    return labeler


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Labeler:
    labeler, _ = tiny_labeler("pretrained", folder=tmp_path_factory.mktemp("bert"))
    return labeler


INDEPENDENT = ("upos", "xpos", "feats", "lemma")
"""Tasks whose labels do not depend on each other; those of a CRF do, over any distance."""


@pytest.mark.parametrize(("window", "margin"), [(40, 8), (7, 3), (100, 3), (1999, 3), (2000, 8), (5000, 8)])
def test_windows_whose_margin_is_the_radius_change_nothing(convolution: Labeler, window: int, margin: int) -> None:
    words = words_of(2000)
    whole = label(cut(convolution, window=2000, margin=8), words)
    found = label(cut(convolution, window=window, margin=margin), words)
    for task in INDEPENDENT:
        np.testing.assert_array_equal(found[task][0], whole[task][0])
        np.testing.assert_allclose(found[task][1], whole[task][1], atol=1e-6)
    assert len(found["ner"][0]) == len(found["ner"][1]) == 2000


def test_a_margin_below_the_radius_is_seen(convolution: Labeler) -> None:
    words = words_of(2000)
    whole = label(cut(convolution, window=2000, margin=8), words)
    found = label(cut(convolution, window=8, margin=1), words)
    assert (found["upos"][1] != whole["upos"][1]).any()


@settings(max_examples=40)
@given(data=st.data())
def test_every_position_has_one_answer_with_any_window_and_any_batch(convolution: Labeler, data: st.DataObject) -> None:
    margin = data.draw(st.integers(0, 5))
    labeler = cut(convolution, window=data.draw(st.integers(2 * margin + 1, 30)), margin=margin)
    sequences = [words_of(length) for length in data.draw(st.lists(st.integers(0, 60), max_size=5))]
    answers = labeler.label_all(sequences, max_padded_tokens=data.draw(st.integers(1, 200)))
    assert len(answers) == len(sequences)
    for words, answer in zip(sequences, answers, strict=True):
        assert answer.keys() == labeler.tasks.keys()
        for name, (ids, probabilities) in answer.items():
            assert ids.shape == probabilities.shape == (len(words),)
            assert ids.dtype == np.int64
            assert probabilities.dtype == np.float32
            assert ((ids >= 0) & (ids < len(labeler.tasks[name].labels))).all()
            assert ((probabilities >= 0) & (probabilities <= 1)).all()


@settings(max_examples=60)
@given(data=st.data())
def test_chunks_keep_every_position_once_in_order(convolution: Labeler, data: st.DataObject) -> None:
    margin = data.draw(st.integers(0, 5))
    window = data.draw(st.integers(2 * margin + 1, 30))
    forms = [str(position) for position in range(data.draw(st.integers(0, 100)))]
    chunks = cut(convolution, window=window, margin=margin).chunks(forms)
    assert [form for chunk in chunks for form in chunk.forms[chunk.keep]] == forms
    assert all(chunk.cost == len(chunk.forms) <= window for chunk in chunks)


# Forms of no piece, one, a few, and as many as a word may have.
PIECED = st.sampled_from(["\u200b", "ada", "ab", "abcd", "unheard-of", "ab" * 20])


@settings(max_examples=80)
@given(data=st.data())
def test_chunks_of_pieces_never_exceed_what_the_encoder_reads(pretrained: Labeler, data: st.DataObject) -> None:
    margin = data.draw(st.integers(0, 20))
    window = data.draw(st.integers(2 * margin + 1, 60))
    max_pieces = data.draw(st.integers(32, 100))
    labeler = cut(pretrained, window=window, margin=margin, max_pieces=max_pieces)
    forms = data.draw(st.lists(PIECED, max_size=40) | st.lists(st.just("ab" * 20), max_size=40))
    chunks = labeler.chunks(forms)
    assert [form for chunk in chunks for form in chunk.forms[chunk.keep]] == forms
    for chunk in chunks:
        assert chunk.cost == sum(labeler.featurizer.cost(form) for form in chunk.forms) <= max_pieces
        assert len(chunk.forms) <= window


def test_a_long_sentence_through_a_pretrained_encoder(pretrained: Labeler) -> None:
    words = [word for _ in range(70) for word in ("ada", "\u200b", "ab" * 60, "london")]
    found = label(pretrained, words)
    assert all(len(ids) == len(words) for ids, _ in found.values())


def test_a_short_sentence_is_one_chunk(pretrained: Labeler, convolution: Labeler) -> None:
    assert convolution.chunks(["a", "b"]) == [Chunk(["a", "b"], slice(0, 2), 2)]
    assert pretrained.chunks(["ada", "ab"]) == [Chunk(["ada", "ab"], slice(0, 2), 3)]
    assert pretrained.chunks([]) == convolution.chunks([]) == []


def test_one_batch_answers_for_what_each_chunk_keeps(convolution: Labeler) -> None:
    words = words_of(9)
    whole, middle = convolution.label([Chunk(words, slice(0, 9), 9), Chunk(words, slice(3, 5), 9)])
    for task in convolution.tasks:
        np.testing.assert_array_equal(middle[task][0], whole[task][0][3:5])
        np.testing.assert_allclose(middle[task][1], whole[task][1][3:5], atol=1e-6)


def test_joining_the_answers_of_chunks(convolution: Labeler) -> None:
    one = {"upos": (np.array([1, 2]), np.array([0.5, 0.25], np.float32))}
    tasks = {"upos": convolution.tasks["upos"]}
    assert join_labels([one], tasks) is one
    ids, probabilities = join_labels([one, one], tasks)["upos"]
    assert ids.tolist() == [1, 2, 1, 2]
    assert probabilities.tolist() == [0.5, 0.25, 0.5, 0.25]
    ids, probabilities = join_labels([], tasks)["upos"]
    assert (ids.dtype, probabilities.dtype, len(ids), len(probabilities)) == (np.int64, np.float32, 0, 0)


def test_the_device_is_the_networks(convolution: Labeler) -> None:
    assert convolution.device == torch.device("cpu")
