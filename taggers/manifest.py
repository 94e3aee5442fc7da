"""``config.json`` of a model folder as pydantic models, checked so that nothing that it says can fail later.

The file may come from anywhere: what costs memory or time before any weights are read has a limit.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from taggers.boundaries import BOUNDARIES
from taggers.boundaries import LABELS as BOUNDARY_LABELS
from taggers.config import Config, NetworkConfig, Storage, TransformerConfig
from taggers.folder import parse_file, read_object, refused, write_file
from taggers.labels import LabelSet
from taggers.lemma_rules import apply_rule
from taggers.spans import Scheme, allowed_transitions
from taggers.tasks import TaskKind

FORMAT_VERSION = 1

CONFIG = "config.json"

_MAX_LABELS = 20_000
_MAX_LABELS_IN_SEQUENCE = 2_000
"""Of a task whose decoder keeps a table of every label against every label."""


class TaskManifest(Config):
    """One task as it stands in ``config.json``."""

    kind: TaskKind
    layer: str
    scheme: Scheme
    labels: tuple[str, ...] = Field(max_length=_MAX_LABELS, fail_fast=True)

    @model_validator(mode="after")
    def _fitting_labels(self) -> Self:
        """What ``Task`` and the codecs rely on; any ``ValueError`` is the refusal."""
        labels = LabelSet(self.labels)
        match self.kind:
            case "span":
                if self.labels[0] != "O":
                    raise ValueError(f"expected the labels of spans to begin with 'O', found {self.labels[0]!r}")
                _check_square(len(labels))
                allowed_transitions(self.labels, self.scheme)
            case "lemma":
                for rule in self.labels:
                    apply_rule(rule, "a")
            case "boundaries" if unknown := set(self.labels) - set(BOUNDARY_LABELS):
                raise ValueError(f"unknown boundary labels {sorted(unknown)}")
        return self


class PieceManifest(Config):
    """How a network's sequences of subword pieces are framed."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int


class NetworkManifest(Config):
    """One network as it stands in ``config.json``."""

    network: NetworkConfig
    tasks: dict[str, TaskManifest]
    vector_width: int = Field(default=0, ge=0, le=65_536)
    pieces: PieceManifest | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tasks.keys() != self.network.tasks.keys():
            raise ValueError(f"expected the tasks {sorted(self.network.tasks)}, found {sorted(self.tasks)}")
        for name, task in self.tasks.items():
            config = self.network.tasks[name]
            if task.kind != config.type:
                raise ValueError(f"expected task {name!r} to be of type {config.type!r}, found {task.kind!r}")
            if config.decoder == "crf":
                _check_square(len(task.labels))
        encoder = self.network.encoder
        pretrained = isinstance(encoder, TransformerConfig) and encoder.pretrained is not None
        if pretrained != (self.pieces is not None):
            raise ValueError("expected pieces with a pretrained encoder, and with no other")
        return self


class Manifest(Config):
    """``config.json``.

    ``scores`` are the figures of the card, by data set: they are what ``GET /v1/models`` shows. ``storage`` is how the
    folder's weights are written; the file itself says how they are read.
    """

    format_version: Literal[1] = 1
    name: str
    language: str
    description: str = ""
    license: str = ""
    storage: Storage = "fp16"
    scores: dict[str, Any] = Field(default_factory=dict)
    tagger: NetworkManifest
    segmenter: NetworkManifest | None = None
    expansions: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_segmenter(self) -> Self:
        for name, task in self.tagger.tasks.items():
            if task.kind == "boundaries":
                raise ValueError(f"task {name!r} finds boundaries, which is the segmenter's")
        if self.segmenter is not None:
            found = {name: task.kind for name, task in self.segmenter.tasks.items()}
            if found != {BOUNDARIES: "boundaries"}:
                raise ValueError(f"expected the segmenter's one task to be {BOUNDARIES!r}")
        return self


def read_manifest(folder: Path) -> Manifest:
    """Read ``config.json`` alone.

    Raises:
        ModelFolderError: It is missing, damaged or of another format version.
    """
    version = read_object(folder, CONFIG).get("format_version")
    if version != FORMAT_VERSION:
        raise refused(folder, f"format version {version!r}, but this release reads version {FORMAT_VERSION}")
    return parse_file(folder, CONFIG, Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``config.json`` alone."""
    write_file(folder / CONFIG, manifest.model_dump_json(indent=1, by_alias=True) + "\n")


def _check_square(num_labels: int) -> None:
    if num_labels > _MAX_LABELS_IN_SEQUENCE:
        raise ValueError(f"expected at most {_MAX_LABELS_IN_SEQUENCE} labels in a sequence, found {num_labels}")
