"""The models there are: the bundled ones with their aliases, and any folder. Nothing here loads weights."""

import os
from pathlib import Path

from taggers.errors import ModelNotFound
from taggers.manifest import Manifest, read_manifest

PRETRAINED = Path(__file__).parent / "pretrained"
"""Where the bundled model folders are."""

ALIASES = {"english": "en", "vietnamese": "vi", "japanese": "ja"}
"""Names that answer with another model."""


def find_model(name: str | Path) -> Path:
    """The folder of a bundled model, by name or alias, or any folder.

    Raises:
        ModelNotFound: There is none of this name.
    """
    folder = find_bundled(name)
    if folder is not None:
        return folder
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir() raises where a name is too long for a path
        return Path(name)
    bundled = bundled_models()
    raise ModelNotFound(str(name), [*bundled, *(alias for alias, target in ALIASES.items() if target in bundled)])


def find_bundled(name: str | Path) -> Path | None:
    """The folder of a bundled model, by name or alias; None if the name is none of them."""
    return bundled_models().get(ALIASES.get(str(name), str(name)))


def bundled_models() -> dict[str, Path]:
    """Bundled model name -> folder."""
    if not PRETRAINED.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(PRETRAINED.iterdir()) if (folder / "config.json").is_file()}


def describe(name: str | Path) -> Manifest:
    """A model's ``config.json``, without loading its weights."""
    return read_manifest(find_model(name))
