"""Embeddings of forms: their shapes, what is hidden in training, and what padding leaves behind."""

import pytest
import torch
from torch import nn

from taggers.batch import PADDING
from taggers.embeddings import AffixEmbedding, CharacterEmbedding, FormEmbeddings, StaticVectors, WordEmbedding
from taggers.features import UNKNOWN
from tests.tiny import tiny_labeler


def test_words_are_looked_up() -> None:
    embedding = WordEmbedding(5, 3, unknown_rate=0.5).eval()
    assert torch.equal(embedding(torch.tensor([4, 2])), embedding.table.weight[[4, 2]])


def test_in_training_some_known_words_are_hidden() -> None:
    torch.manual_seed(0)
    embedding = WordEmbedding(5, 3, unknown_rate=0.25).train()
    found = embedding(torch.full((4000,), 3))
    hidden = (found == embedding.table.weight[UNKNOWN]).all(1)
    assert 800 < hidden.sum() < 1200
    assert torch.equal(found[~hidden], embedding.table.weight[3].expand(int((~hidden).sum()), 3))


def test_nothing_is_hidden_at_rate_zero() -> None:
    embedding = WordEmbedding(5, 3, unknown_rate=0.0).train()
    state = torch.get_rng_state()
    assert torch.equal(embedding(torch.tensor([2, 3])), embedding.table.weight[[2, 3]])
    assert torch.equal(torch.get_rng_state(), state)


def test_affixes_are_summed() -> None:
    embedding = AffixEmbedding(6, 3)
    weight = embedding.table.weight
    torch.testing.assert_close(
        embedding(torch.tensor([[2, 5], [3, 3]])), torch.stack([weight[2] + weight[5], 2 * weight[3]])
    )
    assert embedding(torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 3)


def test_more_padding_changes_no_characters() -> None:
    embedding = CharacterEmbedding(9, 4, filters=5, kernel=3)
    with torch.no_grad():
        embedding.table.weight[PADDING] = 1e6
    ids_FC = torch.tensor([[2, 3, 4], [5, 0, 0], [0, 0, 0]])
    wider_FC = nn.functional.pad(ids_FC, (0, 4))
    torch.testing.assert_close(embedding(wider_FC), embedding(ids_FC), rtol=0, atol=1e-6)
    assert not embedding(ids_FC)[2].any()


def test_no_characters_at_all() -> None:
    embedding = CharacterEmbedding(9, 4, filters=5, kernel=3)
    assert torch.equal(embedding(torch.zeros(2, 0, dtype=torch.int64)), torch.zeros(2, 5))


def test_the_maximum_over_characters_sends_finite_gradients() -> None:
    embedding = CharacterEmbedding(9, 4, filters=5, kernel=3)
    embedding(torch.tensor([[2, 3], [0, 0]])).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in embedding.parameters())


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_vectors_in_eight_bits(scale: float) -> None:
    vectors = torch.randn(20, 7, generator=torch.Generator().manual_seed(0)) * scale
    table = StaticVectors.quantized(vectors)
    assert table.width == 7
    assert table.codes.dtype == torch.int8
    assert table.codes.shape == (22, 7)
    error = (table(torch.arange(20) + 2) - vectors).abs().amax(1)
    assert (error <= vectors.abs().amax(1) / 127 * 0.501).all()
    assert not [*table.parameters()], "they are frozen"


def test_a_vector_of_zeros_stays_one() -> None:
    assert not StaticVectors.quantized(torch.zeros(1, 3))(torch.tensor([2])).any()


def test_vectors_follow_the_networks_precision() -> None:
    table = StaticVectors.quantized(torch.randn(2, 3)).double()
    assert table.codes.dtype == torch.int8
    assert table(torch.tensor([2])).dtype == torch.float64


def test_every_form_stands_where_it_occurs_and_padding_is_zero() -> None:
    labeler, _ = tiny_labeler("cnn")
    embeddings = labeler.network.embeddings
    assert isinstance(embeddings, FormEmbeddings)
    x_BTD = embeddings(labeler.featurizer.batch([["Ada", "wrote", "Ada"], ["wrote"]]))
    assert x_BTD.shape == (2, 3, embeddings.width)
    assert torch.equal(x_BTD[0, 0], x_BTD[0, 2])
    assert torch.equal(x_BTD[0, 1], x_BTD[1, 0])
    assert not x_BTD[1, 1:].any()


def test_dropout_differs_from_place_to_place_though_the_form_is_the_same() -> None:
    labeler, _ = tiny_labeler("cnn")
    embeddings = labeler.network.embeddings
    assert isinstance(embeddings, FormEmbeddings)
    torch.manual_seed(0)
    x_1TD = embeddings.train()(labeler.featurizer.batch([["Ada"] * 50]))
    assert len((x_1TD[0] == 0).unique(dim=0)) > 10
