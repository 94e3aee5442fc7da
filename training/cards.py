"""Write a model's card into its folder: when it is trained, and when it is measured on its recipe's test sets."""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import join, quote

import torch

from taggers.catalog import bundled_models
from taggers.checkpoint import Model, load_model
from taggers.config import BiLSTMConfig, CNNConfig, EncoderConfig, TransformerConfig
from taggers.document import Document
from taggers.errors import ConfigError, FormatError
from taggers.manifest import read_manifest, write_manifest
from taggers.pipeline import Tagger
from training.config import DataConfig, Recipe
from training.corpora import annotated_types, read_documents
from training.evaluation import evaluate
from training.judging import answer
from training.report import CARD_FILE, CardFacts, DataSource, Measurement, write_card
from training.scores import Scores

logger = logging.getLogger(__name__)


def write_first_card(recipe: Recipe, model: Model, folder: Path) -> None:
    """Write the card of a model that was just written into ``folder``, without scores; one with scores that hold stays.

    Raises:
        ModelFolderError: The folder is damaged.
        FormatError: A log of the training is malformed.
    """
    if not (read_manifest(folder).scores and (folder / CARD_FILE).is_file()):
        _write_card(recipe, Tagger(model), folder, [])


def write_measured_card(recipe: Recipe, folder: Path, *, device: torch.device) -> Path:
    """Score the model in ``folder`` on its recipe's test sets; write its card, and the scores into ``config.json``.

    Raises:
        ConfigError: The recipe names no test file, or a file is not there.
        ModelFolderError: The folder is damaged.
        FormatError: A test file is malformed, or a log of the training.
    """
    tagger = Tagger(load_model(folder, device=device))
    address = _address(recipe.model.name, folder)
    measured = [one for data in recipe.data for one in _measure(tagger, data, Path(recipe.corpora), address)]
    if not measured:
        raise ConfigError("no [[data]] of the training config names a test file")
    manifest = read_manifest(folder)
    scores = {f"{m.data} {m.split}, {m.conditions}": m.scores.to_json() for m in measured}
    write_manifest(folder, manifest.model_copy(update={"scores": scores}))
    return _write_card(recipe, tagger, folder, measured)


def _write_card(recipe: Recipe, tagger: Tagger, folder: Path, measured: Sequence[Measurement]) -> Path:
    facts = CardFacts(
        name=recipe.model.name,
        address=_address(recipe.model.name, folder),
        language=recipe.model.language,
        license=recipe.model.license,
        description=recipe.model.description,
        encoder=describe_encoder(recipe.model.encoder),
        data=[DataSource(data.name, data.license, data.url, data.attribution) for data in _sources(recipe)],
        scores=measured,
        training_seconds=sum(_seconds(log) for log in folder.glob("checkpoints/*/log.jsonl")),
        num_parameters=tagger.num_parameters,
        limits=recipe.model.limits,
        training_machine=recipe.model.machine,
    )
    return write_card(folder, facts)


def describe_encoder(config: EncoderConfig) -> str:
    """The encoder in a sentence."""
    match config:
        case BiLSTMConfig():
            return f"A bidirectional {config.cell.upper()} of {config.layers} layers, width {config.width}."
        case CNNConfig():
            return (
                f"Gated convolutions of width {config.width} and kernel {config.kernel}, dilations {config.dilations}."
            )
        case TransformerConfig(pretrained=None):
            return f"A Transformer from scratch of {config.layers} layers, width {config.width}, {config.heads} heads."
        case TransformerConfig():
            return f"A fine-tuned Transformer, {config.pretrained}, pooled to words by {config.pooling}."


def _address(name: str, folder: Path) -> str:
    """What commands call the model: a bundled one by its name, any other by its folder."""
    bundled = bundled_models().get(name)
    return name if bundled and bundled.samefile(folder) else str(folder)


def _measure(tagger: Tagger, data: DataConfig, corpora: Path, address: str) -> Iterator[Measurement]:
    if not data.test:
        return
    layers = {task: tagger.tasks[task].layer for task in data.tasks}
    gold = read_documents(data, data.test, corpora, layers)
    types = annotated_types(gold, [tagger.tasks[task] for task in data.tasks], data.unannotated)
    # Where corpora were on one machine is nobody else's business: of an absolute path only what is inside is told.
    files = [str((Path("corpora") if corpora.is_absolute() else corpora) / name) for name in data.test]
    as_they_are = read_documents(DataConfig(), data.test, corpora, layers) == gold

    def measurement(conditions: str, option: str, scores: Scores) -> Measurement:
        only = (f"; {', '.join(types)} only", f" --types {','.join(types)}") if types else ("", "")
        command = f"tagline evaluate {join([address, *files])}{option}{only[1]}"
        # Labels renamed and documents chosen: the config in the model's folder knows how, an evaluation of files not.
        command = command if as_they_are else f"tagline card {quote(address)}"
        return Measurement(data.name or ", ".join(data.test), "test", conditions + only[0], scores, command)

    def tag(documents: Sequence[Document]) -> Sequence[Document]:
        return answer(tagger, documents, raw=False, tasks=data.tasks)

    def tag_raw(documents: Sequence[Document]) -> Sequence[Document]:
        return answer(tagger, documents, raw=True, tasks=data.tasks)

    scores = evaluate(tag, gold, types=types, model=tagger.name, files=files)
    yield measurement("gold tokens", "", scores)
    if tagger.can_segment:
        scores = evaluate(tag_raw, gold, raw=True, types=types, model=tagger.name, files=files)
        yield measurement("raw text", " --raw", scores)


def _sources(recipe: Recipe) -> list[DataConfig]:
    """The data sets that have a name, the segmenter's included, each once."""
    sets = [*recipe.data, *(recipe.segmenter.data if recipe.segmenter else ())]
    return list({data.name: data for data in reversed(sets) if data.name}.values())[::-1]


def _seconds(log: Path) -> float:
    lines = log.read_text(encoding="utf-8").splitlines()
    try:
        return float(json.loads(lines[-1])["seconds"]) if lines else 0.0
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(log, len(lines), f"expected a JSON object with seconds, found {lines[-1][:40]!r}") from error
