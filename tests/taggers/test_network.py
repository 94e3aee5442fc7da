"""The whole network: what it is built of, that every part learns, and that it can learn four sentences by heart."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from taggers.batch import TokenBatch, pad
from taggers.checkpoint import Model, describe_network, load_model, save_model
from taggers.config import FeatureConfig, NetworkConfig, TaskConfig, WordConfig
from taggers.decoders import CRFDecoder, SoftmaxDecoder
from taggers.document import Document
from taggers.embeddings import FormEmbeddings
from taggers.features import Featurizer, Vocabularies
from taggers.labeler import Labeler
from taggers.labels import LabelSet
from taggers.manifest import Manifest
from taggers.network import FEATURES_BESIDE_PIECES, TaggingNetwork, build_network
from taggers.pipeline import Tagger
from taggers.tasks import Task
from tests.tiny import ENCODERS, tiny_corpus, tiny_labeler

SENTENCES = [sentence for document in tiny_corpus() for sentence in document]
every_encoder = pytest.mark.parametrize("encoder", ENCODERS)


def gold(labeler: Labeler) -> tuple[TokenBatch, Mapping[str, Tensor]]:
    """The tiny corpus as one batch with the labels of every task; below 0 on padding."""
    labels = {
        name: pad([[task.labels.id(label) for label in task.encode(sentence)] for sentence in SENTENCES], value=-1)
        for name, task in labeler.tasks.items()
    }
    return labeler.featurizer.batch([sentence.words for sentence in SENTENCES]), labels


def without_dropout(network: nn.Module) -> nn.Module:
    """In training, but with nothing left to chance."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "unknown_rate"):
            module.unknown_rate = 0.0
    return network


@every_encoder
def test_every_parameter_learns(encoder: str, tmp_path: Path) -> None:
    labeler, _ = tiny_labeler(encoder, folder=tmp_path)
    network = without_dropout(labeler.network)
    batch = labeler.featurizer.batch([[*sentence.words, "\u200b"] for sentence in SENTENCES])
    labels = {task: batch.mask_BT.long() for task in network.tasks}
    labels["ner"] = torch.zeros_like(batch.form_BT)
    torch.stack([*network.losses(network(batch), labels, batch).values()]).sum().backward()
    idle = {
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    }
    # BERT's pooler is for whole texts, and the bias of attention's keys cancels in its softmax.
    assert not {name for name in idle if "pooler" not in name and ".key.bias" not in name}


@every_encoder
def test_four_sentences_are_learnt_by_heart_and_known_after_loading(encoder: str, tmp_path: Path) -> None:
    labeler, config = tiny_labeler(encoder, folder=tmp_path / "pretrained")
    network, (batch, labels) = without_dropout(labeler.network), gold(labeler)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03 if encoder != "pretrained" else 0.01)
    for _ in range(200):
        optimizer.zero_grad()
        loss = torch.stack([*network.losses(network(batch), labels, batch).values()]).sum()
        loss.backward()
        optimizer.step()
        if loss < 5e-3:
            break
    assert loss < 1e-2
    network.eval()
    manifest = Manifest(name="overfit", language="en", tagger=describe_network(labeler, config))
    save_model(tmp_path / "model", Model(manifest, labeler, None))
    for model in (Model(manifest, labeler, None), load_model(tmp_path / "model", device=torch.device("cpu"))):
        bare = [Document(document.text, tuple(s.bare() for s in document)) for document in tiny_corpus()]
        for tagged, expected in zip(Tagger(model).tag(bare), tiny_corpus(), strict=True):
            (found,), (true,) = tagged.sentences, expected.sentences
            assert found.tags == true.tags
            assert [(s.start, s.stop, s.label) for s in found.spans["ner"]] == [
                (s.start, s.stop, s.label) for s in true.spans["ner"]
            ]
            assert all(span.score > 0.9 for span in found.spans["ner"])


def test_scores_and_losses_have_the_shapes_that_are_promised() -> None:
    labeler, _ = tiny_labeler("cnn")
    network, (batch, labels) = labeler.network, gold(labeler)
    scores = network(batch)
    B, T = batch.mask_BT.shape
    assert {task: tuple(x.shape) for task, x in scores.items()} == {
        name: (B, T, len(task.labels)) for name, task in labeler.tasks.items()
    }
    losses = network.losses(scores, {"upos": labels["upos"]}, batch)
    assert [*losses] == ["upos"]
    assert losses["upos"].ndim == 0
    missing = network.losses(scores, {"upos": torch.full_like(labels["upos"], -1)}, batch)
    assert missing["upos"] == 0


def test_predicting_all_tasks_or_some() -> None:
    labeler, _ = tiny_labeler("cnn")
    batch, _ = gold(labeler)
    everything = labeler.network.predict(batch)
    assert [*everything] == [*labeler.tasks]
    some = labeler.network.predict(batch, tasks=["ner"])
    assert [*some] == ["ner"]
    assert torch.equal(some["ner"][0], everything["ner"][0])
    labels_BT, probability_BT = everything["ner"]
    assert labels_BT.dtype == torch.int64
    assert not labels_BT[~batch.mask_BT].any()
    assert ((probability_BT >= 0) & (probability_BT <= 1)).all()


def built(tasks: dict[str, TaskConfig], encoder: dict[str, object], features: FeatureConfig) -> TaggingNetwork:
    config = NetworkConfig.model_validate({"features": features, "encoder": encoder, "tasks": tasks})
    made = {name: Task(name, "token", name, LabelSet(["A", "B"])) for name in tasks}
    return build_network(config, made, Vocabularies(words=("a",)))


def test_a_task_may_have_the_name_of_a_method_of_modules() -> None:
    network = built(
        {"pop": TaskConfig(), "keys": TaskConfig(decoder="crf")},
        {"type": "cnn", "width": 4},
        FeatureConfig(words=WordConfig(width=3)),
    )
    assert network.tasks == ("pop", "keys")
    assert isinstance(network.decoder("pop"), SoftmaxDecoder)
    assert isinstance(network.decoder("keys"), CRFDecoder)
    batch = Featurizer(FeatureConfig(words=WordConfig()), Vocabularies(words=("a",))).batch([["a", "b"]])
    assert [*network(batch)] == ["pop", "keys"]


def test_only_spans_have_transitions_that_are_forbidden() -> None:
    labeler, _ = tiny_labeler("cnn", decoder="softmax")
    decoder = labeler.network.decoder("ner")
    assert isinstance(decoder, SoftmaxDecoder)
    assert decoder.forbidden_MM.any()
    other = labeler.network.decoder("upos")
    assert isinstance(other, SoftmaxDecoder)
    assert not other.forbidden_MM.any()


def test_the_width_of_features_is_the_encoders_but_beside_a_pretrained_one(tmp_path: Path) -> None:
    assert embeddings_of("cnn", tmp_path).width == 16
    assert embeddings_of("pretrained", tmp_path).width == FEATURES_BESIDE_PIECES


def embeddings_of(encoder: str, folder: Path) -> FormEmbeddings:
    labeler, _ = tiny_labeler(encoder, folder=folder)
    assert labeler.network.embeddings is not None
    assert labeler.network.heads["task_upos"].in_features == labeler.network.encoder.width
    return labeler.network.embeddings


def test_without_vectors_at_hand_an_empty_table_is_made_to_be_loaded() -> None:
    _, config = tiny_labeler("cnn")
    tasks = {name: Task(name, "token", name, LabelSet(["A"])) for name in config.tasks}
    network = build_network(config, tasks, Vocabularies(vectors=("x", "y", "z")), vector_width=7)
    assert network.embeddings is not None
    assert network.embeddings.parts["vectors"].codes.shape == (5, 7)
