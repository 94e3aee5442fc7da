"""The CRF against every possible label sequence: at most 4 labels and 4 tokens, in float64."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, product

import pytest
import torch
from torch import Tensor

from taggers.decoders import CRFDecoder
from taggers.decoders.viterbi import FORBIDDEN
from taggers.labels import MISSING, label_set_id
from taggers.spans import Transitions
from tests.taggers.decoders.cases import mask_of, random_scores, random_transitions, randomize

LENGTHS = [4, 1, 3, 0, 2]
MASK_BT = mask_of(LENGTHS)

pytestmark = [
    pytest.mark.parametrize("num_labels", [1, 2, 3, 4]),
    pytest.mark.parametrize("seed", range(3)),
    pytest.mark.parametrize("constrained", [False, True], ids=["free", "constrained"]),
]


def make(
    num_labels: int, seed: int, constrained: bool, label_sets: Sequence[Sequence[int]] = ()
) -> tuple[CRFDecoder, Transitions | None, Tensor]:
    transitions = random_transitions(num_labels, seed=seed) if constrained else None
    decoder = CRFDecoder(num_labels, transitions=transitions, label_sets=label_sets).double()
    randomize(decoder, seed=seed + 1)
    return decoder, transitions, random_scores(MASK_BT, num_labels, seed=seed + 2, padding=1e30)


def paths(
    decoder: CRFDecoder, transitions: Transitions | None, scores_TL: Sequence[Sequence[float]]
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every legal label sequence of one sentence and its score."""
    start, step, end = decoder.start_L.tolist(), decoder.step_LL.tolist(), decoder.end_L.tolist()
    for path in product(range(decoder.num_labels), repeat=len(scores_TL)):
        pairs = list(pairwise(path))
        if transitions is not None and path:
            legal = transitions.start[path[0]] and transitions.end[path[-1]]
            if not (legal and all(transitions.step[a][b] for a, b in pairs)):
                continue
        total = sum(scores_TL[t][label] for t, label in enumerate(path)) + sum(step[a][b] for a, b in pairs)
        yield path, total + (start[path[0]] + end[path[-1]] if path else 0.0)


def log_sum(scores: Sequence[float]) -> float:
    return math.log(math.fsum(math.exp(score) for score in scores))


def sentences(scores_BTL: Tensor) -> list[list[list[float]]]:
    return [scores_TL[:length].tolist() for scores_TL, length in zip(scores_BTL, LENGTHS, strict=True)]


def close(actual: Tensor, expected: object) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype), rtol=1e-12, atol=1e-12)


def test_log_partition(num_labels: int, seed: int, constrained: bool) -> None:
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained)
    expected_B = [log_sum([s for _, s in paths(decoder, transitions, row)]) for row in sentences(scores_BTL)]
    close(decoder.log_partition(scores_BTL, MASK_BT), expected_B)


def test_sequence_score(num_labels: int, seed: int, constrained: bool) -> None:
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained)
    for index, row in enumerate(sentences(scores_BTL)):
        mask_1T = MASK_BT[index : index + 1]
        legal = dict(paths(decoder, transitions, row))
        for path in product(range(num_labels), repeat=len(row)):
            labels_1T = torch.tensor([[*path, *[-7] * (4 - len(path))]])
            score_1 = decoder.sequence_score(scores_BTL[index : index + 1], labels_1T, mask_1T)
            if path in legal:
                close(score_1, [legal[path]])
            else:
                assert score_1 < FORBIDDEN / 2


def test_viterbi(num_labels: int, seed: int, constrained: bool) -> None:
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained)
    labels_BT, _ = decoder.decode(scores_BTL, MASK_BT)
    for index, row in enumerate(sentences(scores_BTL)):
        best, _ = max(paths(decoder, transitions, row), key=lambda item: item[1])
        assert labels_BT[index].tolist() == [*best, *[0] * (4 - len(best))]


def test_marginals(num_labels: int, seed: int, constrained: bool) -> None:
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained)
    expected_BTL = torch.zeros_like(scores_BTL)
    for index, row in enumerate(sentences(scores_BTL)):
        all_paths = list(paths(decoder, transitions, row))
        total = log_sum([score for _, score in all_paths])
        for path, score in all_paths:
            for t, label in enumerate(path):
                expected_BTL[index, t, label] += math.exp(score - total)
    marginals_BTL = decoder.marginals(scores_BTL, MASK_BT)
    close(marginals_BTL, expected_BTL)
    assert ((marginals_BTL == 0) == (expected_BTL == 0)).all(), "what is forbidden has no probability at all"
    labels_BT, probability_BT = decoder.decode(scores_BTL, MASK_BT)
    close(probability_BT, expected_BTL.gather(2, labels_BT[..., None]).squeeze(2))


@pytest.mark.parametrize("unknown", [0.3, 0.7, 1.0])
def test_loss_with_sets_of_labels(num_labels: int, seed: int, constrained: bool, unknown: float) -> None:
    """Rows of known labels, of missing ones and of every possible set, in one batch."""
    label_sets = [ids for n in range(1, num_labels + 1) for ids in combinations(range(num_labels), n)]
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained, label_sets)
    order = random.Random(f"{seed} {num_labels} {unknown}")
    labels_BT = torch.full(MASK_BT.shape, -(10**6))
    expected, num_annotated = 0.0, 0
    for index, row in enumerate(sentences(scores_BTL)):
        all_paths = list(paths(decoder, transitions, row))
        allowed, ids = [], []
        for label in order.choice(all_paths)[0]:
            holding = [number for number, one in enumerate(label_sets) if label in one]
            chosen = order.choice([label_set_id(order.choice(holding)), MISSING]) if order.random() < unknown else label
            ids.append(chosen)
            everything = tuple(range(num_labels))
            allowed.append((label,) if chosen >= 0 else everything if chosen == MISSING else label_sets[-101 - chosen])
        labels_BT[index, : len(row)] = torch.tensor(ids, dtype=torch.int64)
        if set(ids) - {MISSING}:
            agreeing = [s for path, s in all_paths if all(a in b for a, b in zip(path, allowed, strict=True))]
            expected += log_sum([s for _, s in all_paths]) - log_sum(agreeing)
        num_annotated += len(row) - ids.count(MISSING)
    close(decoder.loss(scores_BTL, labels_BT, MASK_BT), expected / max(num_annotated, 1))


@pytest.mark.parametrize("missing", [0.0, 0.4, 0.8, 1.0])
def test_loss_with_missing_labels(num_labels: int, seed: int, constrained: bool, missing: float) -> None:
    decoder, transitions, scores_BTL = make(num_labels, seed, constrained)
    generator = torch.Generator().manual_seed(seed)
    labels_BT = torch.full(MASK_BT.shape, 99)
    expected, num_labelled = 0.0, 0
    for index, row in enumerate(sentences(scores_BTL)):
        all_paths = list(paths(decoder, transitions, row))
        gold = all_paths[int(torch.randint(len(all_paths), (), generator=generator))][0]
        known = [label if float(torch.rand((), generator=generator)) >= missing else MISSING for label in gold]
        labels_BT[index, : len(row)] = torch.tensor(known, dtype=torch.int64)
        agreeing = [s for path, s in all_paths if all(k in (MISSING, p) for k, p in zip(known, path, strict=True))]
        expected += log_sum([s for _, s in all_paths]) - log_sum(agreeing)
        num_labelled += len(row) - known.count(MISSING)
    close(decoder.loss(scores_BTL, labels_BT, MASK_BT), expected / max(num_labelled, 1))


def test_gradient_of_log_partition(num_labels: int, seed: int, constrained: bool) -> None:
    decoder, _, scores_BTL = make(num_labels, seed, constrained)
    scores_BTL = scores_BTL.masked_fill(~MASK_BT[..., None], 5.0).requires_grad_()  # 1e30 leaves no room for a step

    def log_partition(scores_BTL: Tensor, *_: Tensor) -> Tensor:
        return decoder.log_partition(scores_BTL, MASK_BT)  # gradcheck changes the parameters in place

    assert torch.autograd.gradcheck(log_partition, (scores_BTL, *decoder.parameters()))
