"""Neighbors don't matter: a sentence has the same scores alone and in any batch, for every encoder and decoder.

In float64 rounding is some 1e-15 and a leak is near 1, so the tolerance is no matter of taste. What stands in padding
cells is random but valid, and the embeddings of the padding id are huge: zeros would hide a leak.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from taggers.features import Featurizer
from taggers.labeler import Labeler
from taggers.network import TaggingNetwork
from tests.tiny import DECODERS, ENCODERS, LeakingEncoder, tiny_labeler, with_garbage

TOLERANCE = 1e-12
GARBAGE = 1e30

# Known and unknown forms, long ones, and some without a single piece.
WORDS = (
    "Ada",
    "London",
    "wrote",
    "to",
    ".",
    "n't",
    "Zzyzx",
    "unheard-of",
    "é",
    "😀",
    "12:30",
    "\u200b",
    "\x07",
    "ab" * 9,
)


def sentences(seed: int, lengths: Sequence[int]) -> list[list[str]]:
    drawn = random.Random(seed)
    return [[drawn.choice(WORDS) for _ in range(length)] for length in lengths]


BATCH = sentences(0, [5, 1, 14, 7, 2, 14, 1, 9])

every_encoder = pytest.mark.parametrize("encoder", ENCODERS)
every_decoder = pytest.mark.parametrize("decoder", DECODERS)


@pytest.fixture(scope="module")
def labelers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Labeler]:
    made = {}
    for encoder in ENCODERS:
        for decoder in DECODERS:
            folder = tmp_path_factory.mktemp("bert") if encoder == "pretrained" else None
            labeler, _ = tiny_labeler(encoder, decoder=decoder, folder=folder)
            labeler.network.double()
            fill_padding_rows(labeler.network)
            made[encoder, decoder] = labeler
    return made


def fill_padding_rows(network: TaggingNetwork) -> None:
    """Garbage for whoever looks up the padding id; word features only, a pretrained model keeps its own."""
    assert network.embeddings is not None
    with torch.no_grad():
        for module in network.embeddings.modules():
            if isinstance(module, nn.Embedding):
                module.weight[0] = GARBAGE


Answer = dict[str, tuple[Tensor, Tensor, Tensor]]


@torch.inference_mode()
def answers(network: TaggingNetwork, featurizer: Featurizer, batch: Sequence[Sequence[str]], seed: int) -> list[Answer]:
    """For each sentence and task: scores, labels and probabilities of its own positions."""
    num_pieces = 0 if featurizer.tokenizer is None else featurizer.tokenizer.tokenizer.get_vocab_size()
    tokens = with_garbage(featurizer.batch(batch), seed=seed, num_pieces=num_pieces)
    scores = network(tokens)
    decoded = {task: network.decoder(task).decode(scores[task], tokens.mask_BT) for task in network.tasks}
    return [
        {task: tuple(x[row, : len(words)] for x in (scores[task], *decoded[task])) for task in network.tasks}
        for row, words in enumerate(batch)
    ]


def assert_same(alone: Answer, together: Answer) -> None:
    for task in alone:
        for name, one, other in zip(("scores", "labels", "probabilities"), alone[task], together[task], strict=True):
            torch.testing.assert_close(
                other,
                one,
                rtol=0,
                atol=0 if name == "labels" else TOLERANCE,
                msg=lambda m, t=task, n=name: f"{t} {n}: {m}",
            )


def assert_batch_invariant(network: TaggingNetwork, featurizer: Featurizer) -> None:
    together = answers(network, featurizer, BATCH, seed=1)
    for words, in_batch in zip(BATCH, together, strict=True):
        assert in_batch["upos"][0].abs().max() > 0.1, "scores in which a leak could show"
        assert_same(answers(network, featurizer, [words], seed=2)[0], in_batch)


@every_decoder
@every_encoder
def test_a_sentence_has_the_same_scores_alone_and_in_a_padded_batch(
    labelers: Mapping[tuple[str, str], Labeler], encoder: str, decoder: str
) -> None:
    labeler = labelers[encoder, decoder]
    assert_batch_invariant(labeler.network, labeler.featurizer)


def test_mean_pooling_keeps_to_its_own_row(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler("pretrained", folder=tmp_path)
    labeler.network.double().encoder.pooling = "mean"
    assert_batch_invariant(labeler.network, labeler.featurizer)


def test_the_control_an_encoder_that_leaks_is_found_out() -> None:
    labeler, _ = tiny_labeler("cnn")
    labeler.network.encoder = LeakingEncoder(labeler.network.encoder.width)
    labeler.network.double()
    with pytest.raises(AssertionError, match="upos scores"):
        assert_batch_invariant(labeler.network, labeler.featurizer)


@every_encoder
@settings(max_examples=12)
@given(data=st.data())
def test_a_needle_is_found_unchanged_in_any_haystack(
    labelers: Mapping[tuple[str, str], Labeler], encoder: str, data: st.DataObject
) -> None:
    network, featurizer = labelers[encoder, "crf"].network, labelers[encoder, "crf"].featurizer
    needle = ["Ada", "wrote", "Zzyzx", "\u200b", "London", "."]
    lengths = data.draw(st.lists(st.integers(1, 20), max_size=6))
    batch = sentences(data.draw(st.integers(0, 99)), lengths)
    place = data.draw(st.integers(0, len(batch)))
    batch.insert(place, needle)
    assert_same(
        answers(network, featurizer, [needle], seed=0)[0],
        answers(network, featurizer, batch, seed=data.draw(st.integers(0, 99)))[place],
    )


@every_encoder
def test_padding_goes_into_the_encoder_as_anything_and_comes_out_as_zeros(
    labelers: Mapping[tuple[str, str], Labeler], encoder: str
) -> None:
    network, featurizer = labelers[encoder, "crf"].network, labelers[encoder, "crf"].featurizer
    batch = featurizer.batch(BATCH)
    assert network.embeddings is not None
    with torch.inference_mode():
        x_BTD = network.embeddings(batch)
        clean_BTD = network.encoder(x_BTD, batch)
        dirty_BTD = network.encoder(x_BTD.masked_fill(~batch.mask_BT[..., None], GARBAGE), batch)
    torch.testing.assert_close(dirty_BTD, clean_BTD, rtol=0, atol=TOLERANCE)
    assert not dirty_BTD[~batch.mask_BT].any()


@every_encoder
def test_padding_gives_no_gradient(labelers: Mapping[tuple[str, str], Labeler], encoder: str) -> None:
    labeler = labelers[encoder, "crf"]
    network, batch = labeler.network, labeler.featurizer.batch(BATCH)
    assert network.embeddings is not None
    x_BTD = network.embeddings(batch).detach().masked_fill(~batch.mask_BT[..., None], 1e3).requires_grad_()
    network.encoder(x_BTD, batch).square().sum().backward()
    assert x_BTD.grad is not None
    assert x_BTD.grad[batch.mask_BT].any()
    assert not x_BTD.grad[~batch.mask_BT].any()
    network.zero_grad()


def test_float32_keeps_what_the_documentation_promises(labelers: Mapping[tuple[str, str], Labeler]) -> None:
    for encoder in ENCODERS[:-1]:
        labeler, _ = tiny_labeler(encoder)
        together = answers(labeler.network, labeler.featurizer, BATCH, seed=1)
        for words, in_batch in zip(BATCH, together, strict=True):
            alone = answers(labeler.network, labeler.featurizer, [words], seed=2)[0]
            for task, (scores_TL, _, _) in alone.items():
                largest = scores_TL.abs().max().item()
                torch.testing.assert_close(in_batch[task][0], scores_TL, rtol=0, atol=1e-5 * max(1.0, largest))


def test_garbage_fills_padding_and_nothing_else() -> None:
    labeler, _ = tiny_labeler("cnn")
    batch = labeler.featurizer.batch(BATCH)
    dirty_BT = with_garbage(batch, seed=3).form_BT
    assert torch.equal(dirty_BT[batch.mask_BT], batch.form_BT[batch.mask_BT])
    assert len(dirty_BT[~batch.mask_BT].unique()) > 3
