"""A smaller vocabulary: what was counted is cut as before, and every piece keeps its vector."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertModel

from taggers.errors import ConfigError
from taggers.features import PieceTokenizer, as_seen
from tests.tiny import write_tiny_bert
from training.pretrained import load_pretrained, word_tokenizer
from training.pruning import keep_layers, prune_pieces, read_texts, without_space_mark

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
words = st.text(alphabet="abcdeé\u4e00 ~\u200d", min_size=1, max_size=9)


def unigram(seed: int = 0) -> PieceTokenizer:
    """All strings of up to three letters of "abcde" and some others, with random scores."""
    random = torch.Generator().manual_seed(seed)
    letters = "abcde"
    texts = [*letters, *(a + b for a in letters for b in letters), *(a + "b" + c for a in letters for c in letters)]
    pieces = ["\u2581", *texts, *("\u2581" + text for text in texts), "é", "\u4e00"]
    scores = (-1 - 12 * torch.rand(len(pieces), generator=random)).tolist()
    vocabulary = [(piece, 0.0) for piece in SPECIAL] + list(zip(pieces, scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(Regex("~+"), "")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return word_tokenizer(tokenizer, padding=1)


def small_bert(pieces: int) -> nn.Module:
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 4}
    return BertModel(BertConfig(vocab_size=pieces, pad_token_id=1, **sizes), add_pooling_layer=False)


def spelled(tokenizer: PieceTokenizer, form: str) -> list[str]:
    return [tokenizer.tokenizer.id_to_token(piece) for piece in tokenizer.pieces(as_seen(form))]


def vectors(model: nn.Module, tokenizer: PieceTokenizer) -> dict[str, list[float]]:
    table = model.get_input_embeddings().weight.tolist()  # type: ignore[operator]
    return {piece: table[index] for piece, index in tokenizer.tokenizer.get_vocab().items()}


@settings(max_examples=100)
@given(st.lists(words, max_size=8), st.integers(0, 3))
def test_counted_forms_are_cut_as_before_and_pieces_keep_their_vectors(forms: list[str], seed: int) -> None:
    whole = unigram(seed)
    model = small_bert(whole.tokenizer.get_vocab_size())
    before = vectors(model, whole)
    pruned = prune_pieces(model, whole, Counter(forms))
    for form in forms:
        assert spelled(pruned, form) == spelled(whole, form)
    after = vectors(model, pruned)
    assert after == {piece: before[piece] for piece in after}
    assert sorted(pruned.tokenizer.get_vocab().values()) == list(range(len(after)))
    assert model.config.vocab_size == len(after)
    assert {*SPECIAL, "a", "\u2581e"} <= after.keys()
    assert [pruned.tokenizer.id_to_token(i) for i in (*pruned.prefix, *pruned.suffix, pruned.padding)] == [
        "<s>",
        "</s>",
        "<pad>",
    ]


def test_pieces_that_no_form_needs_are_dropped() -> None:
    whole = unigram()
    model = small_bert(whole.tokenizer.get_vocab_size())
    pruned = prune_pieces(model, whole, {"abc": 3, "e\u4e00": 1}, min_count=2)
    kept = pruned.tokenizer.get_vocab().keys()
    assert set(spelled(whole, "abc")) <= kept
    assert "\u4e00" in kept  # a single character, however rare
    assert "é" not in kept
    assert len(kept) < 30 < whole.tokenizer.get_vocab_size()
    assert pruned.tokenizer.token_to_id("<unk>") in pruned.pieces("é")


def test_what_was_not_counted_falls_back_to_single_characters() -> None:
    whole = unigram()
    pruned = prune_pieces(small_bert(whole.tokenizer.get_vocab_size()), whole, {})
    assert all(len(piece.removeprefix("\u2581")) <= 1 for piece in spelled(pruned, "abcde"))


def test_the_characters_of_a_charset_are_kept() -> None:
    whole = unigram()
    for charset, expected in ((None, set()), ("latin_1", {"é"}), ("euc_jp", {"é", "\u4e00"})):
        model = small_bert(whole.tokenizer.get_vocab_size())
        kept = prune_pieces(model, whole, {}, charset=charset).tokenizer.get_vocab().keys()
        assert {"é", "\u4e00"} & kept == expected


def test_a_wordpiece_vocabulary_is_pruned_alike(tmp_path: Path) -> None:
    model, whole = load_pretrained(str(write_tiny_bert(tmp_path / "bert")))
    before = vectors(model, whole)
    forms = ["London", "Ada", "ab!"]
    pruned = prune_pieces(model, whole, Counter(forms))
    assert [spelled(pruned, form) for form in forms] == [spelled(whole, form) for form in forms]
    after = vectors(model, pruned)
    assert after == {piece: before[piece] for piece in after}
    assert "ada" in after
    assert "ada" not in prune_pieces(model, pruned, {"London": 1}).tokenizer.get_vocab()
    assert spelled(pruned, "字") == ["[UNK]"]


def test_a_pruned_encoder_computes_what_the_whole_one_did() -> None:
    whole = unigram()
    model = small_bert(whole.tokenizer.get_vocab_size()).eval()
    ids = torch.tensor([[*whole.prefix, *whole.pieces("abcab"), *whole.suffix]])
    before = model(ids)[0]
    pruned = prune_pieces(model, whole, {"abcab": 1})
    ids = torch.tensor([[*pruned.prefix, *pruned.pieces("abcab"), *pruned.suffix]])
    assert torch.equal(model(ids)[0], before)


def test_the_first_layers_are_kept(tmp_path: Path) -> None:
    model, _ = load_pretrained(str(write_tiny_bert(tmp_path / "bert")))
    ids = torch.tensor([[2, 7, 9, 3]])
    middle = model.eval()(ids, output_hidden_states=True).hidden_states[1]
    for count in (3, 0x10000):
        with pytest.raises(ConfigError, match=f"cannot keep {count} of the encoder's 2 layers"):
            keep_layers(model, count)
    keep_layers(model, 1)
    assert torch.equal(model(ids)[0], middle)
    assert model.config.num_hidden_layers == 1


def test_words_without_the_mark_of_a_space() -> None:
    marked = unigram()
    bare = without_space_mark(marked)
    assert spelled(marked, "\u4e00") == ["\u2581", "\u4e00"]
    assert spelled(bare, "\u4e00") == ["\u4e00"]
    assert (bare.prefix, bare.suffix, bare.padding) == (marked.prefix, marked.suffix, marked.padding)


def test_a_tokenizer_without_marks_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    model, tokenizer = load_pretrained(str(write_tiny_bert(tmp_path / "bert")))
    with pytest.raises(ConfigError, match="does not mark spaces"):
        without_space_mark(tokenizer)
    bytes_only = word_tokenizer(Tokenizer(models.BPE({"a": 0}, [])), padding=0)
    with pytest.raises(ConfigError, match="only Unigram and WordPiece vocabularies can be pruned, this one is BPE"):
        prune_pieces(model, bytes_only, {})


def test_texts_are_counted_by_what_stands_between_white_space(tmp_path: Path) -> None:
    (tmp_path / "texts" / "more").mkdir(parents=True)
    (tmp_path / "texts" / "one.txt").write_text("xã hội\nxã\n", encoding="utf-8")
    (tmp_path / "texts" / "more" / "two.txt").write_text("字 xã", encoding="utf-8")
    (tmp_path / "texts" / "other.md").write_text("no", encoding="utf-8")
    assert read_texts(tmp_path, ["texts"]) == {"xã": 3, "hội": 1, "字": 1}
    assert read_texts(tmp_path, ["texts/one.txt", "texts/other.md"]) == {"xã": 2, "hội": 1, "no": 1}
    assert read_texts(tmp_path, []) == {}


def test_texts_that_are_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    for name, message in (("no.txt", "cannot be read"), ("latin.txt", "cannot be read"), ("empty", "no text files")):
        with pytest.raises(ConfigError, match=f"pieces.texts: .*{message}"):
            read_texts(tmp_path, [name])


def test_a_pruned_tokenizer_survives_being_saved() -> None:
    whole = unigram()
    pruned = prune_pieces(small_bert(whole.tokenizer.get_vocab_size()), without_space_mark(whole), {"abc": 1})
    text = pruned.tokenizer.to_str()
    again = PieceTokenizer(Tokenizer.from_str(text), pruned.prefix, pruned.suffix, pruned.padding)
    assert again.pieces("abcé") == pruned.pieces("abcé")
    assert json.loads(text)["post_processor"] is None
