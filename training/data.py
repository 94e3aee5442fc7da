"""Data sets -> examples: mixing sets that carry different layers, learning label sets, counting forms."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from taggers.config import TaskConfig
from taggers.document import Document, Sentence, Span
from taggers.errors import ConfigError
from taggers.formats.files import read_file
from taggers.spans import Scheme
from taggers.tasks import Task, learn_labels
from training.config import DataConfig

MISSING = -100
"""The label id of a position that is not annotated: it costs nothing."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence to learn from: its forms, and for each task that it carries one label id a form."""

    forms: Sequence[str]
    labels: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class DevSet:
    """Documents to be judged on, with the only layers that are to be judged."""

    documents: Sequence[Document]
    tasks: tuple[str, ...]
    name: str


def read_documents(data: DataConfig, paths: Iterable[str], corpora: Path, layers: Iterable[str]) -> list[Document]:
    """Read files of one data set, with span labels renamed and only ``layers`` kept.

    Raises:
        ConfigError: A file is not there.
        FormatError: A file is malformed.
    """
    documents: list[Document] = []
    kept = tuple(layers)
    for name in paths:
        path = corpora / name
        if not path.is_file():
            raise ConfigError(f"no such file: {path} (the data's paths start from corpora = {str(corpora)!r})")
        documents.extend(_prepare(document, data.labels, kept) for document in read_file(path))
    return documents


def _prepare(document: Document, labels: Mapping[str, str], layers: tuple[str, ...]) -> Document:
    return replace(document, sentences=tuple(_only(sentence, labels, layers) for sentence in document))


def _only(sentence: Sentence, labels: Mapping[str, str], layers: tuple[str, ...]) -> Sentence:
    def renamed(spans: Iterable[Span]) -> tuple[Span, ...]:
        named = (replace(span, label=labels.get(span.label, span.label)) for span in spans)
        return tuple(span for span in named if span.label != "O")

    return replace(
        sentence,
        tags={layer: column for layer, column in sentence.tags.items() if layer in layers},
        spans={layer: renamed(spans) for layer, spans in sentence.spans.items() if layer in layers},
    )


def join_layers(sets: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """All sentences of all sets; a sentence that two sets annotate in different layers becomes one with both.

    It is then encoded once for all its tasks. Sentences are the same when their words are.
    """
    joined: list[Sentence] = []
    for sentences in sets:
        partners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for index in range(len(joined) - 1, -1, -1):  # so that pop() takes the first
            partners[joined[index].words].append(index)
        for sentence in sentences:
            waiting = partners.get(sentence.words)
            if waiting and not _layers(joined[waiting[-1]]) & _layers(sentence):
                index = waiting.pop()
                joined[index] = joined[index].annotated(tags=dict(sentence.tags), spans=dict(sentence.spans))
            else:
                joined.append(sentence)
    return joined


def _layers(sentence: Sentence) -> set[str]:
    return {*sentence.tags, *sentence.spans}


def learn_tasks(sentences: Sequence[Sentence], configs: Mapping[str, TaskConfig]) -> dict[str, Task]:
    """The label set of every task, from what the training sentences carry.

    Raises:
        ConfigError: No sentence carries a task's layer.
    """
    tasks = {}
    for name, config in configs.items():
        layer = config.layer or name
        scheme = Scheme.parse(config.scheme)
        labels = learn_labels(sentences, kind=config.type, layer=layer, scheme=scheme, min_count=config.min_count)
        if labels is None:
            raise ConfigError(f"tasks.{name}: no training sentence carries the layer {layer!r}")
        tasks[name] = Task(name, config.type, layer, labels, scheme)
        logger.info("task %s: %d labels", name, len(labels))
    return tasks


def make_examples(sentences: Iterable[Sentence], tasks: Mapping[str, Task]) -> list[Example]:
    """Sentences that have words and at least one of the tasks' layers, as ids; an unknown label is missing."""
    examples = []
    for sentence in sentences:
        labels = {}
        for name, task in tasks.items():
            encoded = task.encode(sentence)
            if encoded is not None:
                known = map(task.labels.id, encoded)
                labels[name] = [MISSING if index is None else index for index in known]
        if labels and len(sentence):
            examples.append(Example(sentence.words, labels))
    return examples


def count_forms(sentences: Iterable[Sequence[str]]) -> Counter[str]:
    """How often each form occurs."""
    counts: Counter[str] = Counter()
    for words in sentences:
        counts.update(words)
    return counts
