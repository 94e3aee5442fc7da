"""What every encoder promises, and how a config becomes one. Their arithmetic is tested under ``numerics``."""

from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from taggers.config import EncoderConfig
from taggers.encoders import (
    BiLSTMEncoder,
    CNNEncoder,
    PretrainedEncoder,
    TransformerEncoder,
    build_encoder,
)
from tests.tiny import ENCODERS, encoder_config, tiny_labeler

KINDS = {
    "bilstm": BiLSTMEncoder,
    "gru": BiLSTMEncoder,
    "rnn": BiLSTMEncoder,
    "cnn": CNNEncoder,
    "transformer": TransformerEncoder,
    "pretrained": PretrainedEncoder,
}
from_scratch = pytest.mark.parametrize("kind", ENCODERS[:-1])


@from_scratch
@pytest.mark.parametrize("input_width", [16, 5])
def test_a_config_becomes_its_encoder(kind: str, input_width: int) -> None:
    encoder = build_encoder(TypeAdapter(EncoderConfig).validate_python(encoder_config(kind)), input_width)
    assert isinstance(encoder, KINDS[kind])
    assert encoder.width == 16
    assert isinstance(encoder.project, nn.Identity) == (input_width == 16)
    if isinstance(encoder, BiLSTMEncoder):
        cell = {"bilstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind]
        assert all(isinstance(recurrence, cell) for recurrence in encoder.recurrences)


@pytest.mark.parametrize("kind", ENCODERS)
def test_one_vector_for_each_word_of_every_length(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    network = labeler.network
    for lengths in ([1], [1, 1], [3, 7, 1]):
        batch = labeler.featurizer.batch([["Ada"] * length for length in lengths])
        h_BTD = network.encoder(network.embeddings(batch), batch)
        assert h_BTD.shape == (len(lengths), max(lengths), network.encoder.width)
        assert h_BTD.isfinite().all()


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_words_around_a_word_matter_to_it(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    with torch.inference_mode():
        scores = labeler.network(labeler.featurizer.batch([["Ada", "wrote", "London"], ["cats", "wrote", "!"]]))
    assert (scores["upos"][0, 1] - scores["upos"][1, 1]).abs().max() > 1e-4


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_order_of_words_matters(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    with torch.inference_mode():
        scores = labeler.network(labeler.featurizer.batch([["a", "b", "c", "d", "e"], ["e", "b", "c", "d", "a"]]))
    assert (scores["upos"][0, 2] - scores["upos"][1, 2]).abs().max() > 1e-6


@pytest.mark.parametrize("kind", ENCODERS)
def test_dropout_is_for_training_only(kind: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(kind, folder=tmp_path)
    batch = labeler.featurizer.batch([["Ada", "wrote"]])
    with torch.no_grad():
        once, again = labeler.network(batch)["upos"], labeler.network(batch)["upos"]
        assert torch.equal(once, again)
        torch.manual_seed(0)
        assert not torch.equal(labeler.network.train()(batch)["upos"], once)


def test_a_pretrained_encoder_stands_beside_features_or_alone(tmp_path: Path) -> None:
    labeler, config = tiny_labeler("pretrained", folder=tmp_path)
    beside = labeler.network.encoder
    assert isinstance(beside, PretrainedEncoder)
    assert beside.width == 16 + 128
    alone = build_encoder(config.encoder, 0, piece_model=beside.model)
    assert alone.width == 16
    batch = labeler.featurizer.batch([["ada", "\u200b"], ["london"]])
    assert alone(None, batch).shape == (2, 2, 16)


def test_what_a_pretrained_encoder_can_read(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler("pretrained", folder=tmp_path)
    encoder = labeler.network.encoder
    assert isinstance(encoder, PretrainedEncoder)
    assert encoder.num_pieces == 65
    assert encoder.max_positions == 256
    for unlimited in (0, -1):
        encoder.model.config.max_position_embeddings = unlimited
        assert encoder.max_positions is None


def test_positions_that_are_counted_from_behind_the_paddings() -> None:
    from transformers import RobertaConfig, RobertaModel

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    model = RobertaModel(RobertaConfig(vocab_size=9, max_position_embeddings=12, **sizes)).eval()
    limit = PretrainedEncoder(model, 8, feature_width=0, pooling="first", dropout=0.0).max_positions
    assert limit == 10
    model(input_ids=torch.full((1, limit), 5))
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        model(input_ids=torch.full((1, limit + 1), 5))
