"""Decoders: the scores of one task to its loss and its labels.

Axes: **B** sentences, **T** tokens, **L** labels. Masks are right-padded: a sentence's tokens come first.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor

from taggers.decoders.crf import CRFDecoder
from taggers.decoders.softmax import SoftmaxDecoder
from taggers.spans import Transitions

__all__ = ["CRFDecoder", "Decoder", "DecoderKind", "SoftmaxDecoder", "build_decoder"]

DecoderKind = Literal["softmax", "crf"]


class Decoder(Protocol):
    """What a head asks of its decoder.

    What stands in padding cells, whatever it is, changes no result and no gradient.
    """

    def loss(self, scores_BTL: Tensor, labels_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """The mean cost of an annotated token, a scalar; what the ids mean, ``taggers/labels.py`` says."""
        ...

    def decode(self, scores_BTL: Tensor, mask_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The best labels (int64) and the probability of each, both ``(B, T)`` and 0 in padding cells."""
        ...


def build_decoder(
    kind: DecoderKind,
    *,
    labels: int,
    transitions: Transitions | None = None,
    label_smoothing: float = 0.0,
    label_sets: Sequence[Sequence[int]] = (),
) -> SoftmaxDecoder | CRFDecoder:
    """A decoder by its name in a config.

    Args:
        kind: ``softmax`` labels each token on its own, ``crf`` the sentence as a whole.
        labels: The number of labels.
        transitions: Which label may follow which; None allows everything.
        label_smoothing: The share of the target that goes to all labels alike; ``softmax`` only.
        label_sets: Sets of label ids of which a gold label may be any; the loss alone asks for them.

    Raises:
        ValueError: The kind is unknown, or the transitions or label sets are of another number of labels.
    """
    match kind:
        case "softmax":
            return SoftmaxDecoder(
                labels, transitions=transitions, label_smoothing=label_smoothing, label_sets=label_sets
            )
        case "crf":
            return CRFDecoder(labels, transitions=transitions, label_sets=label_sets)
        case _:
            raise ValueError(f"unknown decoder {kind!r}; there are: softmax, crf")
