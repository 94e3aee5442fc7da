from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.decoders.viterbi import FORBIDDEN, bounded, forbidden_transitions, viterbi
from tests.taggers.decoders.cases import BIO, NOWHERE, TAGS, mask_of, random_scores


def test_forbidden_transitions_of_bio() -> None:
    forbidden_MM = forbidden_transitions(BIO, len(TAGS))
    names = [*TAGS, "edge"]
    found = {(names[a], names[b]) for a, b in forbidden_MM.nonzero().tolist()}
    inside = {tag for tag in TAGS if tag.startswith("I-")}
    assert found == {(a, b) for a in names for b in inside if a[1:] != b[1:]}


def test_forbidden_transitions_without_a_table() -> None:
    forbidden_MM = forbidden_transitions(None, 3)
    assert forbidden_MM.shape == (4, 4)
    assert not forbidden_MM.any()


def test_forbidden_transitions_of_another_label_set() -> None:
    with pytest.raises(ValueError, match="expected transitions of 4 labels, found 5"):
        forbidden_transitions(BIO, 4)


def test_follows_transitions_rather_than_single_scores() -> None:
    scores_BTL = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    step_LL = torch.tensor([[-5.0, 0.0], [0.0, 0.0]])
    labels_BT = viterbi(scores_BTL, mask_of([3]), torch.zeros(2), step_LL, torch.zeros(2))
    assert labels_BT.tolist() == [[0, 1, 0]]


def test_end_scores_act_at_each_sentences_own_end() -> None:
    scores_BTL = torch.zeros(3, 3, 2)
    step_LL = torch.tensor([[0.0, -1.0], [-1.0, 0.0]])
    end_L = torch.tensor([0.0, 9.0])
    labels_BT = viterbi(scores_BTL, mask_of([3, 1, 2]), torch.zeros(2), step_LL, end_L)
    assert labels_BT.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]


@given(st.integers(1, 4), st.integers(1, 6), st.data())
@settings(max_examples=60)
def test_is_never_beaten_by_changing_one_label(num_labels: int, num_tokens: int, data: st.DataObject) -> None:
    integers = st.integers(-3, 3).map(float)

    def drawn(*shape: int) -> torch.Tensor:
        size = torch.Size(shape).numel()
        return torch.tensor(data.draw(st.lists(integers, min_size=size, max_size=size))).reshape(shape)

    scores_TL, start_L, end_L = drawn(num_tokens, num_labels), drawn(num_labels), drawn(num_labels)
    step_LL = drawn(num_labels, num_labels)

    def total(path: list[int]) -> float:
        steps = sum(float(step_LL[a, b]) for a, b in pairwise(path))
        return (
            steps + sum(float(scores_TL[t, b]) for t, b in enumerate(path)) + float(start_L[path[0]] + end_L[path[-1]])
        )

    path = viterbi(scores_TL[None], mask_of([num_tokens]), start_L, step_LL, end_L)[0].tolist()
    for t in range(num_tokens):
        for label in range(num_labels):
            assert total(path) >= total([*path[:t], label, *path[t + 1 :]])


def test_takes_the_fewest_forbidden_steps_where_none_is_legal() -> None:
    # 0 may only be followed by 1, and nothing may follow 1: of four tokens at least one step is forbidden
    step_LL = torch.tensor([[FORBIDDEN, 0.0], [FORBIDDEN, FORBIDDEN]])
    scores_BTL = torch.zeros(1, 4, 2)
    labels = viterbi(scores_BTL, mask_of([4]), torch.zeros(2), step_LL, torch.zeros(2))[0].tolist()
    assert labels == [0, 1, 0, 1]


def test_infinite_transition_scores_forbid_as_well() -> None:
    step_LL = torch.tensor([[-torch.inf, 0.0], [0.0, -torch.inf]])
    scores_BTL = torch.tensor([[[9.0, 0.0], [9.0, 0.0], [9.0, 0.0]]])
    labels_BT = viterbi(scores_BTL, mask_of([3]), torch.zeros(2), step_LL, torch.zeros(2))
    assert labels_BT.tolist() == [[0, 1, 0]]


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [0, 2]])
def test_empty_sentences(lengths: list[int]) -> None:
    mask_BT = mask_of(lengths)
    labels_BT = viterbi(random_scores(mask_BT, 3, seed=0), mask_BT, torch.zeros(3), torch.zeros(3, 3), torch.zeros(3))
    assert labels_BT.shape == mask_BT.shape
    assert labels_BT.dtype == torch.int64


def test_bounded_keeps_order_and_silences_padding() -> None:
    scores_BTL = torch.tensor([[[3e38, -3e38, 2e38], [torch.nan, torch.inf, 1e30]]])
    bounded_BTL = bounded(scores_BTL, mask_of([1], 2))
    assert bounded_BTL[0].tolist() == [[0.0, pytest.approx(-1e20), pytest.approx(-1e20)], [0.0, 0.0, 0.0]]
    assert bounded(scores_BTL.to(torch.bfloat16), mask_of([1], 2)).dtype == torch.float32


def test_no_transition_is_legal_at_all() -> None:
    forbidden_MM = forbidden_transitions(NOWHERE, 3).float() * FORBIDDEN
    mask_BT = mask_of([5, 2])
    labels_BT = viterbi(
        random_scores(mask_BT, 3, seed=0), mask_BT, forbidden_MM[-1, :-1], forbidden_MM[:-1, :-1], forbidden_MM[:-1, -1]
    )
    assert ((labels_BT >= 0) & (labels_BT < 3)).all()
