"""Tiny real models with random weights, over a corpus of four sentences; and an encoder that leaks on purpose."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from taggers.batch import PieceBatch, TokenBatch
from taggers.boundaries import BOUNDARIES, collect_expansions
from taggers.checkpoint import Model, describe_network, make_labeler, save_model
from taggers.config import (
    AffixConfig,
    CharacterConfig,
    CNNConfig,
    FeatureConfig,
    NetworkConfig,
    ShapeConfig,
    TaskConfig,
    TransformerConfig,
    VectorConfig,
    WordConfig,
)
from taggers.document import Document, Sentence, Span
from taggers.embeddings import StaticVectors
from taggers.features import Featurizer, build_vocabularies
from taggers.labeler import Labeler
from taggers.manifest import Manifest
from taggers.network import build_network
from taggers.segmenter import Segmenter
from taggers.tasks import Task
from taggers.units import find_units
from training.characters import boundary_task
from training.data import count_forms, learn_tasks
from training.pretrained import load_pretrained

ENCODERS = ("bilstm", "gru", "rnn", "cnn", "transformer", "pretrained")
DECODERS = ("softmax", "crf")

_FEATURES = FeatureConfig(
    words=WordConfig(width=8, min_count=1),
    prefixes=AffixConfig(width=4, lengths=(1, 2), min_count=1),
    suffixes=AffixConfig(width=4, lengths=(1, 2, 3), min_count=1),
    shape=ShapeConfig(width=4, min_count=1),
    characters=CharacterConfig(width=6, filters=8, max_characters=12, min_count=1),
    vectors=VectorConfig(source="made in tests"),
)

_SENTENCES = (
    (
        "Ada Lovelace wrote to Babbage in London .",
        "PROPN PROPN VERB ADP PROPN ADP PROPN PUNCT",
        "PER:0:2 PER:4:5 LOC:6:7",
    ),
    ("She does n't like the Royal Society .", "PRON AUX PART VERB DET PROPN PROPN PUNCT", "ORG:5:7"),
    ("Paris is larger than Lyon !", "PROPN AUX ADJ SCONJ PROPN PUNCT", "LOC:0:1 LOC:4:5"),
    ("cats were sleeping", "NOUN AUX VERB", ""),
)
_LEMMAS = {"wrote": "write", "does": "do", "n't": "not", "is": "be", "larger": "large", "cats": "cat", "were": "be"}


def tiny_corpus() -> list[Document]:
    """Four annotated documents of one sentence each; "doesn't" is a multi-word token."""
    documents = []
    for words, upos, spans in _SENTENCES:
        document = Document.from_words([words.split()])
        (sentence,) = document.sentences
        tags = upos.split()
        made = sentence.annotated(
            tags={
                "upos": tuple(tags),
                "xpos": tuple(tag[:2] for tag in tags),
                "feats": tuple("Number=Sing" if tag == "PROPN" else "_" for tag in tags),
                "lemma": tuple(_LEMMAS.get(word, word) for word in sentence.words),
            },
            spans={"ner": tuple(_span(text) for text in spans.split())},
        )
        documents.append(Document(document.text, (made,)))
    return documents


def _span(text: str) -> Span:
    label, start, stop = text.split(":")
    return Span(int(start), int(stop), label)


def encoder_config(kind: str, *, pretrained: str | None = None) -> dict[str, Any]:
    """A small encoder of each kind."""
    return {
        "bilstm": {"type": "bilstm", "width": 16, "layers": 2},
        "gru": {"type": "bilstm", "cell": "gru", "width": 16, "layers": 2},
        "rnn": {"type": "bilstm", "cell": "rnn", "width": 16, "layers": 2},
        "cnn": {"type": "cnn", "width": 16, "kernel": 3, "dilations": [1, 2]},
        "transformer": {"type": "transformer", "width": 16, "layers": 2, "heads": 2},
        "pretrained": {"type": "transformer", "pretrained": pretrained, "max_pieces": 64},
    }[kind]


def tiny_labeler(
    encoder: str = "cnn", *, decoder: str = "crf", seed: int = 0, folder: Path | None = None
) -> tuple[Labeler, NetworkConfig]:
    """A tagger's labeler with random weights, in evaluation mode.

    Args:
        encoder: One of ``ENCODERS``.
        decoder: That of the span task.
        seed: For the weights.
        folder: Where a pretrained encoder is put for loading.
    """
    torch.manual_seed(seed)
    pretrained = tokenizer = None
    if encoder == "pretrained":
        assert folder is not None, "a pretrained encoder is loaded from a folder"
        write_tiny_bert(folder)
        pretrained, tokenizer = load_pretrained(str(folder))
    config = NetworkConfig.model_validate(
        {
            "features": _FEATURES,
            "encoder": encoder_config(encoder, pretrained=str(folder)),
            "tasks": {
                "upos": TaskConfig(),
                "xpos": TaskConfig(),
                "feats": TaskConfig(),
                "lemma": TaskConfig(type="lemma"),
                "ner": TaskConfig(type="span", decoder=decoder),  # type: ignore[arg-type]
            },
            "window": 40,
            "margin": 8,
        }
    )
    sentences = [sentence for document in tiny_corpus() for sentence in document]
    tasks = learn_tasks(sentences, config.tasks)
    words = ("the", "london", "ada")
    vocabularies = build_vocabularies(count_forms(s.words for s in sentences), config.features, vectors=words)
    network = build_network(
        config, tasks, vocabularies, piece_model=pretrained, vectors=StaticVectors.quantized(torch.randn(3, 5))
    )
    randomize(network)
    return make_labeler(
        network.eval(), Featurizer(config.features, vocabularies, tokenizer=tokenizer), tasks, config
    ), config


def tiny_segmenter(seed: int = 0, *, folder: Path | None = None) -> tuple[Segmenter, NetworkConfig]:
    """A segmenter with random weights, over characters.

    Args:
        seed: For the weights.
        folder: Where a pretrained encoder is put for loading; the segmenter is then one over syllables.
    """
    torch.manual_seed(seed)
    pretrained = tokenizer = None
    if folder is not None:
        pretrained, tokenizer = load_pretrained(str(write_tiny_bert(folder)))
    config = NetworkConfig(
        features=FeatureConfig(words=WordConfig(width=8, min_count=1), shape=ShapeConfig(width=4, min_count=1)),
        encoder=CNNConfig(type="cnn", width=16, kernel=3, dilations=(1, 2))
        if folder is None
        else TransformerConfig(type="transformer", pretrained=str(folder), max_pieces=64),
        tasks={BOUNDARIES: TaskConfig(type="boundaries")},
        window=200,
        margin=16,
        units="characters" if folder is None else "syllables",
    )
    tasks: Mapping[str, Task] = {BOUNDARIES: boundary_task()}
    forms = [find_units(document.text, config.units).forms for document in tiny_corpus()]
    vocabularies = build_vocabularies(count_forms(forms), config.features)
    network = build_network(config, tasks, vocabularies, piece_model=pretrained)
    featurizer = Featurizer(config.features, vocabularies, tokenizer=tokenizer)
    labeler = make_labeler(network.eval(), featurizer, tasks, config)
    return Segmenter(labeler, collect_expansions(tiny_corpus()), units=config.units), config


def tiny_model(encoder: str = "cnn", *, decoder: str = "crf", seed: int = 0, folder: Path | None = None) -> Model:
    """A whole model with random weights."""
    labeler, config = tiny_labeler(encoder, decoder=decoder, seed=seed, folder=folder)
    segmenter, segmenter_config = tiny_segmenter(seed, folder=folder if encoder == "pretrained" else None)
    manifest = Manifest(
        name="tiny",
        language="en",
        description="random weights",
        license="Apache-2.0",
        tagger=describe_network(labeler, config),
        segmenter=describe_network(segmenter.labeler, segmenter_config),
        expansions=segmenter.expansions,
    )
    return Model(manifest, labeler, segmenter)


def tiny_folder(folder: Path, encoder: str = "cnn") -> Path:
    """A model folder with random weights; returns it."""
    pretrained = folder.with_name(f"{folder.name}-pretrained") if encoder == "pretrained" else None
    save_model(folder, tiny_model(encoder, folder=pretrained))
    return folder


def write_tiny_bert(folder: Path) -> Path:
    """A BERT of two layers with random weights and a tokenizer of some letters and words; returns its folder."""
    # Imported here: it takes seconds, and few tests need it.
    from transformers import BertConfig, BertModel, BertTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz.!'"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), "ada", "london"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab={piece: index for index, piece in enumerate(vocabulary)})
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=256,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def randomize(network: nn.Module) -> None:
    """Weights large enough that a leak shows; the usual initial ones hide it behind small numbers."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            pretrained = ".model." in name
            if (parameter.ndim > 1 and not pretrained) or name.endswith(("bias", "no_piece")):
                parameter.copy_(torch.randn_like(parameter) * 0.5)


class LeakingEncoder(nn.Module):
    """The control: a convolution that reads padding, as long as nobody silences it after the embeddings."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Conv1d(width, width, 3, padding=1)
        self.second = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x_BTD: Tensor, batch: TokenBatch) -> Tensor:
        """``(B, T, D) -> (B, T, D)``: after the first convolution padding is not zero any more."""
        x_BTD = x_BTD.masked_fill(~batch.mask_BT[..., None], 0.0)
        return self.second(self.first(x_BTD.transpose(1, 2))).transpose(1, 2)


def with_garbage(batch: TokenBatch, *, seed: int, num_pieces: int = 0) -> TokenBatch:
    """The same batch with random ids in every padding cell, valid ones, as no gather could tell them from real ones.

    Args:
        batch: As a featurizer makes it.
        seed: For the ids.
        num_pieces: The size of the piece vocabulary, for a batch with pieces.
    """
    generator = torch.Generator().manual_seed(seed)

    def filled(ids: Tensor, mask: Tensor, high: int) -> Tensor:
        return torch.where(mask, ids, torch.randint(high, ids.shape, generator=generator))

    pieces = batch.pieces
    if pieces is not None:
        length = pieces.ids_BP.shape[1]
        first_BT = filled(pieces.first_BT, batch.mask_BT, length)
        count_BT = filled(pieces.count_BT, batch.mask_BT, length).minimum(length - first_BT.clamp_min(0))
        pieces = PieceBatch(filled(pieces.ids_BP, pieces.mask_BP, num_pieces), pieces.mask_BP, first_BT, count_BT)
    return replace(batch, form_BT=filled(batch.form_BT, batch.mask_BT, len(batch.forms.word_F)), pieces=pieces)


def sentence_of(words: str) -> Sentence:
    """A bare sentence of these words."""
    return Document.from_words([words.split()]).sentences[0]
