"""On a GPU answers are those of a CPU, 16 bits are chosen, and a batch that does not fit is split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from litestar.testing import TestClient

from service.app import create_app
from service.batcher import _label_or_split
from service.settings import Settings
from taggers.labeler import Chunk, Labels, Run
from taggers.pipeline import load
from taggers.precision import choose_precision
from tests.service.clients import wait_until_ready
from tests.taggers.test_precision import sure_model
from tests.tiny import tiny_folder, tiny_model

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")]

TEXT = "Ada doesn't like Paris!\n\ncats were sleeping."
SENTENCES = [["Ada", "does", "n't", "like", "Paris", "!"], ["cats", "were", "sleeping", "."], ["a"] * 40]
TF32 = 5e-3
"""So far apart probabilities may be where convolutions and products are computed in TensorFloat-32."""


@pytest.mark.parametrize("kind", ["cnn", "bilstm", "transformer", "pretrained"])
def test_probabilities_are_those_of_a_cpu(kind: str, tmp_path: Path) -> None:
    labeler = tiny_model(kind, folder=tmp_path).tagger
    chunks = [chunk for sentence in SENTENCES for chunk in labeler.chunks(sentence)]
    before = labeler.label(chunks)
    labeler.network.to("cuda")
    for here, there in zip(before, labeler.label(chunks), strict=True):
        for task, (_, probabilities) in here.items():
            np.testing.assert_allclose(there[task][1], probabilities, atol=TF32)


def test_a_batch_arrives_as_it_was() -> None:
    labeler = tiny_model().tagger
    batch = labeler.featurizer.batch(SENTENCES)
    there = batch.to(torch.device("cuda"))
    torch.cuda.synchronize()
    assert there.form_BT.is_cuda
    assert not there.lengths_B.is_cuda
    torch.testing.assert_close(there.form_BT.cpu(), batch.form_BT)
    torch.testing.assert_close(there.forms.characters_FC.cpu(), batch.forms.characters_FC)


@pytest.mark.parametrize("kind", ["cnn", "transformer", "pretrained"])
def test_it_computes_in_16_bits_as_long_as_that_does_no_harm(kind: str, tmp_path: Path) -> None:
    model = sure_model(kind, tmp_path)
    assert model.segmenter is not None
    for labeler in (model.tagger, model.segmenter.labeler):
        labeler.network.to("cuda")
    assert choose_precision(model) in ("bf16", "fp16")


def test_a_batch_that_does_not_fit_is_split() -> None:
    labeler = tiny_model().tagger
    (chunk,) = labeler.chunks(["Ada"])
    sizes: list[int] = []

    def prepare(chunks: Sequence[Chunk]) -> Run:
        def run() -> list[Labels]:
            if len(chunks) > 1:
                torch.empty(1 << 50, dtype=torch.uint8, device="cuda")
            return [{} for _ in chunks]

        return run

    assert _label_or_split(prepare, [chunk] * 4, None, sizes.append) == [{}] * 4
    assert sizes == [4, 2, 2]


def test_a_service_on_it_answers(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    settings = Settings(models=(str(folder),), device="cuda", precision="fp32", jobs="off")
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        answer = client.post("/v1/tag", json={"text": TEXT})
    assert answer.status_code == 200
    (document,) = answer.json()["documents"]
    words = [token["text"] for sentence in document["sentences"] for token in sentence["tokens"]]
    assert words == [word for sentence in load(folder, device="cpu")(TEXT) for word in sentence.words]
