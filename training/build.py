"""A recipe -> a trained model: the segmenter first, then the tagger, then the folder."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from taggers.boundaries import collect_expansions
from taggers.catalog import find_model
from taggers.checkpoint import Model, describe_network, load_model, make_labeler, save_model
from taggers.config import FeatureConfig, NetworkConfig, TransformerConfig
from taggers.document import Document
from taggers.embeddings import StaticVectors
from taggers.errors import ConfigError, ModelFolderError
from taggers.features import Featurizer, PieceTokenizer, build_vocabularies
from taggers.kernels import bound_kernel_cache
from taggers.labeler import Labeler
from taggers.manifest import Manifest, NetworkManifest, read_manifest, write_manifest
from taggers.network import TaggingNetwork, build_network
from taggers.pipeline import Tagger
from taggers.segmenter import Segmenter
from taggers.tasks import Task
from taggers.units import find_units
from training.characters import CharacterCorpus, boundary_task
from training.checkpoints import claim_checkpoints
from training.config import DataConfig, PiecesConfig, Recipe, TrainingConfig
from training.corpora import carried_tasks, read_documents
from training.data import (
    DevSet,
    Example,
    TrainSet,
    count_forms,
    cut_examples,
    draw_examples,
    join_examples,
    learn_tasks,
    make_examples,
    set_words,
)
from training.judging import score_segmenter, score_tagger, warn_of_absent_labels, warn_of_unjudged_tasks
from training.loop import Judge, Training
from training.pretrained import load_pretrained
from training.pruning import keep_layers, prune_pieces, read_texts, without_space_mark
from training.vectors import read_vectors

_CHECKPOINTS = "checkpoints"
_WEIGHTS = "model.safetensors"

logger = logging.getLogger(__name__)


def build_model(recipe: Recipe, folder: Path, *, resume: bool, device: torch.device) -> Model:
    """Train everything that a recipe asks for and write the model folder.

    Checkpoints and logs go to ``folder/checkpoints``, from which ``resume`` goes on.

    Raises:
        ConfigError: The recipe does not fit the data, what is installed or the checkpoints that are there.
        FormatError: A data file is malformed.
    """
    bound_kernel_cache()
    corpora = Path(recipe.corpora)
    checkpoints = folder / _CHECKPOINTS
    claim_checkpoints(checkpoints, recipe, resume=resume)
    # Both are prepared before either is trained: what is wrong with one must not show hours after the other began.
    train_segmenter = _prepare_segmenter(recipe, corpora, checkpoints / "segmenter", resume=resume, device=device)
    train_tagger = _prepare_tagger(recipe, corpora, checkpoints / "tagger", resume=resume, device=device)
    segmenter = train_segmenter()
    tagger = train_tagger()
    manifest = Manifest(
        name=recipe.model.name,
        language=recipe.model.language,
        description=recipe.model.description,
        license=recipe.model.license,
        storage=recipe.model.storage,
        tagger=describe_network(tagger, recipe.tagger_network()),
        segmenter=segmenter and segmenter[1],
        expansions=segmenter[0].expansions if segmenter else {},
    )
    model = Model(manifest, tagger, segmenter and segmenter[0], folder)
    _save(folder, model)
    logger.info("wrote %s", folder)
    return model


def _save(folder: Path, model: Model) -> None:
    """Write the model folder; the scores that it holds stay if their weights do."""
    weights = folder / _WEIGHTS
    try:
        scores, measured = read_manifest(folder).scores, weights.read_bytes()
    except (ModelFolderError, OSError):
        scores, measured = {}, b""
    save_model(folder, model)
    if scores and weights.read_bytes() == measured:
        write_manifest(folder, model.manifest.model_copy(update={"scores": scores}))


def _prepare_tagger(
    recipe: Recipe, corpora: Path, folder: Path, *, resume: bool, device: torch.device
) -> Callable[[], Labeler]:
    """Read everything; what is returned trains."""
    config = recipe.tagger_network()
    layers = {name: task.layer or name for name, task in config.tasks.items()}
    train, dev = _read_sets(recipe.data, corpora, layers)
    sentences = [sentence for train_set in train for sentence in train_set.sentences]
    tasks = learn_tasks(sentences, config.tasks, unannotated=[data.unannotated for data in recipe.data])
    whole = join_examples(
        make_examples(one.sentences, tasks, unannotated=one.unannotated, share=one.share) for one in train
    )
    logger.info("training sentences: %d, joined from %d", len(whole), len(sentences))
    warn_of_absent_labels(dev, tasks)
    warn_of_unjudged_tasks(dev, tasks)
    rate, seed = recipe.training.typography_rate, recipe.training.seed
    # The union of counters takes the larger count: a form must not seem frequent for being seen in both.
    forms = count_forms(e.forms for e in whole) | count_forms(e.forms for e in set_words(whole, rate, seed, 0))
    labeler = _fresh_labeler(
        config,
        tasks,
        forms,
        corpora,
        seed=seed,
        kept=recipe.model.pieces,
        pretrained_layers=recipe.model.pretrained_layers,
    )

    def judge(network: TaggingNetwork) -> Mapping[str, float]:
        judged = make_labeler(network, labeler.featurizer, tasks, config)
        manifest = Manifest(name="dev", language="", tagger=describe_network(judged, config))
        return score_tagger(Tagger(Model(manifest, judged, None)), dev)

    def epoch_examples(epoch: int) -> Sequence[Example]:
        drawn = draw_examples(whole, seed, epoch)
        return list(cut_examples(set_words(drawn, rate, seed, epoch), labeler.chunks))

    def train_tagger() -> Labeler:
        _train(
            labeler,
            examples=epoch_examples,
            judge=judge,
            weights={name: task.weight for name, task in config.tasks.items()},
            config=recipe.training,
            folder=folder,
            resume=resume,
            device=device,
        )
        return labeler

    return train_tagger


def _prepare_segmenter(
    recipe: Recipe, corpora: Path, folder: Path, *, resume: bool, device: torch.device
) -> Callable[[], tuple[Segmenter, NetworkManifest] | None]:
    """Read everything; what is returned trains."""
    wanted = recipe.segmenter
    if wanted is None:
        return lambda: None
    if wanted.model is not None:
        borrowed = _borrow_segmenter(wanted.model, device)
        return lambda: borrowed
    config = recipe.segmenter_network()
    train = [document for data in wanted.data for document in read_documents(data, data.train, corpora, {})]
    dev = [document for data in wanted.data for document in read_documents(data, data.dev, corpora, {})]
    _check_dev(dev)
    seed = wanted.training.seed
    corpus = CharacterCorpus.from_documents(
        train,
        units=wanted.units,
        lookahead=wanted.lookahead,
        joints=wanted.joints,
        newline_rate=wanted.newline_rate,
        tight_rate=wanted.tight_rate,
        typography_rate=wanted.training.typography_rate,
    )
    tasks = {task.name: task for task in [boundary_task()]}
    varied = count_forms(example.forms for example in corpus.examples(seed=seed, epoch=0))
    found = (find_units(document.text, wanted.units, lookahead=wanted.lookahead) for document in train)
    forms = count_forms(units.forms for units in found) | varied
    labeler = _fresh_labeler(
        config, tasks, forms, corpora, seed=seed, kept=wanted.pieces, pretrained_layers=wanted.pretrained_layers
    )
    expansions = collect_expansions(train, find_opens=lambda text: find_units(text, wanted.units).opens)

    def finished(trained: Labeler) -> Segmenter:
        return Segmenter(trained, expansions, units=config.units, lookahead=config.lookahead)

    def judge(network: TaggingNetwork) -> Mapping[str, float]:
        judge_labeler = make_labeler(network, labeler.featurizer, tasks, config)
        return score_segmenter(finished(judge_labeler), dev)

    def train_segmenter() -> tuple[Segmenter, NetworkManifest]:
        _train(
            labeler,
            examples=lambda epoch: corpus.examples(seed=seed, epoch=epoch),
            judge=judge,
            weights=dict.fromkeys(tasks, 1.0),
            config=wanted.training,
            folder=folder,
            resume=resume,
            device=device,
        )
        return finished(labeler), describe_network(labeler, config)

    return train_segmenter


def _borrow_segmenter(name: str, device: torch.device) -> tuple[Segmenter, NetworkManifest]:
    lender = load_model(find_model(name), device=device)
    if lender.segmenter is None or lender.manifest.segmenter is None:
        raise ConfigError(f"segmenter.model: the model {name!r} has no segmenter")
    return lender.segmenter, lender.manifest.segmenter


def _train(
    labeler: Labeler,
    *,
    examples: Callable[[int], Sequence[Example]],
    judge: Judge,
    weights: Mapping[str, float],
    config: TrainingConfig,
    folder: Path,
    resume: bool,
    device: torch.device,
) -> None:
    training = Training(
        labeler.network,
        labeler.featurizer,
        examples=examples,
        judge=judge,
        weights=weights,
        config=config,
        folder=folder,
        device=device,
    )
    done = training.run(resume=resume)
    logger.info("best dev score %.2f in epoch %d, %.0f s", 100 * done.best_score, done.best_epoch + 1, done.seconds)


def _fresh_labeler(
    config: NetworkConfig,
    tasks: Mapping[str, Task],
    forms: Mapping[str, int],
    corpora: Path,
    *,
    seed: int,
    kept: PiecesConfig | None = None,
    pretrained_layers: int | None = None,
) -> Labeler:
    piece_model: nn.Module | None = None
    tokenizer: PieceTokenizer | None = None
    if isinstance(config.encoder, TransformerConfig) and config.encoder.pretrained:
        piece_model, tokenizer = load_pretrained(config.encoder.pretrained)
        if pretrained_layers is not None:
            keep_layers(piece_model, pretrained_layers)
        if kept is not None:
            tokenizer = tokenizer if kept.spaces else without_space_mark(tokenizer)
            needed = Counter(forms) + read_texts(corpora, kept.texts)
            tokenizer = prune_pieces(piece_model, tokenizer, needed, min_count=kept.min_count, charset=kept.charset)
    words, vectors = _read_vectors(config.features, corpora)
    vocabularies = build_vocabularies(forms, config.features, vectors=words)
    torch.manual_seed(seed)
    network = build_network(config, tasks, vocabularies, piece_model=piece_model, vectors=vectors)
    logger.info("parameters: %d", sum(parameter.numel() for parameter in network.parameters()))
    return make_labeler(network, Featurizer(config.features, vocabularies, tokenizer=tokenizer), tasks, config)


def _read_vectors(config: FeatureConfig, corpora: Path) -> tuple[Sequence[str], StaticVectors | None]:
    if config.vectors is None:
        return (), None
    return read_vectors(corpora / config.vectors.source, max_words=config.vectors.max_words)


def _read_sets(
    sets: Sequence[DataConfig], corpora: Path, layers: Mapping[str, str]
) -> tuple[list[TrainSet], list[DevSet]]:
    train: list[TrainSet] = []
    dev: list[DevSet] = []
    for data in sets:
        kept = {task: layers[task] for task in data.tasks}
        labels: set[str] = set()
        documents = read_documents(data, data.train, corpora, kept, labels=labels)
        _warn_of_absent_layers(data.train, documents, kept)
        sentences = [sentence for document in documents for sentence in document]
        train.append(TrainSet(sentences, data.unannotated, data.share))
        if data.dev:
            judged = read_documents(data, data.dev, corpora, kept, labels=labels)
            _warn_of_absent_layers(data.dev, judged, kept)
            dev.append(DevSet(judged, data.tasks, data.dev[0], data.unannotated))
        _warn_of_idle_renames(data, labels)
    _check_dev(document for dev_set in dev for document in dev_set.documents)
    return train, dev


def _warn_of_absent_layers(files: Sequence[str], documents: Sequence[Document], layers: Mapping[str, str]) -> None:
    """A layer may be absent, and then costs nothing in the loss; but whoever names it thinks that it is there."""
    if files and (absent := layers.keys() - carried_tasks(documents)):
        listed = ", ".join(repr(layers[task]) for task in sorted(absent))
        logger.warning("%s: tasks names what no word is annotated with: %s", ", ".join(files), listed)


def _warn_of_idle_renames(data: DataConfig, found: Collection[str]) -> None:
    if (files := [*data.train, *data.dev]) and (absent := data.labels.keys() - found):
        listed, there = (", ".join(map(repr, sorted(labels))) or "none" for labels in (absent, found))
        logger.warning("%s: labels renames what no span is: %s; there are: %s", ", ".join(files), listed, there)


def _check_dev(documents: Iterable[Document]) -> None:
    if not any(len(sentence) for document in documents for sentence in document):
        raise ConfigError("the dev files hold no sentence to choose the best epoch by")
