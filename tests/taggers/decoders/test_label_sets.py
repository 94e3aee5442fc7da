"""Labels of which only a set is known, the same for every decoder; the CRF is enumerated in tests/numerics."""

import math
from collections.abc import Sequence
from typing import get_args

import pytest
import torch
from torch import Tensor

from taggers.decoders import CRFDecoder, DecoderKind, SoftmaxDecoder, build_decoder
from taggers.decoders.label_sets import allowed_labels, is_annotated, label_set_table
from taggers.labels import MISSING, label_set_id
from tests.taggers.decoders.cases import BIO, TAGS, mask_of, random_scores, randomize

OUT, B_PER, I_PER, B_LOC, I_LOC = range(5)
SETS = ((OUT, B_LOC, I_LOC), (OUT, B_PER, I_PER), (B_PER,), (OUT, B_PER, I_PER, B_LOC, I_LOC))
NO_LOC, NO_PER, ONLY_B_PER, ANY = map(label_set_id, range(len(SETS)))
LENGTHS = [4, 3, 0, 2, 1]
MASK_BT = mask_of(LENGTHS, 5)
LABELS_BT = torch.tensor([
    [NO_LOC, B_PER, I_PER, NO_LOC, 10**6],  # a set that does not mark LOC
    [NO_PER, MISSING, NO_PER, -(10**6), 0],  # one that does not mark PER, and a token of which nothing is known
    [-(10**6)] * 5,
    [OUT, B_LOC, MISSING, NO_LOC, 7],  # one that marks all
    [MISSING, NO_LOC, NO_LOC, 99, -101],  # not annotated at all
])  # fmt: skip

every_kind = pytest.mark.parametrize("kind", get_args(DecoderKind))


def made(kind: DecoderKind, *, label_smoothing: float = 0.0) -> SoftmaxDecoder | CRFDecoder:
    decoder = build_decoder(
        kind, labels=len(TAGS), transitions=BIO, label_sets=SETS, label_smoothing=label_smoothing
    ).double()
    randomize(decoder, seed=1)
    return decoder


def scores() -> Tensor:
    return random_scores(MASK_BT, len(TAGS), seed=2)


# the table


def test_what_an_id_allows() -> None:
    rows = allowed_labels(torch.tensor([B_PER, MISSING, -1, NO_LOC, ANY]), label_set_table(SETS, len(TAGS)))
    assert [row.nonzero().squeeze(1).tolist() for row in rows] == [
        [B_PER],
        list(range(5)),
        list(range(5)),
        list(SETS[0]),
        list(range(5)),
    ]


def test_ids_have_the_shape_of_their_batch() -> None:
    assert allowed_labels(LABELS_BT.clamp(-101, 4), label_set_table(SETS, 5)).shape == (5, 5, 5)
    assert allowed_labels(torch.empty(0, 3, dtype=torch.int64), label_set_table((), 5)).shape == (0, 3, 5)


def test_which_ids_say_anything() -> None:
    assert is_annotated(torch.tensor([0, 4, -1, MISSING, label_set_id(0), label_set_id(9)])).tolist() == [
        True, True, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("ids", [(), (5,), (-1, 0)])
def test_a_set_that_is_none_of_the_labels(ids: Sequence[int]) -> None:
    with pytest.raises(ValueError, match="label set 1: expected some of the labels 0 to 4, found "):
        label_set_table([(0,), ids], 5)


@every_kind
def test_a_decoder_refuses_such_sets_as_it_is_made(kind: DecoderKind) -> None:
    with pytest.raises(ValueError, match="label set 0"):
        build_decoder(kind, labels=3, label_sets=[(3,)])


@every_kind
def test_an_id_without_its_set_is_no_missing_label(kind: DecoderKind) -> None:
    decoder = build_decoder(kind, labels=len(TAGS), transitions=BIO).double()
    with pytest.raises(IndexError):
        decoder.loss(scores(), LABELS_BT, MASK_BT)


# the loss


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_softmax_loss_by_hand(smoothing: float) -> None:
    total, count = 0.0, 0
    for probability_TL, ids, length in zip(scores().softmax(2).tolist(), LABELS_BT.tolist(), LENGTHS, strict=True):
        for probability_L, label in zip(probability_TL[:length], ids[:length], strict=True):
            if label == MISSING:
                continue
            allowed = [label] if label >= 0 else SETS[MISSING - 1 - label]
            right = -math.log(sum(probability_L[one] for one in allowed))
            even = -sum(map(math.log, probability_L)) / len(TAGS)
            total += (1 - smoothing) * right + smoothing * even
            count += 1
    loss = made("softmax", label_smoothing=smoothing).loss(scores(), LABELS_BT, MASK_BT)
    assert count == 8
    torch.testing.assert_close(loss.item(), total / count, rtol=0, atol=1e-12)


@every_kind
def test_a_set_of_one_label_is_that_label(kind: DecoderKind) -> None:
    mask_BT, decoder = mask_of([3]), made(kind)
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=3)
    known, one_of_one = (
        decoder.loss(scores_BTL, torch.tensor([[OUT, label, I_PER]]), mask_BT) for label in (B_PER, ONLY_B_PER)
    )
    torch.testing.assert_close(known, one_of_one, rtol=0, atol=1e-12)


@every_kind
def test_a_set_of_all_labels_costs_what_a_missing_one_does_but_counts(kind: DecoderKind) -> None:
    mask_BT, decoder = mask_of([3]), made(kind)
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=3)
    missing, any_of_all = (
        decoder.loss(scores_BTL, torch.tensor([[OUT, label, I_PER]]), mask_BT) for label in (MISSING, ANY)
    )
    torch.testing.assert_close(2 * missing, 3 * any_of_all, rtol=0, atol=1e-12)


@every_kind
def test_sentences_of_different_sets_cost_what_they_cost_alone(kind: DecoderKind) -> None:
    decoder = made(kind)
    num_annotated_B = (is_annotated(LABELS_BT) & MASK_BT).sum(1)
    alone_B = torch.stack([
        decoder.loss(scores()[i, None, :length], LABELS_BT[i, None, :length], mask_of([length]))
        for i, length in enumerate(LENGTHS)
    ])  # fmt: skip
    expected = (alone_B * num_annotated_B).sum() / num_annotated_B.sum()
    torch.testing.assert_close(decoder.loss(scores(), LABELS_BT, MASK_BT), expected, rtol=0, atol=1e-12)


# gradients


@every_kind
def test_gradient_of_the_loss(kind: DecoderKind) -> None:
    decoder = made(kind, label_smoothing=0.1)

    def loss(scores_BTL: Tensor, *_: Tensor) -> Tensor:
        return decoder.loss(scores_BTL, LABELS_BT, MASK_BT)  # gradcheck changes the parameters in place

    assert torch.autograd.gradcheck(loss, (scores().requires_grad_(), *decoder.parameters()))


@pytest.mark.parametrize("label_id", [NO_LOC, MISSING])
def test_between_the_labels_of_a_set_nothing_is_taught(label_id: int) -> None:
    """Raising all allowed labels by their own probabilities: how they share stays as it was."""
    mask_BT = mask_of([1])
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=4).requires_grad_()
    loss = made("softmax").loss(scores_BTL, torch.tensor([[label_id]]), mask_BT)
    (gradient_BTL,) = torch.autograd.grad(loss, scores_BTL)
    probability_L = scores_BTL.detach().softmax(2)[0, 0]
    allowed = list(SETS[0]) if label_id == NO_LOC else []
    share_L = torch.zeros(len(TAGS), dtype=torch.float64)
    share_L[allowed] = probability_L[allowed] / probability_L[allowed].sum()
    expected_L = probability_L - share_L if allowed else share_L
    torch.testing.assert_close(gradient_BTL[0, 0], expected_L, rtol=0, atol=1e-12)


@every_kind
@pytest.mark.parametrize("garbage", [1e30, -1e30, torch.inf, torch.nan])
def test_padding_changes_no_gradient(kind: DecoderKind, garbage: float) -> None:
    decoder, found = made(kind), []
    for padding, ids_BT in ((0.0, LABELS_BT.masked_fill(~MASK_BT, 0)), (garbage, LABELS_BT)):
        scores_BTL = scores().masked_fill(~MASK_BT[..., None], padding).requires_grad_()
        loss = decoder.loss(scores_BTL, ids_BT, MASK_BT)
        found.append([loss.detach(), *torch.autograd.grad(loss, [scores_BTL, *decoder.parameters()])])
    for clean, dirty in zip(*found, strict=True):
        assert torch.equal(clean, dirty)
    assert not found[0][1][~MASK_BT].any()


@every_kind
def test_scores_far_apart_leave_the_loss_finite(kind: DecoderKind) -> None:
    decoder, mask_BT = made(kind), mask_of([2])
    scores_BTL = torch.tensor([[[0.0, 1e4, 0.0, 0.0, -1e4], [-1e4, 0.0, 0.0, 0.0, 0.0]]], requires_grad=True)
    loss = decoder.loss(scores_BTL, torch.tensor([[NO_LOC, NO_PER]]), mask_BT)
    loss.backward()
    assert loss.isfinite()
    assert scores_BTL.grad is not None
    assert scores_BTL.grad.isfinite().all()


# the CRF alone


def test_a_set_none_of_whose_labels_may_stand_there_is_illegal() -> None:
    mask_BT, decoder = mask_of([2]), made("crf")
    with pytest.raises(ValueError, match="take a forbidden transition"):
        decoder.loss(random_scores(mask_BT, 5, seed=5), torch.tensor([[NO_LOC, I_PER]]), mask_BT)
