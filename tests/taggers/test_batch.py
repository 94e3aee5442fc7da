"""Padding and masks, which are made here and nowhere else."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.batch import NO_PIECE, FormIds, length_mask, make_forms, make_pieces, pad
from tests.tiny import tiny_labeler

ROWS = st.lists(st.lists(st.integers(-5, 99), max_size=6), max_size=5)


@given(ROWS, st.sampled_from([0, -1, 7]))
def test_padding_keeps_every_row_and_fills_the_rest(rows: list[list[int]], value: int) -> None:
    padded = pad(rows, value=value)
    assert padded.dtype == torch.int64
    assert padded.shape == (len(rows), max(map(len, rows), default=0))
    for row, tensor in zip(rows, padded.tolist(), strict=True):
        assert tensor[: len(row)] == row
        assert set(tensor[len(row) :]) <= {value}


@given(st.lists(st.integers(0, 9), max_size=6))
def test_a_mask_is_true_on_the_first_positions_of_each_row(lengths: list[int]) -> None:
    mask = length_mask(lengths)
    assert mask.dtype == torch.bool
    assert mask.shape == (len(lengths), max(lengths, default=0))
    assert mask.sum(1).tolist() == lengths
    assert all(row == sorted(row, reverse=True) for row in mask.tolist())


def form(*pieces: int, characters: tuple[int, ...] = ()) -> FormIds:
    return FormIds(1, 2, 3, (4, 5), (6,), characters, pieces)


def test_forms_are_stacked_field_by_field() -> None:
    forms = make_forms([form(characters=(9, 8, 7)), form(), FormIds(10, 20, 30, (40, 50), (60,), (70,), ())])
    assert forms.word_F.tolist() == [1, 1, 10]
    assert forms.shape_F.tolist() == [2, 2, 20]
    assert forms.vector_F.tolist() == [3, 3, 30]
    assert forms.prefixes_FA.tolist() == [[4, 5], [4, 5], [40, 50]]
    assert forms.suffixes_FA.tolist() == [[6], [6], [60]]
    assert forms.characters_FC.tolist() == [[9, 8, 7], [0, 0, 0], [70, 0, 0]]


def test_features_that_are_not_used_have_no_columns() -> None:
    forms = make_forms([FormIds(1, 0, 0, (), (), (), ())] * 2)
    assert forms.prefixes_FA.shape == forms.suffixes_FA.shape == forms.characters_FC.shape == (2, 0)


def test_pieces_stand_between_the_special_ones_and_are_found_by_word() -> None:
    pieces = make_pieces([[form(7), form(), form(8, 9)], [form()]], prefix=(2,), suffix=(3, 4), padding=5)
    assert pieces.ids_BP.tolist() == [[2, 7, 8, 9, 3, 4], [2, 3, 4, 5, 5, 5]]
    assert pieces.mask_BP.sum(1).tolist() == [6, 3]
    assert pieces.first_BT.tolist() == [[1, NO_PIECE, 2], [NO_PIECE] * 3]
    assert pieces.count_BT.tolist() == [[1, 0, 2], [0, 0, 0]]


@settings(max_examples=50)
@given(st.lists(st.lists(st.lists(st.integers(10, 99), max_size=3), min_size=1, max_size=5), min_size=1, max_size=4))
def test_every_words_pieces_are_where_they_are_said_to_be(sentences: list[list[list[int]]]) -> None:
    made = make_pieces([[form(*ids) for ids in words] for words in sentences], prefix=(1, 2), suffix=(3,), padding=0)
    for row, words in enumerate(sentences):
        for position, ids in enumerate(words):
            first, count = int(made.first_BT[row, position]), int(made.count_BT[row, position])
            assert count == len(ids)
            assert (first == NO_PIECE) == (not ids)
            assert made.ids_BP[row, first : first + count].tolist() == ids or not ids


@pytest.mark.parametrize("encoder", ["cnn", "pretrained"])
def test_a_batch_moves_to_another_device_whole_but_for_its_lengths(encoder: str, tmp_path_factory) -> None:
    labeler, _ = tiny_labeler(encoder, folder=tmp_path_factory.mktemp("bert"))
    batch = labeler.featurizer.batch([["Ada", "wrote"], ["cats"]])
    moved = batch.to(torch.device("meta"))
    assert torch.equal(moved.lengths_B, torch.tensor([2, 1]))
    assert moved.mask_BT.is_meta
    assert moved.form_BT.is_meta
    assert all(getattr(moved.forms, name).is_meta for name in moved.forms.__slots__)
    assert (moved.pieces is None) == (batch.pieces is None)
    if moved.pieces is not None:
        assert all(getattr(moved.pieces, name).is_meta for name in moved.pieces.__slots__)
    stayed = batch.to(torch.device("cpu"))
    assert torch.equal(stayed.form_BT, batch.form_BT)
    assert torch.equal(stayed.forms.characters_FC, batch.forms.characters_FC)
