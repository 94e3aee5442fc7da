"""SoftmaxDecoder: every token labelled on its own, and only the choice made legal.

Axes: **B** sentences, **T** tokens, **L** labels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from taggers.decoders.label_sets import allowed_labels, is_annotated, label_set_table
from taggers.decoders.viterbi import FORBIDDEN, forbidden_transitions, viterbi
from taggers.labels import MISSING
from taggers.spans import Transitions


class SoftmaxDecoder(nn.Module):
    """Independent labels, with a legal sequence when decoding.

    Nothing is learned here. The loss does not know of the transitions; ``decode`` returns the legal sequence whose
    labels have the highest product of probabilities.

    Args:
        num_labels: The number of labels.
        transitions: Which label may follow which; None allows everything.
        label_smoothing: The part of the target spread evenly over all labels, in [0, 1].
        label_sets: Sets of label ids of which a gold label may be any.
    """

    forbidden_MM: Tensor
    sets_SL: Tensor

    def __init__(
        self,
        num_labels: int,
        *,
        transitions: Transitions | None = None,
        label_smoothing: float = 0.0,
        label_sets: Sequence[Sequence[int]] = (),
    ) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.label_smoothing = label_smoothing
        # They follow from labels and data, so they are no weights to be stored.
        self.register_buffer("forbidden_MM", forbidden_transitions(transitions, num_labels), persistent=False)
        self.register_buffer("sets_SL", label_set_table(label_sets, num_labels), persistent=False)
        self._anything_goes = not bool(self.forbidden_MM.any())

    def loss(self, scores_BTL: Tensor, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Cross-entropy; of a set of labels, the probability is the sum of theirs.

        Args:
            scores_BTL: Scores; anything may stand in padding cells.
            labels_BT: Gold ids as in ``labels.py``, int64.
            mask_BT: True on tokens, right-padded.

        Returns:
            The mean over annotated tokens, a scalar; 0 when there is none.
        """
        labels_BT = labels_BT.masked_fill(~mask_BT, MISSING)
        annotated_BT = is_annotated(labels_BT)
        scores_BTL = scores_BTL.to(torch.promote_types(scores_BTL.dtype, torch.float32))
        scores_BTL = scores_BTL.masked_fill(~annotated_BT[..., None], 0.0)
        total = functional.cross_entropy(
            scores_BTL.flatten(0, 1),
            labels_BT.masked_fill(labels_BT < 0, MISSING).flatten(),
            ignore_index=MISSING,
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        partial_BT = labels_BT < MISSING
        total = total + self._partial_loss(scores_BTL[partial_BT], labels_BT[partial_BT])
        return total / annotated_BT.sum().clamp(min=1)

    @torch.no_grad()
    def decode(self, scores_BTL: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The best legal labels.

        Args:
            scores_BTL: Finite scores; anything may stand in padding cells.
            mask_BT: True on tokens, right-padded.

        Returns:
            Labels ``(B, T)`` int64, and the softmax probability of each, in [0, 1]; both 0 in padding cells.
        """
        scores_BTL = scores_BTL.to(torch.promote_types(scores_BTL.dtype, torch.float32))
        scores_BTL = scores_BTL.masked_fill(~mask_BT[..., None], 0.0)
        labels_BT = scores_BTL.max(2).indices.masked_fill(~mask_BT, 0)  # several times faster than argmax
        if not self._anything_goes:
            self._make_legal(labels_BT, scores_BTL, mask_BT)
        chosen_BT = scores_BTL.gather(2, labels_BT[..., None]).squeeze(2)
        return labels_BT, (chosen_BT - scores_BTL.logsumexp(2)).exp().masked_fill(~mask_BT, 0.0)

    def _partial_loss(self, scores_NL: Tensor, labels_N: Tensor) -> Tensor:
        """The summed cost of tokens whose label is one of a set."""
        log_NL = scores_NL.log_softmax(1)
        allowed_NL = allowed_labels(labels_N, self.sets_SL)
        one_of_them_N = log_NL.masked_fill(~allowed_NL, -torch.inf).logsumexp(1)
        return -torch.lerp(one_of_them_N, log_NL.mean(1), self.label_smoothing).sum()

    def _make_legal(self, labels_BT: Tensor, scores_BTL: Tensor, mask_BT: Tensor) -> None:
        """Overwrites the rows of ``labels_BT`` that are illegal; most are not, and need no Viterbi."""
        rows_N = self._illegal(labels_BT, mask_BT).nonzero().squeeze(1)
        if not len(rows_N):
            return
        mask_NT = mask_BT[rows_N]
        longest = int(mask_NT.sum(1).max())
        forbidden_MM = torch.zeros_like(self.forbidden_MM, dtype=scores_BTL.dtype)
        forbidden_MM = forbidden_MM.masked_fill(self.forbidden_MM, FORBIDDEN)
        labels_BT[rows_N, :longest] = viterbi(
            # The logarithm of the softmax differs from the scores by a constant for each token: the same path is best.
            scores_BTL[rows_N, :longest],
            mask_NT[:, :longest],
            forbidden_MM[-1, :-1],
            forbidden_MM[:-1, :-1],
            forbidden_MM[:-1, -1],
        )

    def _illegal(self, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """Which sentences hold a forbidden transition, ``(B,)``."""
        # Padding is the edge, and so is a place before and after: one look-up covers start, steps and end.
        edge = self.num_labels
        labels_BT = functional.pad(labels_BT.masked_fill(~mask_BT, edge), (1, 1), value=edge)
        pair_BT = labels_BT[:, :-1] * (edge + 1) + labels_BT[:, 1:]
        return self.forbidden_MM.take(pair_BT).any(1)
