"""TaggingNetwork: embeddings, one encoder, and a head for each task, all in one pass.

Legend: B sequences, T positions, D width, L labels of a task.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from taggers.batch import TokenBatch
from taggers.config import FeatureConfig, NetworkConfig, TransformerConfig
from taggers.decoders import Decoder, build_decoder
from taggers.embeddings import AffixEmbedding, CharacterEmbedding, FormEmbeddings, StaticVectors, WordEmbedding
from taggers.encoders import build_encoder
from taggers.features import Vocabularies
from taggers.tasks import Task

FEATURES_BESIDE_PIECES = 128
"""The width of the word features beside a pretrained encoder."""


class TaggingNetwork(nn.Module):
    """Embed, encode, score.

    Args:
        embeddings: Word features; None for a pretrained encoder that reads pieces alone.
        encoder: See ``taggers.encoders.Encoder``.
        width: The encoder's width D.
        decoders: Task name -> how its scores become labels.
        num_labels: Task name -> L.
        dropout: On the encoder's result, in training.
    """

    def __init__(
        self,
        embeddings: FormEmbeddings | None,
        encoder: nn.Module,
        *,
        width: int,
        decoders: Mapping[str, nn.Module],
        num_labels: Mapping[str, int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        # Prefixed, because a module may not be named as one of ModuleDict's own methods ("pop", "keys").
        self.heads = nn.ModuleDict({f"task_{name}": nn.Linear(width, count) for name, count in num_labels.items()})
        self.decoders = nn.ModuleDict({f"task_{name}": decoder for name, decoder in decoders.items()})
        self.tasks = tuple(num_labels)

    def forward(self, batch: TokenBatch) -> dict[str, Tensor]:
        """Every task's scores: ``TokenBatch -> {task: (B, T, L)}``."""
        x_BTD = None if self.embeddings is None else self.embeddings(batch)
        h_BTD = self.dropout(self.encoder(x_BTD, batch))
        return {task: self.heads[f"task_{task}"](h_BTD) for task in self.tasks}

    def decoder(self, task: str) -> Decoder:
        """How the task's scores become labels."""
        return self.decoders[f"task_{task}"]  # type: ignore[return-value]

    def losses(
        self, scores: Mapping[str, Tensor], labels: Mapping[str, Tensor], batch: TokenBatch
    ) -> dict[str, Tensor]:
        """The mean loss of each task that has labels in this batch; a missing label costs nothing."""
        return {
            task: self.decoder(task).loss(scores[task], labels_BT, batch.mask_BT) for task, labels_BT in labels.items()
        }

    @torch.inference_mode()
    def predict(self, batch: TokenBatch, *, tasks: Iterable[str] | None = None) -> dict[str, tuple[Tensor, Tensor]]:
        """The best labels and their probabilities: ``{task: ((B, T) int64, (B, T) float)}``."""
        scores = self(batch)
        return {task: self.decoder(task).decode(scores[task], batch.mask_BT) for task in tasks or self.tasks}


def build_network(
    config: NetworkConfig,
    tasks: Mapping[str, Task],
    vocabularies: Vocabularies,
    *,
    piece_model: nn.Module | None = None,
    vectors: StaticVectors | None = None,
    vector_width: int = 0,
) -> TaggingNetwork:
    """A config to a network with fresh weights.

    Args:
        config: Features, encoder and tasks.
        tasks: The tasks with their label sets.
        vocabularies: What the features know.
        piece_model: The ``transformers`` model of a pretrained encoder.
        vectors: The static vectors; without them an empty table of ``vector_width`` is made, to be loaded.
        vector_width: See ``vectors``.
    """
    if config.features.vectors and vectors is None:
        vectors = StaticVectors(vocabularies.sizes()["vectors"], vector_width)
    pretrained = isinstance(config.encoder, TransformerConfig) and config.encoder.pretrained is not None
    # Beside a pretrained encoder the features have a width of their own; elsewhere they are the encoder's input.
    width = FEATURES_BESIDE_PIECES if pretrained else config.encoder.width
    embeddings = None
    if config.features.any:
        assert width is not None, "checked by TransformerConfig"
        embeddings = _build_embeddings(config.features, vocabularies, vectors, width=width)
    encoder = build_encoder(config.encoder, embeddings.width if embeddings else 0, piece_model=piece_model)
    with torch.device("cpu"):  # decoders read their tables of transitions at once, also where a network is only planned
        decoders = {
            name: build_decoder(
                config.tasks[name].decoder,
                labels=len(task.labels),
                transitions=task.transitions,
                label_smoothing=config.tasks[name].label_smoothing,
                label_sets=task.label_sets,
            )
            for name, task in tasks.items()
        }
    return TaggingNetwork(
        embeddings,
        encoder,
        width=encoder.width,  # type: ignore[arg-type]
        decoders=decoders,
        num_labels={name: len(task.labels) for name, task in tasks.items()},
        dropout=config.encoder.dropout,
    )


def _build_embeddings(
    config: FeatureConfig, vocabularies: Vocabularies, vectors: StaticVectors | None, *, width: int
) -> FormEmbeddings:
    sizes = vocabularies.sizes()
    parts: dict[str, nn.Module] = {}
    widths: dict[str, int] = {}
    if words := config.words:
        parts["words"] = WordEmbedding(sizes["words"], words.width, unknown_rate=words.unknown_rate)
        widths["words"] = words.width
    if prefixes := config.prefixes:
        parts["prefixes"] = AffixEmbedding(sizes["prefixes"], prefixes.width)
        widths["prefixes"] = prefixes.width
    if suffixes := config.suffixes:
        parts["suffixes"] = AffixEmbedding(sizes["suffixes"], suffixes.width)
        widths["suffixes"] = suffixes.width
    if shape := config.shape:
        parts["shape"] = nn.Embedding(sizes["shapes"], shape.width, padding_idx=0)
        widths["shape"] = shape.width
    if characters := config.characters:
        parts["characters"] = CharacterEmbedding(
            sizes["characters"], characters.width, filters=characters.filters, kernel=characters.kernel
        )
        widths["characters"] = characters.filters
    if vectors is not None:
        parts["vectors"] = vectors
        widths["vectors"] = vectors.width
    return FormEmbeddings(parts, widths, width=width, dropout=config.dropout)
