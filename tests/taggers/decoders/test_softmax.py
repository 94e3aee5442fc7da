import pytest
import torch
from torch.nn import functional

from taggers.decoders.softmax import SoftmaxDecoder
from taggers.spans import Transitions
from tests.taggers.decoders.cases import BIO, TAGS, mask_of, random_scores

LENGTHS = [5, 1, 3]
MASK_BT = mask_of(LENGTHS)
OUT, B_PER, I_PER, B_LOC, I_LOC = range(5)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_loss_is_cross_entropy_of_labelled_tokens(label_smoothing: float) -> None:
    scores_BTL = random_scores(MASK_BT, 5, seed=0, padding=1e30)
    labels_BT = torch.tensor([[0, 1, -1, 3, 4], [-5, 1, 1, 1, 1], [2, 2, 0, 9, 9]])
    labelled_BT = MASK_BT & (labels_BT >= 0)
    expected = functional.cross_entropy(
        scores_BTL[labelled_BT], labels_BT[labelled_BT], label_smoothing=label_smoothing
    )
    decoder = SoftmaxDecoder(5, transitions=BIO, label_smoothing=label_smoothing)
    torch.testing.assert_close(decoder.loss(scores_BTL, labels_BT, MASK_BT), expected, rtol=0, atol=1e-12)


def test_without_transitions_the_best_label_of_each_token_and_its_softmax() -> None:
    scores_BTL = random_scores(MASK_BT, 5, seed=1)
    labels_BT, probability_BT = SoftmaxDecoder(5).decode(scores_BTL, MASK_BT)
    assert torch.equal(labels_BT[MASK_BT], scores_BTL.argmax(2)[MASK_BT])
    torch.testing.assert_close(probability_BT[MASK_BT], scores_BTL.softmax(2).amax(2)[MASK_BT], rtol=0, atol=1e-12)


def test_illegal_choice_gives_way_to_the_best_legal_sequence() -> None:
    probabilities_TL = torch.tensor([
        [0.6, 0.3, 0.05, 0.03, 0.02],  # O, else B-PER
        [0.1, 0.1, 0.7, 0.05, 0.05],  # I-PER, which O forbids
    ])  # fmt: skip
    labels_BT, probability_BT = SoftmaxDecoder(len(TAGS), transitions=BIO).decode(
        probabilities_TL.log()[None], mask_of([2])
    )
    assert labels_BT.tolist() == [[B_PER, I_PER]]  # 0.3 x 0.7 against 0.6 x 0.1
    torch.testing.assert_close(probability_BT, torch.tensor([[0.3, 0.7]]))


def test_legal_rows_are_untouched_by_their_illegal_neighbors() -> None:
    mask_BT = mask_of([4, 2, 3])
    wanted_BT = torch.tensor([[OUT, I_PER, OUT, OUT], [B_LOC, I_LOC, OUT, OUT], [B_PER, I_PER, I_LOC, OUT]])
    scores_BTL = functional.one_hot(wanted_BT, len(TAGS)) * 4.0
    scores_BTL[0, 1, OUT] = 3.0
    scores_BTL[2, 2, B_LOC] = 3.0
    labels_BT, _ = SoftmaxDecoder(len(TAGS), transitions=BIO).decode(scores_BTL, mask_BT)
    assert labels_BT.tolist() == [[OUT, OUT, OUT, OUT], [B_LOC, I_LOC, OUT, OUT], [B_PER, I_PER, B_LOC, OUT]]


def test_probability_is_that_of_the_label_chosen() -> None:
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=2)
    labels_BT, probability_BT = SoftmaxDecoder(len(TAGS), transitions=BIO).decode(scores_BTL, MASK_BT)
    expected_BT = scores_BTL.softmax(2).gather(2, labels_BT[..., None]).squeeze(2)
    torch.testing.assert_close(probability_BT[MASK_BT], expected_BT[MASK_BT], rtol=0, atol=1e-12)
    assert (labels_BT != scores_BTL.argmax(2))[MASK_BT].any(), "some row of this test needs Viterbi"


def test_a_sentence_may_not_close_as_it_could_go_on() -> None:
    transitions = Transitions(start=(True, True), step=((True, True), (True, True)), end=(True, False))
    mask_BT = mask_of([2, 3])
    scores_BTL = torch.tensor([[0.0, 3.0], [2.0, 3.0], [0.0, 0.0]]).repeat(2, 1, 1)
    labels_BT, _ = SoftmaxDecoder(2, transitions=transitions).decode(scores_BTL, mask_BT)
    assert labels_BT.tolist() == [[1, 0, 0], [1, 1, 0]]
