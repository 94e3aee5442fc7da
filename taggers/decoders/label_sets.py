"""Label ids as sets of labels: a known label allows itself, a missing one all, and some ids a few (see ``labels.py``).

Axes: **L** labels, **S** label sets, **X** any others.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from taggers.labels import MISSING


def label_set_table(label_sets: Sequence[Sequence[int]], num_labels: int) -> Tensor:
    """Sets of label ids as one mask ``(S, L)``.

    Raises:
        ValueError: A set is empty, or an id in it is not one of the labels.
    """
    table_SL = torch.zeros(len(label_sets), num_labels, dtype=torch.bool)
    for index, ids in enumerate(label_sets):
        if not ids or not all(0 <= label < num_labels for label in ids):
            raise ValueError(f"label set {index}: expected some of the labels 0 to {num_labels - 1}, found {list(ids)}")
        table_SL[index, list(ids)] = True
    return table_SL


def is_annotated(labels_X: Tensor) -> Tensor:
    """Which ids say anything: all but the missing ones."""
    return (labels_X >= 0) | (labels_X < MISSING)


def allowed_labels(labels_X: Tensor, sets_SL: Tensor) -> Tensor:
    """Which labels each id allows, ``(X, L)``.

    Args:
        labels_X: Ids, int64.
        sets_SL: The label sets, from ``label_set_table``.
    """
    num_labels = sets_SL.shape[1]
    each_LL = torch.eye(num_labels, dtype=torch.bool, device=sets_SL.device)
    rows_RL = torch.cat([each_LL, torch.ones_like(each_LL[:1]), sets_SL])
    behind_X = num_labels + (MISSING - labels_X).clamp(min=0)  # all labels, and behind that row the sets
    return rows_RL[torch.where(labels_X >= 0, labels_X, behind_X)]
