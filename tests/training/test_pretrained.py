"""Pretrained encoders: from a folder or a package, with a tokenizer that gives every word its own pieces."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertModel, PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from taggers.errors import ConfigError
from taggers.features import PieceTokenizer
from tests.tiny import write_tiny_bert
from training.pretrained import load_pretrained, word_tokenizer

WORDS = ["Ada", "London", "engine", "x", "don't", "字", "London."]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("models") / "bert")


def byte_level(*, prefix_space: bool) -> Tokenizer:
    """A byte-level BPE in the manner of RoBERTa, which truncates and pads."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Ada went to London with the engine"] * 20, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=prefix_space)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=16)
    return tokenizer


def write_roberta(folder: Path, tokenizer: Tokenizer) -> Path:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    RobertaModel(RobertaConfig(vocab_size=400, max_position_embeddings=64, **sizes)).save_pretrained(folder)
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return folder


def spelled(tokenizer: PieceTokenizer, word: str) -> list[str]:
    return [tokenizer.tokenizer.id_to_token(piece) for piece in tokenizer.pieces(word)]


def test_a_folder_gives_its_model_and_its_tokenizer(bert: Path) -> None:
    model, tokenizer = load_pretrained(str(bert))
    assert isinstance(model, BertModel)
    assert spelled(tokenizer, "London") == ["london"]
    assert spelled(tokenizer, "lon") == ["l", "##o", "##n"]
    assert [tokenizer.tokenizer.id_to_token(i) for i in tokenizer.prefix + tokenizer.suffix] == ["[CLS]", "[SEP]"]
    assert tokenizer.padding == 0


def test_a_pooler_is_left_behind(bert: Path) -> None:
    """It is trained on nothing here, and no word's answer depends on it."""
    assert BertModel.from_pretrained(bert).pooler is not None
    model, _ = load_pretrained(str(bert))
    assert not [name for name in model.state_dict() if "pooler" in name]


def test_half_precision_on_disk_is_trained_in_full(bert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bert, tmp_path / "half")
    BertModel.from_pretrained(bert).half().save_pretrained(folder)
    model, _ = load_pretrained(str(folder))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_an_installed_package_gives_its_folder(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package_with_model").mkdir()
    (tmp_path / "package_with_model" / "__init__.py").write_text("")
    shutil.copytree(bert, tmp_path / "package_with_model" / "weights" / "small")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    model, _ = load_pretrained("package:package_with_model/weights/small")
    assert isinstance(model, BertModel)
    assert "package_with_model" not in sys.modules  # found, not run
    with pytest.raises(ConfigError, match="the package 'package_with_model' has no folder 'other'"):
        load_pretrained("package:package_with_model/other")


@pytest.mark.parametrize("source", ["package:no_such/x", "package:no_such.inner/x", "package:/x", "package:sys/x"])
def test_a_package_that_is_not_installed_is_told(source: str) -> None:
    with pytest.raises(ConfigError, match="is not installed"):
        load_pretrained(source)


def test_what_cannot_be_loaded_is_told_in_one_line(tmp_path: Path) -> None:
    for source in ("/no/such/folder", str(tmp_path)):
        with pytest.raises(ConfigError, match="cannot be loaded: ") as caught:
            load_pretrained(source)
        assert source in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_without_tokenizer_files_is_refused(bert: Path, tmp_path: Path) -> None:
    """What ``transformers`` makes of it knows no piece but the special ones: every word would be unknown."""
    folder = shutil.copytree(bert, tmp_path / "bare", ignore=shutil.ignore_patterns("*token*", "vocab*"))
    with pytest.raises(ConfigError, match="comes without its tokenizer's files"):
        load_pretrained(str(folder))


@pytest.mark.parametrize("prefix_space", [True, False])
def test_byte_level_pieces_begin_with_the_space_of_a_word(tmp_path: Path, *, prefix_space: bool) -> None:
    _, tokenizer = load_pretrained(str(write_roberta(tmp_path / "roberta", byte_level(prefix_space=prefix_space))))
    assert spelled(tokenizer, "London") == ["ĠLondon"]
    assert (tokenizer.prefix, tokenizer.suffix) == ((0,), (2,))
    assert tokenizer.padding == 1
    for word in WORDS:
        assert spelled(tokenizer, word)[0].startswith("Ġ")


@pytest.mark.parametrize("prefix_space", [True, False])
def test_nothing_is_truncated_or_padded(*, prefix_space: bool) -> None:
    tokenizer = word_tokenizer(byte_level(prefix_space=prefix_space), padding=1)
    assert tokenizer.tokenizer.truncation is None
    assert tokenizer.tokenizer.padding is None
    assert len(tokenizer.pieces("qqqqqqqqqq")) > 4
    assert len(tokenizer.pieces("London")) == 1


def test_the_tokenizer_survives_being_saved() -> None:
    """A model folder keeps it as JSON: the space before words and what was switched off must be in there."""
    before = word_tokenizer(byte_level(prefix_space=False), padding=1)
    after = PieceTokenizer(Tokenizer.from_str(before.tokenizer.to_str()), before.prefix, before.suffix, 1)
    assert [before.pieces(word) for word in WORDS] == [after.pieces(word) for word in WORDS]


def test_pieces_do_not_hang_on_neighbors(bert: Path) -> None:
    _, tokenizer = load_pretrained(str(bert))
    together = tokenizer.tokenizer.encode(WORDS, is_pretokenized=True, add_special_tokens=False).ids
    assert together == [piece for word in WORDS for piece in tokenizer.pieces(word)]
