"""The best label sequence under scores for single labels and for neighbors (Viterbi 1967), over a whole batch.

Axes: **B** sentences, **T** tokens, **L** labels.
"""

import torch
from torch import Tensor

from taggers.spans import Transitions

FORBIDDEN = -1e30
"""The score of a forbidden transition. Finite, so that no sum, difference or gradient of it is ever NaN."""

_LOWEST_SCORE = -1e20
"""Scores further below the best of their token are raised to this: even a long sum of them stays above FORBIDDEN."""


def forbidden_transitions(transitions: Transitions | None, num_labels: int) -> Tensor:
    """Transitions as one mask ``(L + 1, L + 1)``, true where the label of the row may not precede that of the column.

    The last row and column stand for the sentence's edge: what may open it, and what may close it.

    Raises:
        ValueError: The transitions are of another number of labels.
    """
    forbidden_MM = torch.zeros(num_labels + 1, num_labels + 1, dtype=torch.bool)
    if transitions is not None:
        if len(transitions.start) != num_labels:
            raise ValueError(f"expected transitions of {num_labels} labels, found {len(transitions.start)}")
        forbidden_MM[-1, :-1] = ~torch.tensor(transitions.start)
        forbidden_MM[:-1, :-1] = ~torch.tensor(transitions.step)
        forbidden_MM[:-1, -1] = ~torch.tensor(transitions.end)
    return forbidden_MM


def bounded(scores_BTL: Tensor, mask_BT: Tensor) -> Tensor:
    """Scores with 0 in padding and the best label of each token at 0, others in [-1e20, 0].

    What is best, and every probability, stays as it was. Half precision comes out as float32.
    """
    dtype = torch.promote_types(scores_BTL.dtype, torch.float32)
    scores_BTL = scores_BTL.to(dtype).masked_fill(~mask_BT[..., None], 0.0)
    return (scores_BTL - scores_BTL.amax(-1, keepdim=True)).clamp_(min=_LOWEST_SCORE)


@torch.no_grad()
def viterbi(scores_BTL: Tensor, mask_BT: Tensor, start_L: Tensor, step_LL: Tensor, end_L: Tensor) -> Tensor:
    """The label sequence of the highest total score for each sentence.

    A sequence with a FORBIDDEN transition is never returned where there is one without; where there is none, one with
    the fewest of them is.

    Args:
        scores_BTL: Finite scores; anything may stand in padding cells.
        mask_BT: True on tokens, right-padded.
        start_L: The score of opening with each label.
        step_LL: The score of each label (row) being followed by each label (column).
        end_L: The score of closing with each label.

    Returns:
        ``(B, T)`` int64, 0 in padding cells.
    """
    num_sentences, num_tokens, num_labels = scores_BTL.shape
    if num_sentences == 0 or num_tokens == 0:
        return torch.zeros(num_sentences, num_tokens, dtype=torch.int64, device=scores_BTL.device)
    # Sentences run along the last axis: maxima over labels are then taken for many sentences at a time.
    scores_TLB = bounded(scores_BTL, mask_BT).permute(1, 2, 0).contiguous()
    dtype, device = scores_TLB.dtype, scores_TLB.device
    step_LL1 = step_LL.to(dtype)[..., None]

    # Every call counts where sentences are short, so the loops take their views of all tokens at once.
    best_TL1B = torch.empty_like(scores_TLB).unsqueeze(2)
    best_TLB = best_TL1B.squeeze(2)
    came_from_TLB = torch.empty(scores_TLB.shape, dtype=torch.int64, device=device)
    torch.add(scores_TLB[0], start_L.to(dtype)[:, None], out=best_TLB[0])
    before = best_TL1B[:-1].unbind()
    steps = zip(before, best_TLB[1:].unbind(), came_from_TLB[1:].unbind(), scores_TLB[1:].unbind(), strict=True)
    for before_L1B, best_LB, came_from_LB, score_LB in steps:
        torch.max(before_L1B + step_LL1, dim=0, out=(best_LB, came_from_LB))
        best_LB += score_LB

    # The loop ran on through padding. A sentence's own end is looked up, and in padding each label comes from itself,
    # so that the way back starts at the same place for all.
    last_B = (mask_BT.sum(1) - 1).clamp(min=0)
    final_BL = best_TLB[last_B, :, torch.arange(num_sentences, device=device)] + end_L.to(dtype)
    itself_L1 = torch.arange(num_labels, device=device)[:, None]
    came_from_TLB = torch.where(mask_BT.T.unsqueeze(1), came_from_TLB, itself_L1)
    labels_T1B = torch.empty(num_tokens, 1, num_sentences, dtype=torch.int64, device=device)
    labels_T1B[-1] = final_BL.argmax(1)
    way_on = list(zip(came_from_TLB[1:].unbind(), labels_T1B[1:].unbind(), labels_T1B[:-1].unbind(), strict=True))
    for came_from_LB, label_1B, before_1B in reversed(way_on):
        torch.gather(came_from_LB, 0, label_1B, out=before_1B)
    return labels_T1B.squeeze(1).T.masked_fill(~mask_BT, 0)
