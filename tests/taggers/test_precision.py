"""16 bits where the device is made for them, and only as long as the answers stay what they are."""

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from taggers.batch import TokenBatch
from taggers.checkpoint import Model
from taggers.encoders.reduced import ReducedEncoder
from taggers.errors import ModelError
from taggers.pipeline import Tagger, load
from taggers.precision import choose_precision, find_precision
from tests.folders import CPU
from tests.tiny import tiny_folder, tiny_model

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "Ada doesn't like Paris!\n\ncats were sleeping."


@pytest.fixture(autouse=True)
def made_for_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that says that it has the instructions: others compute the same, slowly."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


def sure_model(kind: str = "cnn", folder: Path | None = None) -> Model:
    """A model whose labels are no toss-up, as those of random weights are."""
    model = tiny_model(kind, folder=folder)
    assert model.segmenter is not None
    for labeler in (model.tagger, model.segmenter.labeler):
        for head in labeler.network.heads.values():
            assert isinstance(head, nn.Linear)
            nn.init.zeros_(head.weight)
            head.bias.data = torch.linspace(0, 9, len(head.bias))
    return model


@pytest.mark.parametrize("kind", ["cnn", "transformer", "pretrained"])
def test_a_harmless_reduction_is_made_and_told(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tagline")
    model = sure_model(kind, tmp_path)
    before = Tagger(model)(TEXT)
    assert choose_precision(model) == "bf16"
    assert model.segmenter is not None
    for labeler in (model.tagger, model.segmenter.labeler):
        assert isinstance(labeler.network.encoder, ReducedEncoder)
    assert [record.getMessage() for record in caplog.records if record.name == "tagline"] == [
        "tiny: the segmenter computes in bf16",
        "tiny: the tagger computes in bf16",
    ]
    after = Tagger(model)(TEXT)
    assert [sentence.tags for sentence in after] == [sentence.tags for sentence in before]


def test_nothing_is_done_where_fp32_is_wanted() -> None:
    model = tiny_model()
    assert choose_precision(model, "fp32") == "fp32"
    assert not isinstance(model.tagger.network.encoder, ReducedEncoder)


def test_a_bilstm_stays_as_it_is() -> None:
    model = sure_model("bilstm")
    assert choose_precision(model) == "fp32"
    assert not isinstance(model.tagger.network.encoder, ReducedEncoder)


class _Broken(ReducedEncoder):
    """A kernel that is wrong."""

    def forward(self, x_BTD: Tensor | None, batch: TokenBatch) -> Tensor:
        return super().forward(x_BTD, batch).flip(-1) * self.factor

    factor = -1.0


class _Infinite(_Broken):
    """Numbers that 16 bits cannot hold."""

    factor = torch.inf


class _Missing(ReducedEncoder):
    """A kernel that torch lacks."""

    def forward(self, x_BTD: Tensor | None, batch: TokenBatch) -> Tensor:
        del x_BTD, batch
        raise RuntimeError('"linear"\nnot implemented for BFloat16')


@pytest.mark.parametrize(
    ("reduced", "problem"),
    [
        (_Broken, "of a sample's labels are others"),
        (_Infinite, "of a sample's labels are others"),
        (_Missing, '"linear" not implemented for BFloat16'),
    ],
)
def test_what_changes_the_answers_is_taken_back(
    reduced: type[ReducedEncoder], problem: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = tiny_model()
    before = Tagger(model)(TEXT)
    monkeypatch.setattr("taggers.precision.ReducedEncoder", reduced)
    assert choose_precision(model) == "fp32"
    lines = [record.getMessage() for record in caplog.records if record.name == "tagline"]
    assert [line.split(", for bf16 does not give the same answers: ")[0] for line in lines] == [
        "tiny: the segmenter stays in fp32",
        "tiny: the tagger stays in fp32",
    ]
    assert all(problem in line and "\n" not in line for line in lines)
    after = Tagger(model)(TEXT)
    assert [sentence.tags for sentence in after] == [sentence.tags for sentence in before]


def test_a_cpu_without_the_instructions_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert find_precision("auto", CPU) == "fp32"
    for wanted in ("bf16", "fp16"):
        with pytest.raises(ModelError, match=f"precision {wanted}: this CPU has no instructions for it"):
            find_precision(wanted, CPU)  # type: ignore[arg-type]
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert find_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize(
    ("has_bf16", "wanted", "used"),
    [(True, "auto", "bf16"), (True, "fp16", "fp16"), (False, "auto", "fp16"), (False, "fp32", "fp32")],
)
def test_a_gpu_computes_in_what_it_has(has_bf16: bool, wanted: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: has_bf16)
    assert find_precision(wanted, torch.device("cuda")) == used  # type: ignore[arg-type]


def test_a_gpu_without_bf16_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    with pytest.raises(ModelError, match="precision bf16: this GPU"):
        find_precision("bf16", torch.device("cuda"))


def test_loading_says_what_it_chose(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "model", "bilstm")
    assert load(folder, device="cpu").precision == "fp32"
    assert Tagger(sure_model(), precision="bf16").precision == "bf16"
