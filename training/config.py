"""The training config: TOML read into pydantic models; an unknown key is an error that names the nearest known one."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli_w
from pydantic import BaseModel, Field, PositiveInt, ValidationError, field_validator, model_validator

from taggers.config import (
    Config,
    EncoderConfig,
    FeatureConfig,
    Fraction,
    NetworkConfig,
    Storage,
    TaskConfig,
    TransformerConfig,
)
from taggers.errors import ConfigError
from taggers.units import UnitKind

Positive = Annotated[float, Field(gt=0)]


class PiecesConfig(Config):
    """Which pieces of a pretrained encoder's tokenizer are kept: those that the training data and ``texts`` need.

    Attributes:
        min_count: Rarer pieces are dropped, but for single characters.
        texts: Text files, or folders of them, that start from ``corpora``.
        charset: All single characters of this encoding are kept, too (``euc_jp``: every usual kanji).
        spaces: Whether words begin with the tokenizer's mark of a space; false for a language written without spaces.
    """

    min_count: PositiveInt = 1
    texts: tuple[str, ...] = ()
    charset: str | None = None
    spaces: bool = True

    @field_validator("charset")
    @classmethod
    def _known(cls, charset: str | None) -> str | None:
        try:
            "a".encode(charset or "ascii")
        except LookupError as error:
            raise ValueError(f"Python knows no encoding {charset!r}") from error
        return charset


class ModelConfig(Config):
    """The tagger's network, and what the model folder says of itself.

    ``pieces`` prunes the vocabulary of a pretrained encoder, and ``pretrained_layers`` says how many of its layers are
    kept, from the first on; without them, all is. ``storage`` says how the folder holds the weights. ``limits`` and
    ``machine`` (what it was trained on) go into the card.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    language: str
    description: str = ""
    license: str = ""
    limits: str = ""
    machine: str = ""
    features: FeatureConfig = FeatureConfig()
    encoder: EncoderConfig
    pieces: PiecesConfig | None = None
    pretrained_layers: PositiveInt | None = None
    storage: Storage = "fp16"
    window: PositiveInt = 512
    margin: PositiveInt = 32

    @model_validator(mode="after")
    def _only_pretrained_is_pruned(self) -> "ModelConfig":
        _check_pruning(self.encoder, self.pieces, self.pretrained_layers)
        return self


class DocumentChoice(Config):
    """The documents of a data set that a table chooses, for instance by their licenses; the others are not read.

    Attributes:
        table: A file of tab-separated columns that starts from ``corpora``. The first line names the columns; the first
            column holds the ids of the documents, of which every one must be there.
        column: The column that chooses.
        value: What it holds for the documents to be read.
    """

    table: str
    column: str
    value: str


class DataConfig(Config):
    """One data set, or some files of one that are alike; what is told of a ``name`` goes into the card once.

    Attributes:
        name: Its name in the card, with its ``license``, ``url`` and ``attribution``.
        train: Files to learn from. All paths start from ``corpora``.
        dev: Files to choose the best epoch by.
        test: Files to measure the finished model on.
        tasks: The layers that it carries; a layer that it lacks costs nothing in the loss.
        labels: Renames span labels as they are read; ``O`` drops the spans.
        share: The share of the training sentences that an epoch draws, others in every epoch: for a set that is large
            for what it teaches.
        unannotated: Span labels, as renamed, that are not annotated here, or not always. A token outside all spans may
            then be part of such a span, so it is not learned to be ``O``, but to be ``O`` or part of one; dev and test
            files are scored on the other labels.
        join_after: Words that, tagged as a span of their own, belong to the span right behind (the ``@`` of names).
        documents: Which documents of the files are read; all without it.
    """

    name: str = ""
    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    unannotated: tuple[str, ...] = ()
    join_after: tuple[str, ...] = ()
    documents: DocumentChoice | None = None
    license: str = ""
    attribution: str = ""
    url: str = ""


class TrainingConfig(Config):
    """How long, how fast, in which order.

    Attributes:
        max_batch_tokens: The most positions in a batch, padding included.
        epochs: The most passes over the data; the learning rate falls to zero at their end.
        patience: Stop after so many epochs without a better dev score.
        keep: The weights of the epoch that was best on dev, or those of the last one, for dev files that are annotated
            otherwise than what is learned from: all epochs are then run, and dev is scored after the last alone.
        seed: For weights, dropout and the order of the batches.
        precision: ``fp32``, or mixed precision on a device that has it.
        learning_rate: The highest, after warm-up.
        encoder_learning_rate: That of a pretrained encoder.
        warmup: The part of all steps in which the learning rate rises.
        weight_decay: Of AdamW (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization").
        max_gradient_norm: Longer gradients are cut to this length.
        average: The decay of the moving average of the weights, which is what is evaluated and saved; 0 for none.
        typography_rate: The share of the texts that are set in curly quotes, dashes and emoji, others in every epoch.
        checkpoint_minutes: How much work a crash may cost at most.
    """

    max_batch_tokens: PositiveInt = 4000
    epochs: PositiveInt = 20
    patience: PositiveInt = 4
    keep: Literal["best", "last"] = "best"
    seed: int = 1
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    learning_rate: Positive = 2e-3
    encoder_learning_rate: Positive = 3e-4
    warmup: Fraction = 0.06
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    max_gradient_norm: Positive = 1.0
    average: Fraction = 0.0
    typography_rate: Fraction = 0.0
    checkpoint_minutes: Positive = 10.0


class SegmenterConfig(Config):
    """The segmenter: ``model`` takes that of another model as it is; otherwise one is trained on ``data``.

    Attributes:
        model: The model to take it from.
        units: What it labels: every character; syllables, which are runs of letters and digits, and other characters
            one by one; or runs, the same with letters and digits apart, and the "n" of "don't". No boundary can be
            found inside a unit: those that the data has there are counted, and multi-word tokens are looked up.
        features: Those of units. Of characters, prefixes are the n-grams that begin with one, see ``lookahead``.
        encoder: What reads them; a pretrained one reads syllables or runs.
        pieces: See ``ModelConfig``, as ``pretrained_layers``.
        window: In units.
        margin: See ``NetworkConfig``.
        lookahead: Of characters: how many of those behind its own each form shows.
        data: What is learned from.
        joints: What stands between sentences, which are then put together anew in every epoch of training, a dozen at
            most; for corpora whose documents are single sentences, or of one document. Without it documents stay as
            they are.
        newline_rate: The share of the texts in which, in training, the blank line between paragraphs becomes a single
            line end or a space, since people's texts have all three.
        tight_rate: The share of the texts in which, in training, punctuation stands close to its word: for corpora that
            set all tokens apart, as people do not.
        training: How long, how fast.
    """

    model: str | None = None
    units: UnitKind = "characters"
    features: FeatureConfig | None = None
    encoder: EncoderConfig | None = None
    pieces: PiecesConfig | None = None
    pretrained_layers: PositiveInt | None = None
    window: PositiveInt = 1024
    margin: PositiveInt = 64
    lookahead: Annotated[int, Field(ge=0, le=16)] = 0
    data: tuple[DataConfig, ...] = ()
    joints: tuple[str, ...] = ()
    newline_rate: Fraction = 0.2
    tight_rate: Fraction = 0.0
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _one_of_two(self) -> "SegmenterConfig":
        given = [self.features is not None, self.encoder is not None, bool(self.data)]
        if any(given) if self.model else not all(given):
            raise ValueError("give either model, to take its segmenter, or features, encoder and data, to train one")
        _check_pruning(self.encoder, self.pieces, self.pretrained_layers)
        if self.model is None:
            _check_files(self.data)
        return self


class Recipe(Config):
    """A whole training config.

    ``corpora`` is the folder that the data's paths start from; it is itself relative to the working directory.
    """

    corpora: str = "corpora"
    model: ModelConfig
    tasks: dict[str, TaskConfig] = Field(min_length=1)
    data: tuple[DataConfig, ...] = Field(min_length=1)
    segmenter: SegmenterConfig | None = None
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _tasks_have_data(self) -> "Recipe":
        carried = {task for data in self.data for task in data.tasks}
        if unknown := carried - self.tasks.keys():
            raise ValueError(
                f"data names the task {sorted(unknown)[0]!r}, but there is no [tasks.{sorted(unknown)[0]}]"
            )
        for data in self.data:
            if (files := [*data.train, *data.dev]) and not data.tasks:
                raise ValueError(f"the data of {files[0]!r} names no tasks, so nothing would come of it")
        if missing := self.tasks.keys() - {task for data in self.data if data.train for task in data.tasks}:
            raise ValueError(f"no training data carries the task {sorted(missing)[0]!r}")
        for name, task in self.tasks.items():
            if task.type == "boundaries":
                raise ValueError(f"tasks.{name}: boundaries are the task of the [segmenter], not of the tagger")
        for data in self.data:
            if data.unannotated and not any(self.tasks[task].type == "span" for task in data.tasks):
                raise ValueError(f"unannotated = {list(data.unannotated)}, but none of the data's tasks is of spans")
        _check_files(self.data)
        return self

    def tagger_network(self) -> NetworkConfig:
        """The tagger's network."""
        model = self.model
        return NetworkConfig(
            features=model.features, encoder=model.encoder, tasks=self.tasks, window=model.window, margin=model.margin
        )

    def segmenter_network(self) -> NetworkConfig:
        """The network of a segmenter that is trained."""
        segmenter = self.segmenter
        assert segmenter is not None, "asked for only where there is one"
        assert segmenter.features is not None, "checked by SegmenterConfig"
        assert segmenter.encoder is not None, "checked by SegmenterConfig"
        return NetworkConfig(
            features=segmenter.features,
            encoder=segmenter.encoder,
            tasks={"boundaries": TaskConfig(type="boundaries")},
            window=segmenter.window,
            margin=segmenter.margin,
            units=segmenter.units,
            lookahead=segmenter.lookahead,
        )


def _check_pruning(encoder: EncoderConfig | None, pieces: PiecesConfig | None, layers: int | None) -> None:
    pretrained = isinstance(encoder, TransformerConfig) and encoder.pretrained
    if (pieces or layers) and not pretrained:
        raise ValueError("pieces and pretrained_layers are of a pretrained encoder, and this one is not")


def _check_files(sets: Iterable[DataConfig]) -> None:
    """Without files to learn from, or to choose the best epoch by, a training would go on about nothing."""
    for split, purpose in (("train", "learn from"), ("dev", "choose the best epoch by")):
        if not any(getattr(data, split) for data in sets):
            raise ValueError(f"no data has {split} files, to {purpose}")


def read_recipe(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a training config.

    ``include`` names further TOML files, starting from the config's own folder: the config's tables replace theirs, but
    data sets are put behind theirs.

    Args:
        path: The TOML file.
        overrides: ``section.key=value``, each value in TOML (a bare word counts as a string).

    Raises:
        ConfigError: The file is not TOML, a key is unknown or a value is wrong; the message names every problem.
    """
    values = _read_values(path)
    for override in overrides:
        _override(values, override)
    return _to_recipe(path, values)


def resolved_config(path: Path, overrides: Iterable[str] = ()) -> str:
    """A training config in TOML as it was read: what it includes put in, and what overrides changed.

    But ``corpora`` stays as the file has it: where they were on one machine is nobody else's business.
    """
    values = _read_values(path)
    corpora = values.get("corpora")
    for override in overrides:
        _override(values, override)
    kept = values | {"corpora": corpora}
    return tomli_w.dumps({key: value for key, value in kept.items() if value is not None}, multiline_strings=True)


def _to_recipe(path: Path, values: dict[str, Any]) -> Recipe:
    place = ""
    try:
        recipe = Recipe.model_validate(values)
        place = "model: "
        recipe.tagger_network()  # features, encoder, window and margin must fit each other, too
        place = "segmenter: "
        if recipe.segmenter and recipe.segmenter.model is None:
            recipe.segmenter_network()
    except ValidationError as error:
        problems = [place + _explain(problem) for problem in error.errors()]
        raise ConfigError(f"{path}: " + "; ".join(problems)) from error
    return recipe


def _read_values(path: Path) -> dict[str, Any]:
    values = _read_toml(path)
    included = values.pop("include", [])
    if not isinstance(included, list) or not all(isinstance(name, str) for name in included):
        raise ConfigError(f"{path}: include: a list of file names is wanted")
    for name in included:
        more = _read_toml(path.parent / name)
        data = [*more.get("data", []), *values.get("data", [])]
        values = more | values | ({"data": data} if data else {})
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set wants section.key=value, found {override!r}")
    *sections, last = key.strip().split(".")
    table = values
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override}: {section!r} is not a table")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text.strip()


def _explain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        *parents, key = problem["loc"]
        nearest = difflib.get_close_matches(str(key), _known_keys(parents), n=1, cutoff=0.0)
        return f"{where}: unknown key; the nearest known one is {nearest[0]!r}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _known_keys(parents: Sequence[int | str]) -> list[str]:
    """The keys of the model that a location in a recipe leads to."""
    kinds: list[Any] = [Recipe]
    for part in parents:
        kinds = [found for kind in kinds for found in _step(kind, part)]
    return [item.alias or name for kind in kinds for name, item in kind.model_fields.items()]


def _step(kind: Any, part: int | str) -> list[Any]:
    """The models one part of a location leads to: by a field, by a variant's ``type``, or by an index or a name."""
    if models := _models_in(kind.model_fields[part].annotation) if part in kind.model_fields else []:
        return models
    variants = get_args(kind.model_fields["type"].annotation) if "type" in kind.model_fields else ()
    return [kind] if len(variants) != 1 or part in variants else []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]
