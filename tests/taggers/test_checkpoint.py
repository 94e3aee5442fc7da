"""A model folder comes back as it was, and one that is damaged is refused in one plain line."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from taggers.checkpoint import Model, describe_network, make_labeler, save_model
from taggers.errors import ConfigError
from taggers.manifest import FORMAT_VERSION, read_manifest, write_manifest
from tests.folders import change, change_weights, load, refusal, scores
from tests.tiny import ENCODERS, tiny_corpus, tiny_labeler, tiny_model, write_tiny_bert

HEAD = "tagger.heads.task_upos.weight"
CODES = "tagger.embeddings.parts.vectors.codes"
PIECE_FILES = ["tokenizer.json", "encoder.json", "segmenter-tokenizer.json", "segmenter-encoder.json"]
MATRIX = "tagger.encoder.blocks.0.convolution.weight"


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_model_comes_back_up_to_half_precision(encoder: str, tmp_path: Path) -> None:
    model = tiny_model(encoder, folder=tmp_path / "pretrained")
    save_model(tmp_path / "model", model)
    loaded, again = load(tmp_path / "model"), load(tmp_path / "model")
    assert loaded.manifest == model.manifest
    assert loaded.folder == tmp_path / "model"
    before, after, after_again = scores(model.tagger), scores(loaded.tagger), scores(again.tagger)
    for task in model.tagger.tasks:
        torch.testing.assert_close(after[task], before[task], rtol=0, atol=0.05)
        assert torch.equal(after[task], after_again[task])
    assert loaded.segmenter is not None
    assert model.segmenter is not None
    assert loaded.segmenter.expansions == model.segmenter.expansions
    texts = [list(model.segmenter.find_units(document.text).forms) for document in tiny_corpus()]
    assert loaded.segmenter.units == model.segmenter.units == ("syllables" if encoder == "pretrained" else "characters")
    torch.testing.assert_close(
        scores(loaded.segmenter.labeler, texts), scores(model.segmenter.labeler, texts), rtol=0, atol=0.05
    )


def test_saving_a_loaded_model_changes_no_byte(folder: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "copy", load(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()
    }


def test_weights_are_read_exactly_as_stored(folder: Path) -> None:
    stored = load_file(folder / "model.safetensors")
    model = load(folder)
    assert model.segmenter is not None
    for part, labeler in {"tagger": model.tagger, "segmenter": model.segmenter.labeler}.items():
        assert not labeler.network.training
        for name, tensor in labeler.network.state_dict().items():
            found = stored.pop(f"{part}.{name}")
            assert found.dtype == (torch.half if tensor.is_floating_point() else tensor.dtype)
            assert torch.equal(found.to(tensor.dtype), tensor)
    assert not stored


@pytest.fixture
def in_eight_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with large matrices in 8 bits, of which a tiny model has none unless few numbers count as many."""
    monkeypatch.setattr("taggers.checkpoint._LARGE", 100)
    return saved_in_eight_bits(tmp_path / "model", tiny_model())


def saved_in_eight_bits(folder: Path, model: Model) -> Path:
    save_model(folder, replace(model, manifest=model.manifest.model_copy(update={"storage": "int8"})))
    return folder


def test_a_model_in_eight_bits_comes_back_up_to_a_step(in_eight_bits: Path) -> None:
    stored = load_file(in_eight_bits / "model.safetensors")
    before, after = tiny_model().tagger.network.state_dict(), load(in_eight_bits).tagger.network.state_dict()
    kinds = set()
    for name, tensor in before.items():
        found = stored[f"tagger.{name}"]
        kinds.add(found.dtype)
        if found.dtype == torch.int8 and tensor.is_floating_point():
            assert tensor.numel() >= 100
            bound = tensor.flatten(1).abs().amax(1) / 127 * 0.501
            assert ((after[name] - tensor).flatten(1).abs().amax(1) <= bound).all()
        elif tensor.is_floating_point():
            assert tensor.ndim == 1 or tensor.numel() < 100
            assert torch.equal(after[name], tensor.half().float())
        else:
            assert torch.equal(after[name], tensor)
    assert kinds == {torch.int8, torch.half}


def test_saving_a_model_in_eight_bits_again_changes_no_byte(in_eight_bits: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "copy", load(in_eight_bits))
    assert {path.name: path.read_bytes() for path in in_eight_bits.iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()
    }


def test_eight_bits_halve_a_folder_of_large_matrices(tmp_path: Path) -> None:
    model = tiny_model()
    head = model.tagger.network.heads["task_upos"]
    assert isinstance(head, nn.Linear)
    head.weight = nn.Parameter(torch.randn(64, 1024))
    save_model(tmp_path / "half", model)
    saved_in_eight_bits(tmp_path / "eight", model)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "eight")]
    assert 64 * 1024 < sizes[0] - sizes[1] + 1_000 < 64 * 1024 + 1_000


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda weights: weights.pop(MATRIX), "it has scales of 'encoder.blocks.0.convolution.weight', but lacks"),
        (lambda weights: weights.pop(f"{MATRIX}.row_scales"), "torch.float32 of shape (32, 16, 3), found torch.int8"),
        (
            lambda weights: weights.update({f"{MATRIX}.row_scales": weights[f"{MATRIX}.row_scales"][1:].clone()}),
            "convolution.weight': expected int8 codes (rows, ...) and one scale of floats for each row",
        ),
        (lambda weights: weights.update({MATRIX: weights[MATRIX].float()}), "found torch.float32 of shape (32, 16, 3)"),
        (lambda weights: weights.update({MATRIX: weights[MATRIX][..., :2].clone()}), "found torch.float32 of shape"),
        (lambda weights: weights[f"{MATRIX}.row_scales"].fill_(torch.nan), "holds a number that is not finite"),
        (lambda weights: weights[f"{MATRIX}.row_scales"].fill_(3e38), "holds a number that is not finite"),
        (
            lambda weights: weights.update({f"{CODES}.row_scales": torch.ones(5)}),
            "expected 'embeddings.parts.vectors.codes' to be torch.int8 of shape (5, 5), found torch.float32",
        ),
    ],
)
def test_eight_bits_that_do_not_fit(
    in_eight_bits: Path, edit: Callable[[dict[str, Tensor]], object], problem: str
) -> None:
    found = refusal(change_weights(in_eight_bits, edit))
    assert found.startswith("model.safetensors")
    assert problem in found


def test_a_storage_that_nobody_knows(folder: Path) -> None:
    change(folder, lambda config: config.update(storage="int4"))
    assert refusal(folder).startswith("config.json: storage: ")


def test_a_weight_too_large_for_half_precision_keeps_its_value(tmp_path: Path) -> None:
    model = tiny_model()
    with torch.no_grad():
        model.tagger.network.heads["task_upos"].bias[0] = 1e6
    save_model(tmp_path, model)
    assert load(tmp_path).tagger.network.heads["task_upos"].bias[0] == 1e6


def test_a_model_without_a_segmenter(tmp_path: Path) -> None:
    whole = tiny_model()
    save_model(tmp_path, Model(whole.manifest.model_copy(update={"segmenter": None}), whole.tagger, None))
    assert load(tmp_path).segmenter is None


def test_every_reader_that_may_read_the_folder_may_read_its_files(folder: Path) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    umask = os.umask(0)
    os.umask(umask)
    assert modes == {0o666 & ~umask}


def test_a_manifest_is_read_and_written_alone(folder: Path) -> None:
    manifest = read_manifest(folder)
    changed = manifest.model_copy(update={"scores": {"dev": {"upos": 0.5}}})
    write_manifest(folder, changed)
    assert read_manifest(folder) == changed
    assert manifest.format_version == FORMAT_VERSION
    assert manifest.tagger.tasks["ner"].labels[0] == "O"


def test_describing_a_network() -> None:
    labeler, config = tiny_labeler()
    described = describe_network(labeler, config)
    assert described.network == config
    assert described.vector_width == 5
    assert described.pieces is None
    assert [*described.tasks] == ["upos", "xpos", "feats", "lemma", "ner"]


def test_loading_leaves_the_random_numbers_alone(folder: Path) -> None:
    before = torch.get_rng_state()
    load(folder)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder).startswith(f"{name} cannot be read: ")


@pytest.mark.parametrize("name", PIECE_FILES)
def test_a_missing_file_of_a_pretrained_model(pretrained_folder: Path, name: str) -> None:
    (pretrained_folder / name).unlink()
    assert refusal(pretrained_folder).startswith(f"{name} cannot be read: ")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors", *PIECE_FILES])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[]", b"null", b"1e999", b'"\\ud800"', b"[" * 100_000])
def test_a_file_that_is_something_else(pretrained_folder: Path, name: str, content: bytes) -> None:
    (pretrained_folder / name).write_bytes(content)
    assert name in refusal(pretrained_folder)


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors", *PIECE_FILES])
def test_a_folder_in_a_files_place(pretrained_folder: Path, name: str) -> None:
    (pretrained_folder / name).unlink()
    (pretrained_folder / name).mkdir()
    assert name in refusal(pretrained_folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").startswith("config.json cannot be read: ")


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_truncated_weights(folder: Path, size: int) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:size])
    assert refusal(folder).startswith("model.safetensors cannot be read: ")


@pytest.mark.parametrize("version", [0, 2, "1", None, [1], "x" * 1000])
def test_another_format_version(folder: Path, version: object) -> None:
    problem = refusal(change(folder, lambda config: config.update(format_version=version)))
    assert problem.startswith("format version ")
    assert len(problem) < 400
    change(folder, lambda config: config.pop("format_version"))
    assert refusal(folder) == "format version None, but this release reads version 1"


def test_a_vocabulary_of_another_size(folder: Path) -> None:
    change(folder, lambda vocabulary: vocabulary["tagger"]["words"].pop(), "vocabulary.json")
    assert refusal(folder).startswith(
        "model.safetensors does not fit config.json: expected 'embeddings.parts.words.table.weight' to be torch.float32"
    )


def test_a_vocabulary_without_the_segmenters_part(folder: Path) -> None:
    change(folder, lambda vocabulary: vocabulary.pop("segmenter"), "vocabulary.json")
    assert refusal(folder) == "vocabulary.json lacks the segmenter's part"


def test_an_unknown_key_is_named(folder: Path) -> None:
    change(folder, lambda config: config["tagger"]["network"].update({"wind\now": 3}))
    assert refusal(folder) == "config.json: tagger.network.wind ow: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda weights: weights.pop(HEAD), "it lacks 'heads.task_upos.weight'"),
        (lambda weights: weights.update({"tagger.extra": torch.zeros(1)}), "nothing takes 'extra'"),
        (lambda weights: weights.update({HEAD: weights[HEAD][1:].clone()}), "found torch.float32 of shape (10, 16)"),
        (lambda weights: weights.update({HEAD: weights[HEAD].long()}), "found torch.int64"),
        (lambda weights: weights.update({HEAD: weights[HEAD].bool()}), "found torch.bool"),
        (lambda weights: weights.update({HEAD: weights[HEAD].to(torch.float8_e4m3fn)}), "found torch.float8_e4m3fn"),
        (lambda weights: weights.update({CODES: weights[CODES].half()}), "expected 'embeddings.parts.vectors.codes'"),
        (lambda weights: weights.update({CODES: weights[CODES].to(torch.uint8)}), "found torch.uint8"),
        (lambda weights: weights[HEAD].fill_(torch.nan), "'heads.task_upos.weight' holds a number that is not finite"),
        (lambda weights: weights[HEAD].fill_(torch.inf), "'heads.task_upos.weight' holds a number that is not finite"),
    ],
)
def test_weights_that_do_not_fit(folder: Path, edit: Callable[[dict[str, Tensor]], object], problem: str) -> None:
    assert problem in refusal(change_weights(folder, edit))


def test_a_tokenizer_that_would_cut_or_pad_words_does_not(pretrained_folder: Path) -> None:
    def edit(tokenizer: Any) -> None:
        tokenizer["truncation"] = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
        tokenizer["padding"] = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None}
        tokenizer["padding"] |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}

    plain = load(pretrained_folder).tagger.featurizer.form_ids("unheard").pieces
    assert len(plain) == 7
    assert load(change(pretrained_folder, edit, "tokenizer.json")).tagger.featurizer.form_ids("unheard").pieces == plain


@pytest.mark.parametrize("pieces", [{"prefix": [-1]}, {"suffix": [65]}, {"padding": 10**6}, {"prefix": [2] * 40}])
def test_special_pieces_that_the_encoder_lacks(pretrained_folder: Path, pieces: dict[str, object]) -> None:
    problem = refusal(change(pretrained_folder, lambda config: config["tagger"]["pieces"].update(pieces)))
    assert "expected pieces from 0 to 64" in problem or "max_pieces must be at least 73" in problem


def test_a_tokenizer_of_more_pieces_than_the_encoder(pretrained_folder: Path) -> None:
    change(pretrained_folder, lambda tokenizer: tokenizer["model"]["vocab"].update(zebra=65), "tokenizer.json")
    assert refusal(pretrained_folder) == "tokenizer.json: expected pieces from 0 to 64, found 0 to 65"


@pytest.mark.parametrize(
    "damage",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}},
        {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
        {
            "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "x"},
            "added_tokens": [],
            "post_processor": None,
        },
    ],
)
def test_a_tokenizer_that_panics_or_knows_no_other_word(pretrained_folder: Path, damage: dict[str, object]) -> None:
    change(pretrained_folder, lambda tokenizer: tokenizer.update(damage), "tokenizer.json")
    assert "cannot be" in refusal(pretrained_folder)


@pytest.mark.parametrize(
    ("architecture", "problem"),
    [
        ({"model_type": "albert", "num_hidden_groups": 10**9}, "expected a network of at most"),
        ({"model_type": "mobilebert", "num_feedforward_networks": 10**9}, "expected a network of at most"),
    ],
)
def test_an_architecture_of_more_modules_than_its_weights_can_be_for(
    pretrained_folder: Path, architecture: dict[str, object], problem: str
) -> None:
    change(pretrained_folder, lambda encoder: encoder.update(architecture, num_hidden_layers=1), "encoder.json")
    assert problem in refusal(pretrained_folder)


@pytest.mark.parametrize(
    ("max_pieces", "problem"),
    [
        (257, "max_pieces is 257, but the encoder has 256 positions"),
        (33, "must be at least 34 to hold any word; found 33"),
    ],
)
def test_pieces_that_the_encoder_cannot_read_at_once(tmp_path: Path, max_pieces: int, problem: str) -> None:
    labeler, config = tiny_labeler("pretrained", folder=write_tiny_bert(tmp_path))
    encoder = config.encoder.model_copy(update={"max_pieces": max_pieces})
    with pytest.raises(ConfigError, match=problem):
        make_labeler(labeler.network, labeler.featurizer, labeler.tasks, config.model_copy(update={"encoder": encoder}))
