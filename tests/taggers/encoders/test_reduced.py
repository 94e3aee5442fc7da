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
def test_neighbors_change_no_label(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    labeler.network.encoder = ReducedEncoder(labeler.network.encoder, torch.bfloat16)
    chunks = [chunk for words in SENTENCES * 3 for chunk in labeler.chunks(words)]
    for chunk, together in zip(chunks, labeler.label(chunks), strict=True):
        (alone,) = labeler.label([chunk])
        for task, (labels, probabilities) in together.items():
            assert (labels == alone[task][0]).all()
            assert probabilities == pytest.approx(alone[task][1], abs=0.01)
