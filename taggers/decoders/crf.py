"""CRFDecoder: a linear-chain conditional random field over the labels of a sentence.

Axes: **B** sentences, **T** tokens, **L** labels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from taggers.decoders.label_sets import allowed_labels, is_annotated, label_set_table
from taggers.decoders.viterbi import FORBIDDEN, bounded, forbidden_transitions, viterbi
from taggers.labels import MISSING
from taggers.spans import Transitions


class CRFDecoder(nn.Module):
    """Labels scored as a sequence (Lafferty, McCallum and Pereira 2001, "Conditional Random Fields").

    A sequence's score is the sum of its tokens' scores, of a learned score for each pair of neighbors, and of learned
    scores for the first and the last label. Forbidden transitions have probability 0 in training as in decoding.
    Everything is computed in the logarithm, in float32 or, for float64 scores, in float64.

    Args:
        num_labels: The number of labels.
        transitions: Which label may follow which; None allows everything.
        label_sets: Sets of label ids of which a gold label may be any.
    """

    forbidden_MM: Tensor
    sets_SL: Tensor

    def __init__(
        self,
        num_labels: int,
        *,
        transitions: Transitions | None = None,
        label_sets: Sequence[Sequence[int]] = (),
    ) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.start_L = nn.Parameter(torch.zeros(num_labels))
        self.step_LL = nn.Parameter(torch.zeros(num_labels, num_labels))
        self.end_L = nn.Parameter(torch.zeros(num_labels))
        # They follow from labels and data, so they are no weights to be stored.
        self.register_buffer("forbidden_MM", forbidden_transitions(transitions, num_labels), persistent=False)
        self.register_buffer("sets_SL", label_set_table(label_sets, num_labels), persistent=False)

    def loss(self, scores_BTL: Tensor, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Negative log-likelihood of the gold labels: of all sequences that agree with what is known of them.

        Args:
            scores_BTL: Scores; anything may stand in padding cells.
            labels_BT: Gold ids as in ``labels.py``, int64.
            mask_BT: True on tokens, right-padded.

        Returns:
            The mean over annotated tokens, a scalar; 0 when there is none.

        Raises:
            ValueError: A sentence's gold labels take a forbidden transition: they are to be repaired before.
        """
        labels_BT = labels_BT.masked_fill(~mask_BT, MISSING)
        annotated_BT = is_annotated(labels_BT)
        rows_N = annotated_BT.any(1).nonzero().squeeze(1)
        labels_NT, mask_NT = labels_BT[rows_N], mask_BT[rows_N]
        scores_NTL = _silenced(scores_BTL[rows_N], mask_NT)
        # A constant for each token changes no probability, and small totals are more precise.
        scores_NTL = scores_NTL - scores_NTL.detach().amax(2, keepdim=True)
        gold_N = self._gold_score(scores_NTL, labels_NT, mask_NT)
        if bool((gold_N < FORBIDDEN / 2).any()):
            raise ValueError(_illegal_gold(gold_N, rows_N, labels_NT, mask_NT))
        return (self.log_partition(scores_NTL, mask_NT) - gold_N).sum() / annotated_BT.sum().clamp(min=1)

    @torch.no_grad()
    def decode(self, scores_BTL: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable label sequence of each sentence.

        Args:
            scores_BTL: Finite scores; anything may stand in padding cells.
            mask_BT: True on tokens, right-padded.

        Returns:
            Labels ``(B, T)`` int64, and the marginal probability of each, in [0, 1]; both 0 in padding cells.
        """
        scores_BTL = bounded(scores_BTL, mask_BT)
        labels_BT = viterbi(scores_BTL, mask_BT, *self._transitions(scores_BTL.dtype))
        return labels_BT, self.marginals(scores_BTL, mask_BT).gather(2, labels_BT[..., None]).squeeze(2)

    def sequence_score(self, scores_BTL: Tensor, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """The score ``(B,)`` of one label sequence for each sentence; 0 for an empty sentence.

        Args:
            scores_BTL: Scores; anything may stand in padding cells.
            labels_BT: Labels, int64, none of them missing; anything may stand in padding cells.
            mask_BT: True on tokens, right-padded.
        """
        scores_BTL = _silenced(scores_BTL, mask_BT)
        labels_BT = labels_BT.masked_fill(~mask_BT, 0)
        start_L, step_LL, end_L = self._transitions(scores_BTL.dtype)
        total_B = scores_BTL.gather(2, labels_BT[..., None]).sum((1, 2))
        total_B = total_B + (step_LL[labels_BT[:, :-1], labels_BT[:, 1:]] * mask_BT[:, 1:]).sum(1)
        if labels_BT.shape[1] == 0:
            return total_B
        last_B1 = labels_BT.gather(1, _last(mask_BT)[:, None])
        edges_B = start_L[labels_BT[:, 0]] + end_L[last_B1.squeeze(1)]
        return total_B + edges_B * mask_BT[:, 0]

    def log_partition(self, scores_BTL: Tensor, mask_BT: Tensor) -> Tensor:
        """The logarithm ``(B,)`` of the sum over all label sequences of e to their score; 0 for an empty sentence.

        Args:
            scores_BTL: Scores; anything may stand in padding cells.
            mask_BT: True on tokens, right-padded.
        """
        scores_BTL = _silenced(scores_BTL, mask_BT)
        if scores_BTL.numel() == 0:
            return scores_BTL.sum((1, 2))
        start_L, step_LL, end_L = self._transitions(scores_BTL.dtype)
        upto_TLB = _sums_up_to(scores_BTL.permute(1, 2, 0).contiguous(), start_L, step_LL)
        final_BL = upto_TLB[_last(mask_BT), :, torch.arange(len(mask_BT), device=mask_BT.device)] + end_L
        return final_BL.logsumexp(1).masked_fill(~mask_BT[:, 0], 0.0)

    def marginals(self, scores_BTL: Tensor, mask_BT: Tensor) -> Tensor:
        """The probability ``(B, T, L)`` of each label at each token, over all sequences; 0 in padding cells.

        Args:
            scores_BTL: Scores; anything may stand in padding cells.
            mask_BT: True on tokens, right-padded.
        """
        scores_BTL = _silenced(scores_BTL, mask_BT)
        if scores_BTL.numel() == 0:
            return scores_BTL
        start_L, step_LL, end_L = self._transitions(scores_BTL.dtype)
        # Read backwards, a sentence is a chain like any other: both directions are one batch of 2 B chains.
        position_T1B = _mirrored(mask_BT).T.unsqueeze(1)
        scores_TLB = scores_BTL.permute(1, 2, 0).contiguous()
        position_TLB = position_T1B.expand_as(scores_TLB)
        upto_T2LB = _sums_up_to(
            torch.stack([scores_TLB, scores_TLB.gather(0, position_TLB)], dim=1),
            torch.stack([start_L, end_L]),
            torch.stack([step_LL, step_LL.T]),
        )
        # Each token's own score is in both. Normalized token by token, so that rounding over a long sentence does not
        # add up, and so that a sentence all of whose sequences are forbidden still gets probabilities.
        log_TLB = upto_T2LB[:, 0] + upto_T2LB[:, 1].gather(0, position_TLB) - scores_TLB
        return log_TLB.softmax(1).permute(2, 0, 1).masked_fill(~mask_BT[..., None], 0.0)

    def _transitions(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """The scores of start ``(L,)``, step ``(L, L)`` and end ``(L,)``, FORBIDDEN where they are."""
        return (
            self.start_L.to(dtype).masked_fill(self.forbidden_MM[-1, :-1], FORBIDDEN),
            self.step_LL.to(dtype).masked_fill(self.forbidden_MM[:-1, :-1], FORBIDDEN),
            self.end_L.to(dtype).masked_fill(self.forbidden_MM[:-1, -1], FORBIDDEN),
        )

    def _gold_score(self, scores_NTL: Tensor, labels_NT: Tensor, mask_NT: Tensor) -> Tensor:
        """The logarithm ``(N,)`` of the sum over all sequences of labels that the ids allow."""
        gold_N = self.sequence_score(scores_NTL, labels_NT.clamp(min=0), mask_NT)
        partial_N = (mask_NT & (labels_NT < 0)).any(1)
        rows_M = partial_N.nonzero().squeeze(1)
        if not len(rows_M):
            return gold_N
        other_MTL = ~allowed_labels(labels_NT[rows_M], self.sets_SL)
        agreeing_M = self.log_partition(scores_NTL[rows_M].masked_fill(other_MTL, FORBIDDEN), mask_NT[rows_M])
        return gold_N.index_put((rows_M,), agreeing_M)


def _silenced(scores_BTL: Tensor, mask_BT: Tensor) -> Tensor:
    """Scores in float32 or float64, with 0 in padding cells."""
    dtype = torch.promote_types(scores_BTL.dtype, torch.float32)
    return scores_BTL.to(dtype).masked_fill(~mask_BT[..., None], 0.0)


def _last(mask_BT: Tensor) -> Tensor:
    """The position ``(B,)`` of each sentence's last token; 0 for an empty sentence."""
    return (mask_BT.sum(1) - 1).clamp(min=0)


def _mirrored(mask_BT: Tensor) -> Tensor:
    """For each place, the place ``(B, T)`` that reverses the sentence's own tokens and leaves padding as it is."""
    position_T = torch.arange(mask_BT.shape[1], device=mask_BT.device)
    return torch.where(mask_BT, mask_BT.sum(1, keepdim=True) - 1 - position_T, position_T)


def _sums_up_to(scores_TxLB: Tensor, start_xL: Tensor, step_xLL: Tensor) -> Tensor:
    """The forward recursion: for each token and label, the logarithm of the sum over all beginnings that end there.

    ``x`` stands for any further axes. Sentences run along the last axis, so that sums over labels are taken for many
    sentences at a time. It runs on through padding, which is for the caller to ignore.
    """
    step_xLL1 = step_xLL[..., None]
    first_xLB, *scores = scores_TxLB.unbind()
    upto_TxLB = [first_xLB + start_xL[..., None]]
    for score_xLB in scores:
        upto_TxLB.append(_logsumexp(upto_TxLB[-1].unsqueeze(-2) + step_xLL1, -3).add_(score_xLB))
    return torch.stack(upto_TxLB)


def _logsumexp(x: Tensor, dim: int) -> Tensor:
    """``torch.logsumexp``, twice as fast where much is forbidden: exp is slow on numbers far below zero.

    A term of e^-80 times the largest vanishes in the rounding of their sum, so raising lower ones to it adds nothing.
    """
    largest = (x.detach() if x.requires_grad else x).amax(dim, keepdim=True)
    return (x - largest).clamp_(min=-80.0).exp_().sum(dim).log_().add_(largest.squeeze(dim))


def _illegal_gold(gold_N: Tensor, rows_N: Tensor, labels_NT: Tensor, mask_NT: Tensor) -> str:
    """Says which sentence's gold labels take a forbidden transition."""
    n = int((gold_N < FORBIDDEN / 2).nonzero()[0])
    labels = labels_NT[n][mask_NT[n]].tolist()
    return f"gold labels of sentence {int(rows_N[n])} of the batch take a forbidden transition: {labels}"
