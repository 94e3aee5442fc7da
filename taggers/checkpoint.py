"""A model folder <-> objects. Nothing in a folder is code or pickle; a damaged one is refused with a clear message.

config.json         format version, name, language, networks, label sets
vocabulary.json     what the features know
model.safetensors   the weights, floats in half precision, or large matrices in 8 bits (``storage`` in config.json)
tokenizer.json      for a tagger that reads subword pieces
encoder.json        for its pretrained encoder: the architecture, in the manner of ``transformers``
segmenter-*.json    the same two for a segmenter that reads subword pieces
README.md           the card
training.toml       the training config that made it
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.modules.module import register_module_module_registration_hook
from torch.overrides import TorchFunctionMode

from taggers.config import Config, NetworkConfig, Storage, TransformerConfig
from taggers.encoders.architecture import build_piece_model
from taggers.encoders.transformer import PretrainedEncoder
from taggers.errors import ConfigError
from taggers.features import MAX_PIECES_OF_A_WORD, Featurizer, PieceTokenizer, Vocabularies
from taggers.folder import parse_file, read_object, read_text, refused, write_file
from taggers.labeler import Labeler
from taggers.labels import LabelSet
from taggers.manifest import (
    CONFIG,
    Manifest,
    NetworkManifest,
    PieceManifest,
    TaskManifest,
    read_manifest,
    write_manifest,
)
from taggers.network import TaggingNetwork, build_network
from taggers.quantization import quantize_rows, restore_rows
from taggers.segmenter import Segmenter
from taggers.tasks import Task

_RANDOM_FILLS = {nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_}

_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.safetensors"
_TOKENIZER = "tokenizer.json"
_ENCODER = "encoder.json"

_SCALES = ".row_scales"
"""Ends the name of the scales of a matrix in 8 bits, whose codes have the matrix's own name."""
_LARGE = 2**14
"""From so many numbers on a matrix is worth 8 bits; smaller ones would save a few kB."""
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

_OURS = (KeyboardInterrupt, SystemExit, MemoryError)
"""What is no fault of a model folder."""
_MODULES, _MODULES_OF_A_WEIGHT = 1_000, 10
"""A network has at most so many modules, and so many more for each of its weights."""
_BUFFER_BYTES = 1 << 20
"""Tables that are computed take no more memory than the weights, and this."""


class _Vocabulary(Config):
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
            name: TaskManifest(kind=task.kind, layer=task.layer, scheme=task.scheme, labels=task.labels.labels)
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
        f"{part}.{stored}": packed
        for part, labeler in labelers.items()
        for name, tensor in labeler.network.state_dict().items()
        for stored, packed in _packed(name, tensor.detach().cpu(), model.manifest.storage).items()
    }
    # Not save_file, which makes a file that only its owner may read.
    write_file(folder / _WEIGHTS, save(weights))
    vocabulary = _Vocabulary(**{part: labeler.featurizer.vocabularies for part, labeler in labelers.items()})
    write_file(folder / _VOCABULARY, vocabulary.model_dump_json(exclude_none=True))
    for part, labeler in labelers.items():
        if labeler.featurizer.tokenizer is not None:
            write_file(folder / _file(part, _TOKENIZER), labeler.featurizer.tokenizer.tokenizer.to_str())
            encoder: Any = labeler.network.encoder
            write_file(folder / _file(part, _ENCODER), encoder.model.config.to_json_string())
    write_manifest(folder, model.manifest)


def load_model(folder: Path, *, device: torch.device) -> Model:
    """Read a model folder.

    Raises:
        ModelFolderError: It is incomplete, damaged or of another format version.
    """
    manifest = read_manifest(folder)
    vocabulary = parse_file(folder, _VOCABULARY, _Vocabulary)
    try:
        weights = load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise refused(folder, f"{_WEIGHTS} cannot be read: {error}") from error
    tagger = _load_labeler(folder, "tagger", manifest.tagger, vocabulary.tagger, weights, device)
    segmenter = None
    if manifest.segmenter is not None:
        if vocabulary.segmenter is None:
            raise refused(folder, f"{_VOCABULARY} lacks the segmenter's part")
        labeler = _load_labeler(folder, "segmenter", manifest.segmenter, vocabulary.segmenter, weights, device)
        network = manifest.segmenter.network
        segmenter = Segmenter(labeler, manifest.expansions, units=network.units, lookahead=network.lookahead)
    return Model(manifest, tagger, segmenter, folder)


def _file(part: str, name: str) -> str:
    return name if part == "tagger" else f"{part}-{name}"


def restore_tasks(manifest: NetworkManifest) -> dict[str, Task]:
    """The tasks of a network with their label sets."""
    return {
        name: Task(name, task.kind, task.layer, LabelSet(task.labels), task.scheme)
        for name, task in manifest.tasks.items()
    }


def make_labeler(
    network: TaggingNetwork, featurizer: Featurizer, tasks: Mapping[str, Task], config: NetworkConfig
) -> Labeler:
    """A network's labeler with the limits of its config.

    Raises:
        ConfigError: The pretrained encoder cannot read ``max_pieces`` pieces, or they do not hold every single word.
    """
    tokenizer = featurizer.tokenizer
    max_pieces = None
    if tokenizer and isinstance(network.encoder, PretrainedEncoder) and isinstance(config.encoder, TransformerConfig):
        limit = network.encoder.max_positions
        if limit is not None and config.encoder.max_pieces > limit:
            raise ConfigError(f"max_pieces is {config.encoder.max_pieces}, but the encoder has {limit} positions")
        max_pieces = config.encoder.max_pieces - len(tokenizer.prefix) - len(tokenizer.suffix)
        if max_pieces < MAX_PIECES_OF_A_WORD:
            least = config.encoder.max_pieces - max_pieces + MAX_PIECES_OF_A_WORD
            raise ConfigError(
                f"max_pieces must be at least {least} to hold any word; found {config.encoder.max_pieces}"
            )
    return Labeler(network, featurizer, tasks, window=config.window, margin=config.margin, max_pieces=max_pieces)


def _load_labeler(
    folder: Path,
    part: str,
    manifest: NetworkManifest,
    vocabularies: Vocabularies,
    all_weights: Mapping[str, Tensor],
    device: torch.device,
) -> Labeler:
    tokenizer = None if manifest.pieces is None else _read_tokenizer(folder, _file(part, _TOKENIZER), manifest.pieces)
    architecture = None if manifest.pieces is None else read_object(folder, _file(part, _ENCODER))
    weights = _below(all_weights, part)
    tasks = restore_tasks(manifest)

    def build() -> TaggingNetwork:
        piece_model = None if architecture is None else build_piece_model(architecture, max_layers=len(weights))
        return build_network(
            manifest.network, tasks, vocabularies, piece_model=piece_model, vector_width=manifest.vector_width
        )

    try:
        weights = _unpacked(weights)
        with _Unfilled():
            # First without memory: what config.json asks for may be larger than any machine, the weights' file is not.
            with torch.device("meta"), _few_modules(_MODULES + _MODULES_OF_A_WEIGHT * len(weights)):
                planned = build()
            _check_weights(planned, weights)
            _check_buffers(planned, weights)
            network = build()
        network.load_state_dict(weights)
        featurizer = Featurizer(manifest.network.features, vocabularies, tokenizer=tokenizer)
        if tokenizer is not None:
            _check_pieces(_file(part, _TOKENIZER), tokenizer, network)
        labeler = make_labeler(network.to(device).eval(), featurizer, tasks, manifest.network)
        if tokenizer is not None:
            _try_out(_file(part, _ENCODER), labeler)
    except (ValueError, ConfigError) as error:
        raise refused(folder, str(error)) from error
    return labeler


@contextmanager
def _few_modules(most: int) -> Iterator[None]:
    """Let a network have no more modules than its weights can be for."""
    counted = count(1)

    def check(*_: object) -> None:
        if next(counted) > most:
            raise ValueError(f"expected a network of at most {most:,} modules")

    handle = register_module_module_registration_hook(check)
    try:
        yield
    finally:
        handle.remove()


def _check_buffers(network: TaggingNetwork, weights: Mapping[str, Tensor]) -> None:
    """Tables that are computed, not read, as of which position sees which, may be squares of what a config says."""
    size = sum(buffer.numel() * buffer.element_size() for buffer in network.buffers())
    most = _BUFFER_BYTES + sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    if size > most:
        raise ValueError(f"{_ENCODER}: expected tables of at most {most:,} bytes, found {size:,}")


class _Unfilled(TorchFunctionMode):
    """Makes networks without filling their weights at random, which takes longer than reading them."""

    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        return named["tensor"] if func in _RANDOM_FILLS and "tensor" in named else func(*args, **named)


def _check_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    expected = network.state_dict()
    if missing := expected.keys() - weights.keys():
        raise ValueError(f"{_WEIGHTS} does not fit {CONFIG}: it lacks {min(missing)!r}")
    if unknown := weights.keys() - expected.keys():
        raise ValueError(f"{_WEIGHTS} does not fit {CONFIG}: nothing takes {min(unknown)!r}")
    for name, tensor in expected.items():
        found = weights[name]
        if (found.shape, found.dtype) != (tensor.shape, tensor.dtype):
            raise ValueError(
                f"{_WEIGHTS} does not fit {CONFIG}: expected {name!r} to be {tensor.dtype} of shape "
                f"{tuple(tensor.shape)}, found {found.dtype} of shape {tuple(found.shape)}"
            )
        if not found.isfinite().all():
            raise ValueError(f"{_WEIGHTS}: {name!r} holds a number that is not finite")


def _check_pieces(name: str, tokenizer: PieceTokenizer, network: TaggingNetwork) -> None:
    assert isinstance(network.encoder, PretrainedEncoder), "checked by NetworkManifest"
    ids = [*tokenizer.prefix, *tokenizer.suffix, tokenizer.padding, *tokenizer.tokenizer.get_vocab().values()]
    known = network.encoder.num_pieces
    if not 0 <= min(ids) <= max(ids) < known:
        raise ValueError(f"{name}: expected pieces from 0 to {known - 1}, found {min(ids)} to {max(ids)}")


def _try_out(name: str, labeler: Labeler) -> None:
    """Read some words, also of the kind that no tokenizer knows: what contradicts itself shows in the work only."""
    try:
        labeler.label(labeler.chunks(["a", "\0", "\U0010fffe"]))
    except _OURS:
        raise
    except BaseException as error:  # whatever transformers makes of it; panics of tokenizers are no Exception
        raise ValueError(f"{name} cannot be used: {type(error).__name__}: {error}") from error


def _read_tokenizer(folder: Path, name: str, manifest: PieceManifest) -> PieceTokenizer:
    text = read_text(folder, name)
    try:
        tokenizer = Tokenizer.from_str(text)
    except _OURS:
        raise
    except BaseException as error:  # tokenizers raises plain Exception for everything, or panics
        raise refused(folder, f"{name} cannot be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return PieceTokenizer(tokenizer, manifest.prefix, manifest.suffix, manifest.padding)


def _packed(name: str, tensor: Tensor, storage: Storage) -> dict[str, Tensor]:
    """A weight under the names and in the types in which the file holds it."""
    if not tensor.is_floating_point():
        return {name: tensor.contiguous()}
    if storage == "int8" and tensor.ndim >= 2 and tensor.numel() >= _LARGE and tensor.isfinite().all():
        codes, scales = quantize_rows(tensor)
        return {name: codes, name + _SCALES: scales}
    half = tensor.half()
    # Half precision ends at 65,504: a tensor that goes beyond is kept as it is.
    return {name: (half if half.isfinite().all() else tensor).contiguous()}


def _unpacked(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights by their own names, all floats in float32.

    Raises:
        ValueError: Codes and scales do not belong together.
    """
    unpacked = {
        name: tensor.float() if tensor.dtype in _FLOATS else tensor
        for name, tensor in weights.items()
        if not name.endswith(_SCALES)
    }
    for name in {name.removesuffix(_SCALES) for name in weights if name.endswith(_SCALES)}:
        if name not in weights:
            raise ValueError(f"{_WEIGHTS}: it has scales of {name!r}, but lacks {name!r}")
        try:
            unpacked[name] = restore_rows(weights[name], weights[name + _SCALES])
        except ValueError as error:
            raise ValueError(f"{_WEIGHTS}: {name!r}: {error}") from error
    return unpacked


def _below(weights: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
