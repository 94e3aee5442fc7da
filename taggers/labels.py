"""LabelSet: an ordered, frozen mapping between label strings and ids; and ids for what is not known, or not wholly.

What a task learns from a token is one int: ``0`` and above is the label of that id; ``MISSING`` says nothing, any label
may be right; below it ``label_set_id(0)``, ``label_set_id(1)`` and so on say that one of several labels is right: the
task's ``label_sets`` hold which.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

MISSING = -100
"""The id of a label that is not annotated: it costs nothing. Every other id from here to -1 is read alike."""


def label_set_id(index: int) -> int:
    """The id that says that one label of the task's set number ``index`` is right, whichever."""
    return MISSING - 1 - index


class LabelSet:
    """The labels of one task, in a fixed order: id ``i`` is the ``i``-th label.

    Args:
        labels: Distinct strings, in id order.

    Raises:
        ValueError: A label occurs twice, or there is none.
    """

    __slots__ = ("_ids", "_labels")

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = tuple(labels)
        self._ids = {label: index for index, label in enumerate(self._labels)}
        if not self._labels:
            raise ValueError("a label set needs at least one label")
        if len(self._ids) != len(self._labels):
            twice = next(label for label, count in Counter(self._labels).items() if count > 1)
            raise ValueError(f"label {twice!r} occurs twice")

    @classmethod
    def from_counts(cls, counts: Counter[str], *, min_count: int = 1) -> Self:
        """The labels seen at least ``min_count`` times, most frequent first, ties in string order."""
        kept = [label for label, count in counts.items() if count >= min_count]
        return cls(sorted(kept, key=lambda label: (-counts[label], label)))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in id order."""
        return self._labels

    def id(self, label: str) -> int | None:
        """The id of ``label``, or None if it is not in the set."""
        return self._ids.get(label)

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Ids to labels.

        Raises:
            IndexError: An id is outside the set.
        """
        labels = self._labels
        return [labels[index] for index in ids]

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __contains__(self, label: object) -> bool:
        return label in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelSet) and self._labels == other._labels

    def __hash__(self) -> int:
        return hash(self._labels)

    def __repr__(self) -> str:
        return f"LabelSet({list(self._labels)!r})"
