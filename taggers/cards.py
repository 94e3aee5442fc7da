"""What is told of models: a table of those that are installed, and the card of one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.markdown import Markdown
from rich.table import Table

from taggers.catalog import ALIASES, bundled_models
from taggers.errors import ModelFolderError
from taggers.manifest import Manifest, read_manifest

_CARD = "README.md"
_FRONT_MATTER = "---\n"
_SHOWN_SCORES = {
    "upos": "UPOS",
    "xpos": "XPOS",
    "ufeats": "features",
    "lemma": "lemmas",
    "ner": "entities",
    "chunk": "chunks",
    "tokens": "tokens",
    "sentences": "sentences",
}


def models_table() -> Table:
    """The bundled models.

    Raises:
        ModelFolderError: One of them is damaged.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("name", "also", "language", "tasks"):
        table.add_column(name, overflow="fold")
    table.add_column("MB", justify="right")
    table.add_column("scores", overflow="fold")
    for name, folder in bundled_models().items():
        manifest = read_manifest(folder)
        aliases = ", ".join(alias for alias, target in ALIASES.items() if target == name)
        scores = "\n".join(_score_lines(manifest.scores))
        table.add_row(name, aliases, manifest.language, _tasks(manifest), f"{_size(folder) / 1e6:.1f}", scores)
    return table


def read_card(folder: Path) -> str:
    """The card of a model folder, in Markdown.

    Raises:
        ModelFolderError: There is none.
    """
    try:
        return (folder / _CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFolderError(folder, f"its card {_CARD} cannot be read: {error}") from error


def render_card(card: str) -> Markdown:
    """A card for a terminal, without the front matter, which is for machines."""
    if card.startswith(_FRONT_MATTER):
        _, found, text = card.removeprefix(_FRONT_MATTER).partition(f"\n{_FRONT_MATTER}")
        card = text if found else card
    return Markdown(card)


def _tasks(manifest: Manifest) -> str:
    segmentation = ["sentences", "tokens"] if manifest.segmenter else []
    return ", ".join([*segmentation, *manifest.tagger.tasks])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _score_lines(scores: Mapping[str, Any]) -> Iterator[str]:
    """One line a data set: its main figures, as percentages."""
    for data, found in scores.items():
        figures = {**found, **(found.get("segmentation") or {})} if isinstance(found, dict) else {}
        shown = [
            f"{label} {100 * value:.1f}"
            for key, label in _SHOWN_SCORES.items()
            if (value := _figure(figures, key)) is not None
        ]
        if shown:
            yield f"{data}: {', '.join(shown)}"


def _figure(figures: Mapping[str, Any], key: str) -> float | None:
    """An accuracy or an F1; counts, which stand beside them under some of the same names, are whole numbers."""
    value = figures.get(key)
    value = value.get("f1") if isinstance(value, dict) else value
    return value if isinstance(value, float) else None
