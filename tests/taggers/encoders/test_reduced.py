"""An encoder in 16 bits answers in float32, near its own answers, and a sentence alone as in a batch."""

from pathlib import Path

import pytest
import torch
from torch import nn

from taggers.encoders.reduced import ReducedEncoder
from tests.folders import SENTENCES
from tests.tiny import tiny_labeler

pytestmark = pytest.mark.usefixtures("one_thread")

REDUCED = ("cnn", "transformer", "pretrained")


@pytest.mark.parametrize("kind", REDUCED)
@torch.inference_mode()
def test_it_stays_near_the_encoder_whose_weights_it_copies(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    network, batch = labeler.network, labeler.featurizer.batch(SENTENCES)
    before = network(batch)
    full = network.encoder
    network.encoder = ReducedEncoder(full, torch.bfloat16)
    assert network.encoder.width == full.width
    after = network(batch)
    for task, scores in before.items():
        assert after[task].dtype == torch.float32
        largest = scores.abs().amax()
        assert 0 < (after[task] - scores).abs().amax() < 0.05 * largest
    assert {module.weight.dtype for module in full.modules() if isinstance(module, nn.Linear)} <= {torch.float32}


@pytest.mark.parametrize("kind", REDUCED)
@torch.inference_mode()
def test_neighbors_change_no_score(kind: str, tmp_path: Path) -> None:
    """By more than rounding; the labels of random weights are toss-ups, which rounding decides."""
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    network = labeler.network
    network.encoder = ReducedEncoder(network.encoder, torch.bfloat16)
    together = network(labeler.featurizer.batch(SENTENCES))
    for row, words in enumerate(SENTENCES):
        for task, scores in network(labeler.featurizer.batch([words])).items():
            difference = (together[task][row, : len(words)] - scores[0]).abs().amax()
            assert difference < 0.05 * scores.abs().amax()
