"""Thirty steps over four sentences: the loss falls, and the same steps again give the same bits."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.tiny import tiny_corpus, tiny_labeler
from training.config import TrainingConfig
from training.data import make_examples
from training.loop import Training

STEPS = 30


pytestmark = pytest.mark.usefixtures("one_thread")


def trace(folder: Path, encoder: str, decoder: str) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """Each step's losses, one batch an epoch, and the weights at the end."""
    labeler, _ = tiny_labeler(encoder, decoder=decoder, folder=folder / "bert")
    examples = make_examples((sentence for document in tiny_corpus() for sentence in document), labeler.tasks)
    config = TrainingConfig(max_batch_tokens=1000, epochs=STEPS, patience=STEPS, learning_rate=2e-2, average=0.9)
    Training(
        labeler.network,
        labeler.featurizer,
        examples=lambda _epoch: examples,
        judge=lambda _network: {"score": 0.0},
        weights=dict.fromkeys(labeler.tasks, 1.0),
        config=config,
        folder=folder,
        device=torch.device("cpu"),
    ).run(resume=False)
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = torch.load(folder / "last.pt", weights_only=True)["current"]
    return [json.loads(line)["loss"] for line in lines], last


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [("cnn", "softmax"), ("cnn", "crf"), ("bilstm", "crf"), ("transformer", "crf"), ("pretrained", "softmax")],
)
def test_the_loss_falls_and_the_same_steps_give_the_same_bits(tmp_path: Path, encoder: str, decoder: str) -> None:
    losses, weights = trace(tmp_path / "one", encoder, decoder)
    assert len(losses) == STEPS
    for task in losses[0]:
        early, late = (sum(step[task] for step in part) / 5 for part in (losses[:5], losses[-5:]))
        assert late < 0.7 * early, task
    again, same_weights = trace(tmp_path / "two", encoder, decoder)
    assert again == losses
    assert all(torch.equal(weights[name], same_weights[name]) for name in weights)
