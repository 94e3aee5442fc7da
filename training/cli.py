"""The commands ``train``, ``evaluate`` and ``card``."""

import logging
import sys
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from taggers.catalog import find_model
from taggers.errors import ConfigError, FormatError
from taggers.formats.files import read_file
from taggers.pipeline import find_device, load
from training.build import build_model
from training.cards import write_first_card, write_measured_card
from training.config import read_recipe, resolved_config
from training.corpora import known_labels, name_layers, span_labels, without_blank
from training.evaluation import evaluate as score
from training.judging import answer
from training.scores import scores_table

_CONFIG_FILE = "training.toml"


def train(
    config: Path,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    set: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    resume: Annotated[bool, Parameter(negative=())] = False,
    device: str = "auto",
) -> None:
    """Train a model from a configuration file and write its folder.

    Example: tagline train training/configs/en-cnn.toml -o runs/en-cnn --set training.epochs=5

    Args:
        config: The training config, in TOML.
        output: The model folder to write; runs/NAME without it. Checkpoints go in its folder checkpoints.
        set: section.key=value in place of the config's; may be given several times.
        resume: Go on from the last checkpoint in the output folder, exactly where it stopped.
        device: auto, cpu, cuda or cuda:N.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    recipe = read_recipe(config, set)
    folder = output or Path("runs") / recipe.model.name
    folder.mkdir(parents=True, exist_ok=True)
    model = build_model(recipe, folder, resume=resume, device=find_device(device))
    _keep_config(config, set, folder)  # now that the folder's model is this config's
    write_first_card(recipe, model, folder)


def evaluate(
    model: str,
    files: Annotated[tuple[Path, ...], Parameter(negative=())],
    *,
    raw: Annotated[bool, Parameter(negative=())] = False,
    types: str | None = None,
    json: Annotated[bool, Parameter(name="--json", negative=())] = False,
    device: str = "auto",
) -> None:
    """Score a model on annotated files.

    Example: tagline evaluate en-cnn corpora/ud/en_ewt/test.conllu --raw

    Args:
        model: A bundled model's name, or a model folder.
        files: Gold files in CoNLL-U or IOB columns.
        raw: Start from the raw text (CoNLL-2018 metric) instead of the gold tokens.
        types: Only these span types count, in gold and in prediction: PER,LOC,ORG.
        json: Print one JSON object instead of a table.
        device: auto, cpu, cuda or cuda:N.
    """
    tagger = load(model, device=device, precision="fp32")
    layers = {name: task.layer for name, task in tagger.tasks.items()}
    read = [read_file(path) for path in files]
    gold = [name_layers(document, without_blank(layers, found)) for found in read for document in found]
    if not any(document.sentences for document in gold):
        raise FormatError(files[0], 1, "expected sentences to score the model on, found none")
    chosen = [name.strip() for name in types.split(",") if name.strip()] if types else None
    known = known_labels(tagger.tasks.values()) | span_labels(gold)
    if unknown := {*(chosen or ())} - known:
        listed = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"--types: neither model nor files have spans of {sorted(unknown)[0]!r}; there are: {listed}")
    scores = score(
        lambda documents: answer(tagger, documents, raw=raw),
        gold,
        raw=raw,
        types=chosen,
        model=tagger.name,
        files=[str(path) for path in files],
    )
    if json:
        print(dumps(scores.to_json()))
    else:
        Console().print(scores_table(scores))


def card(
    folder: Path,
    *,
    set: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    device: str = "auto",
) -> None:
    """Measure a trained model on the test sets of its training config and write its card.

    Example: tagline card runs/en-cnn --set corpora=corpora

    Args:
        folder: The model folder, or a bundled model's name; its training.toml names the test sets.
        set: section.key=value in place of the config's; may be given several times.
        device: auto, cpu, cuda or cuda:N.
    """
    folder = folder if folder.is_dir() else find_model(folder)
    recipe = read_recipe(folder / _CONFIG_FILE, set)
    print(write_measured_card(recipe, folder, device=find_device(device)))


def _keep_config(config: Path, overrides: Sequence[str], folder: Path) -> None:
    """Put the config that made a model into its folder."""
    (folder / _CONFIG_FILE).write_text(resolved_config(config, overrides), encoding="utf-8")
