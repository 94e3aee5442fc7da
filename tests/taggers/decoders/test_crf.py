"""What enumeration (tests/numerics/test_crf_enumeration.py) cannot reach: long sentences, errors, gradients."""

import pytest
import torch
from torch import Tensor

from taggers.decoders.crf import CRFDecoder
from tests.taggers.decoders.cases import BIO, TAGS, mask_of, random_scores, randomize

LENGTHS = [12, 1, 7, 0, 30]
MASK_BT = mask_of(LENGTHS)
OUT, B_PER, I_PER, B_LOC, I_LOC = range(5)


@pytest.fixture
def decoder() -> CRFDecoder:
    decoder = CRFDecoder(len(TAGS), transitions=BIO).double()
    randomize(decoder, seed=0)
    return decoder


def test_marginals_are_the_gradient_of_the_log_partition(decoder: CRFDecoder) -> None:
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=1, padding=1e30).requires_grad_()
    (gradient_BTL,) = torch.autograd.grad(decoder.log_partition(scores_BTL, MASK_BT).sum(), scores_BTL)
    torch.testing.assert_close(decoder.marginals(scores_BTL, MASK_BT).detach(), gradient_BTL, rtol=0, atol=1e-12)


def test_loss_is_the_log_probability_of_the_gold_sequence(decoder: CRFDecoder) -> None:
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=2, padding=1e30)
    labels_BT, _ = decoder.decode(-scores_BTL.clamp(max=99), MASK_BT)
    log_probability_B = decoder.sequence_score(scores_BTL, labels_BT, MASK_BT) - decoder.log_partition(
        scores_BTL, MASK_BT
    )
    loss = decoder.loss(scores_BTL, labels_BT, MASK_BT)
    torch.testing.assert_close(loss, -log_probability_B.sum() / sum(LENGTHS), rtol=0, atol=1e-12)


def test_no_sequence_scores_above_the_decoded_one(decoder: CRFDecoder) -> None:
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=3)
    best_BT, _ = decoder.decode(scores_BTL, MASK_BT)
    best_B = decoder.sequence_score(scores_BTL, best_BT, MASK_BT)
    for seed in range(10):
        other_BT, _ = decoder.decode(scores_BTL + random_scores(MASK_BT, len(TAGS), seed=100 + seed), MASK_BT)
        assert (decoder.sequence_score(scores_BTL, other_BT, MASK_BT) <= best_B + 1e-12).all()


def test_gradient_of_the_loss_with_missing_labels(decoder: CRFDecoder) -> None:
    mask_BT = mask_of([3, 4, 1, 2])
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=4).requires_grad_()
    labels_BT = torch.tensor([[B_PER, -1, OUT, -1], [OUT, B_LOC, I_LOC, OUT], [-1, -1, -1, -1], [-1, I_LOC, OUT, OUT]])

    def loss(scores_BTL: Tensor, *_: Tensor) -> Tensor:
        return decoder.loss(scores_BTL, labels_BT, mask_BT)  # gradcheck changes the parameters in place

    assert torch.autograd.gradcheck(loss, (scores_BTL, *decoder.parameters()))


def test_forbidden_transitions_have_no_gradient(decoder: CRFDecoder) -> None:
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=5)
    decoder.loss(scores_BTL, decoder.decode(-scores_BTL, MASK_BT)[0], MASK_BT).backward()
    assert decoder.start_L.grad is not None
    assert decoder.step_LL.grad is not None
    assert torch.equal(decoder.start_L.grad != 0, torch.tensor(BIO.start))
    assert torch.equal(decoder.step_LL.grad != 0, torch.tensor(BIO.step))


@pytest.mark.parametrize(
    "labels",
    [
        [I_PER, I_PER, OUT],
        [OUT, I_LOC, OUT],
        [B_PER, I_LOC, OUT],
        [OUT, OUT, I_PER],
        [OUT, I_LOC, -1],
        [-1, OUT, I_LOC],
    ],
)
def test_illegal_gold_labels(decoder: CRFDecoder, labels: list[int]) -> None:
    mask_BT = mask_of([0, 2, 3])
    labels_BT = torch.tensor([[OUT, OUT, OUT], [-1, -1, -1], labels])
    with pytest.raises(
        ValueError, match="gold labels of sentence 2 of the batch take a forbidden transition: "
    ) as error:
        decoder.loss(random_scores(mask_BT, len(TAGS), seed=6), labels_BT, mask_BT)
    assert str(labels) in str(error.value)


def test_missing_label_stands_for_legal_ones_only(decoder: CRFDecoder) -> None:
    mask_BT = mask_of([2])
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=7)
    partial = decoder.loss(scores_BTL, torch.tensor([[-1, I_PER]]), mask_BT)
    whole = decoder.loss(scores_BTL, torch.tensor([[B_PER, I_PER]]), mask_BT)  # only B-PER may stand there
    torch.testing.assert_close(partial, 2 * whole, rtol=0, atol=1e-12)  # one token is labelled, not two


def test_very_long_sentence_in_single_precision() -> None:
    decoder = CRFDecoder(len(TAGS), transitions=BIO)
    randomize(decoder, seed=8)
    mask_BT = mask_of([1000, 10])
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=9)
    labels_BT, probability_BT = decoder.decode(scores_BTL.float(), mask_BT)
    expected_BT, expected_probability_BT = decoder.double().decode(scores_BTL, mask_BT)
    assert torch.equal(labels_BT, expected_BT)
    torch.testing.assert_close(probability_BT.double(), expected_probability_BT, rtol=0, atol=1e-3)


def test_loss_does_not_lose_precision_to_large_scores() -> None:
    decoder = CRFDecoder(len(TAGS), transitions=BIO)
    scores_BTL = (random_scores(MASK_BT, len(TAGS), seed=10).float() * 64).round() / 64  # so that + 1024 is exact
    labels_BT, _ = decoder.decode(-scores_BTL, MASK_BT)
    loss = decoder.loss(scores_BTL, labels_BT, MASK_BT)
    assert torch.equal(decoder.loss(scores_BTL + 1024, labels_BT, MASK_BT), loss)
