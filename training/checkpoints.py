"""Whose checkpoints a folder holds: those of one training with one config, with which no other may mix."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taggers.errors import ConfigError
from taggers.folder import write_file
from training.config import Recipe

_CONFIG = "config.json"
_STATE = ("last.pt", "best.pt", "log.jsonl")
_NOT_LEARNED_FROM = {"name": True, "test": True, "license": True, "url": True, "attribution": True}
"""What a data set says that changes no training."""


def claim_checkpoints(folder: Path, recipe: Recipe, *, resume: bool) -> None:
    """Make a model folder's checkpoints this recipe's, before anything is trained.

    Args:
        folder: The folder of all checkpoints, with one inside for each network.
        recipe: The training config.
        resume: Whether to go on with the training that is there.

    Raises:
        ConfigError: Without ``resume`` there is a training already; with it, there is one of another config.
    """
    configs = _trained(recipe)
    for name, config in configs.items():
        _check(folder / name, config, resume=resume)
    for name, config in configs.items():
        path = folder / name / _CONFIG
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _has_begun(path.parent) or not path.exists():
            write_file(path, json.dumps(config, indent=1))


def _trained(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """What shapes each network that is trained."""
    ignored: dict[str, Any] = {"data": {"__all__": _NOT_LEARNED_FROM}, "training": {"checkpoint_minutes"}}
    model = {"name", "language", "description", "license", "limits", "machine", "storage"}
    made = {
        "tagger": recipe.model_dump(
            mode="json", exclude={"corpora": True, "segmenter": True, "model": model, **ignored}
        )
    }
    if recipe.segmenter and recipe.segmenter.model is None:
        made["segmenter"] = recipe.segmenter.model_dump(mode="json", exclude=ignored)
    return made


def _has_begun(folder: Path) -> bool:
    """Whether a network's folder holds a training; a config alone is of one that came to nothing."""
    return any((folder / name).exists() for name in _STATE)


def _check(folder: Path, config: Mapping[str, Any], *, resume: bool) -> None:
    there = _has_begun(folder)
    if there and not resume:
        raise ConfigError(f"{folder}: holds a training already: --resume goes on with it; or choose another folder")
    if there and (folder / _CONFIG).is_file():
        begun = dict(_leaves(_read_config(folder / _CONFIG)))
        wanted = dict(_leaves(config))
        for key in sorted(begun.keys() | wanted.keys()):
            if begun.get(key) != wanted.get(key):
                raise ConfigError(
                    f"{folder}: the checkpoint is of another config: {key} was {begun.get(key)!r} and is now "
                    f"{wanted.get(key)!r}; choose another folder"
                )


def _read_config(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: the checkpoint's config is damaged: {error}; choose another folder") from error


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The single values of nested tables and lists, by their dotted keys."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
