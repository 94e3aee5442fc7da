"""A model folder <-> objects. Nothing in a folder is code or pickle; a damaged one is refused with a clear message.

config.json         format version, name, language, networks, label sets
vocabulary.json     what the features know
model.safetensors   the weights, floats in half precision
tokenizer.json      for networks that read subword pieces
encoder.json        for pretrained encoders: the architecture, in the manner of ``transformers``
README.md           the card
training.toml       the training config that made it
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from taggers.config import NetworkConfig, TransformerConfig
from taggers.errors import ModelFolderError
from taggers.features import Featurizer, PieceTokenizer, Vocabularies
from taggers.labeler import Labeler
from taggers.labels import LabelSet
from taggers.network import TaggingNetwork, build_network
from taggers.segmenter import Segmenter
from taggers.spans import Scheme
from taggers.tasks import Task, TaskKind

FORMAT_VERSION = 1

ModelT = TypeVar("ModelT", bound=BaseModel)

_CONFIG = "config.json"
_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.safetensors"
_TOKENIZER = "tokenizer.json"
_ENCODER = "encoder.json"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskManifest(_Strict):
    """One task as it stands in ``config.json``."""

    kind: TaskKind
    layer: str
    scheme: str
    labels: tuple[str, ...]


class PieceManifest(_Strict):
    """How a network's sequences of subword pieces are framed."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int


class NetworkManifest(_Strict):
    """One network as it stands in ``config.json``."""

    network: NetworkConfig
    tasks: dict[str, TaskManifest]
    vector_width: int = 0
    pieces: PieceManifest | None = None


class Manifest(_Strict):
    """``config.json``.

    ``scores`` are the figures of the card, by data set: they are what ``GET /v1/models`` shows.
    """

    format_version: Literal[1] = 1
    name: str
    language: str
    description: str = ""
    license: str = ""
    scores: dict[str, Any] = {}
    tagger: NetworkManifest
    segmenter: NetworkManifest | None = None
    expansions: dict[str, tuple[str, ...]] = {}


class _Vocabulary(_Strict):
    tagger: Vocabularies
    segmenter: Vocabularies | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model folder."""

    manifest: Manifest
    tagger: Labeler
    segmenter: Segmenter | None
    folder: Path | None = field(default=None)


def describe_network(labeler: Labeler, config: NetworkConfig) -> NetworkManifest:
    """What ``config.json`` says of a network."""
    tokenizer = labeler.featurizer.tokenizer
    embeddings = labeler.network.embeddings
    return NetworkManifest(
        network=config,
        tasks={
            name: TaskManifest(kind=task.kind, layer=task.layer, scheme=str(task.scheme), labels=task.labels.labels)
            for name, task in labeler.tasks.items()
        },
        vector_width=embeddings.parts["vectors"].width if config.features.vectors and embeddings else 0,
        pieces=tokenizer and PieceManifest(prefix=tokenizer.prefix, suffix=tokenizer.suffix, padding=tokenizer.padding),
    )


def save_model(folder: Path, model: Model) -> None:
    """Write a model folder; each file is complete before it takes the place of an old one."""
    folder.mkdir(parents=True, exist_ok=True)
    labelers = {"tagger": model.tagger}
    if model.segmenter is not None:
        labelers["segmenter"] = model.segmenter.labeler
    weights = {
        f"{part}.{name}": _packed(tensor)
        for part, labeler in labelers.items()
        for name, tensor in labeler.network.state_dict().items()
    }
    save_file(weights, folder / f"{_WEIGHTS}.new")
    (folder / f"{_WEIGHTS}.new").replace(folder / _WEIGHTS)
    vocabulary = _Vocabulary(**{part: labeler.featurizer.vocabularies for part, labeler in labelers.items()})
    _write(folder / _VOCABULARY, vocabulary.model_dump_json(exclude_none=True))
    if model.tagger.featurizer.tokenizer is not None:
        _write(folder / _TOKENIZER, model.tagger.featurizer.tokenizer.tokenizer.to_str())
        encoder: Any = model.tagger.network.encoder
        _write(folder / _ENCODER, encoder.model.config.to_json_string())
    write_manifest(folder, model.manifest)


def load_model(folder: Path, *, device: torch.device) -> Model:
    """Read a model folder.

    Raises:
        ModelFolderError: It is incomplete, damaged or of another format version.
    """
    manifest = read_manifest(folder)
    vocabulary = _parse(folder, _VOCABULARY, _Vocabulary)
    try:
        weights = load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(folder, f"{_WEIGHTS} cannot be read: {error}") from error
    tagger = _load_labeler(folder, manifest.tagger, vocabulary.tagger, _below(weights, "tagger"), device)
    segmenter = None
    if manifest.segmenter is not None:
        if vocabulary.segmenter is None:
            raise ModelFolderError(folder, f"{_VOCABULARY} lacks the segmenter's part")
        labeler = _load_labeler(folder, manifest.segmenter, vocabulary.segmenter, _below(weights, "segmenter"), device)
        segmenter = Segmenter(labeler, manifest.expansions)
    return Model(manifest, tagger, segmenter, folder)


def read_manifest(folder: Path) -> Manifest:
    """Read ``config.json`` alone.

    Raises:
        ModelFolderError: It is missing, damaged or of another format version.
    """
    text = _read(folder, _CONFIG)
    try:
        version = json.loads(text).get("format_version")
    except (ValueError, AttributeError) as error:
        raise ModelFolderError(folder, f"{_CONFIG} is not a JSON object: {error}") from error
    if version != FORMAT_VERSION:
        raise ModelFolderError(folder, f"format version {version!r}, but this release reads version {FORMAT_VERSION}")
    return _parse(folder, _CONFIG, Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``config.json`` alone."""
    _write(folder / _CONFIG, manifest.model_dump_json(indent=1, by_alias=True) + "\n")


def restore_tasks(manifest: NetworkManifest) -> dict[str, Task]:
    """The tasks of a network with their label sets."""
    return {
        name: Task(name, task.kind, task.layer, LabelSet(task.labels), Scheme.parse(task.scheme))
        for name, task in manifest.tasks.items()
    }


def make_labeler(
    network: TaggingNetwork, featurizer: Featurizer, tasks: Mapping[str, Task], config: NetworkConfig
) -> Labeler:
    """A network's labeler with the limits of its config."""
    tokenizer = featurizer.tokenizer
    max_pieces = None
    if tokenizer and isinstance(config.encoder, TransformerConfig):
        max_pieces = config.encoder.max_pieces - len(tokenizer.prefix) - len(tokenizer.suffix)
    return Labeler(network, featurizer, tasks, window=config.window, margin=config.margin, max_pieces=max_pieces)


def _load_labeler(
    folder: Path,
    manifest: NetworkManifest,
    vocabularies: Vocabularies,
    weights: dict[str, Tensor],
    device: torch.device,
) -> Labeler:
    tasks = restore_tasks(manifest)
    tokenizer = piece_model = None
    if manifest.pieces is not None:
        tokenizer = PieceTokenizer(
            _read_tokenizer(folder), manifest.pieces.prefix, manifest.pieces.suffix, manifest.pieces.padding
        )
        piece_model = _build_piece_model(folder)
    network = build_network(
        manifest.network, tasks, vocabularies, piece_model=piece_model, vector_width=manifest.vector_width
    )
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        problem = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ModelFolderError(folder, f"{_WEIGHTS} does not fit {_CONFIG}: {problem}") from error
    featurizer = Featurizer(manifest.network.features, vocabularies, tokenizer=tokenizer)
    return make_labeler(network.to(device).eval(), featurizer, tasks, manifest.network)


def _build_piece_model(folder: Path) -> nn.Module:
    """A ``transformers`` model of the folder's architecture, without weights."""
    # Imported here: it takes seconds, and only models with a pretrained encoder need it.
    from transformers import AutoConfig, AutoModel

    values = json.loads(_read(folder, _ENCODER))
    try:
        config = AutoConfig.for_model(values.pop("model_type"), **values)
    except (KeyError, ValueError) as error:
        raise ModelFolderError(folder, f"{_ENCODER} names no architecture that transformers knows: {error}") from error
    model: nn.Module = AutoModel.from_config(config)
    return model


def _read_tokenizer(folder: Path) -> Tokenizer:
    text = _read(folder, _TOKENIZER)
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # tokenizers raises plain Exception for everything
        raise ModelFolderError(folder, f"{_TOKENIZER} cannot be read: {error}") from error


def _packed(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu()
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


def _below(weights: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {
        name.removeprefix(prefix): tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in weights.items()
        if name.startswith(prefix)
    }


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFolderError(folder, f"{name} cannot be read: {error}") from error


def _parse(folder: Path, name: str, kind: type[ModelT]) -> ModelT:
    try:
        return kind.model_validate_json(_read(folder, name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "top level"
        raise ModelFolderError(folder, f"{name}: {where}: {first['msg']}") from error


def _write(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
