"""Data sets -> examples: mixing sets that carry different layers, learning label sets, counting forms."""

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from taggers.config import TaskConfig
from taggers.document import Document, Sentence, Span
from taggers.errors import ConfigError
from taggers.formats.files import read_file
from taggers.labeler import Chunk
from taggers.spans import Scheme
from taggers.tasks import Task, encode_layer, learn_labels
from training.config import DataConfig
from training.typography import vary_words

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


def read_documents(data: DataConfig, paths: Iterable[str], corpora: Path, layers: Mapping[str, str]) -> list[Document]:
    """Read files of one data set, with span labels renamed and only its tasks' layers kept.

    Args:
        data: The data set.
        paths: Some of its files.
        corpora: The folder that they start from.
        layers: Task name -> the name of its layer in the files. From here on a layer has its task's name, so that two
            tasks can learn from layers of one name in different data sets.

    Raises:
        ConfigError: A file is not there.
        FormatError: A file is malformed.
    """
    documents: list[Document] = []
    for name in paths:
        path = corpora / name
        if not path.is_file():
            raise ConfigError(f"no such file: {path} (the data's paths start from corpora = {str(corpora)!r})")
        documents.extend(name_layers(document, layers, data.labels) for document in read_file(path))
    return documents


def name_layers(document: Document, layers: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Document:
    """A document with these layers only (task name -> layer), by their tasks' names; ``labels`` renames span labels."""
    return replace(document, sentences=tuple(_only(sentence, layers, labels or {}) for sentence in document))


def _only(sentence: Sentence, layers: Mapping[str, str], labels: Mapping[str, str]) -> Sentence:
    def renamed(spans: Iterable[Span]) -> tuple[Span, ...]:
        named = (replace(span, label=labels.get(span.label, span.label)) for span in spans)
        return tuple(span for span in named if span.label != "O")

    return replace(
        sentence,
        tags={task: sentence.tags[layer] for task, layer in layers.items() if layer in sentence.tags},
        spans={task: renamed(sentence.spans[layer]) for task, layer in layers.items() if layer in sentence.spans},
    )


def join_layers(sets: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """All sentences of all sets; a sentence that two sets annotate in different layers becomes one with both.

    It is then encoded once for all its tasks. Sentences are the same when their words are.
    """
    joined: list[Sentence] = []
    for sentences in sets:
        partners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for index, sentence in enumerate(joined):
            partners[sentence.words].append(index)
        for sentence in sentences:
            waiting = partners.get(sentence.words, [])
            partner = next((index for index in waiting if not _layers(joined[index]) & _layers(sentence)), None)
            if partner is None:
                joined.append(sentence)
            else:
                waiting.remove(partner)
                joined[partner] = joined[partner].annotated(tags=dict(sentence.tags), spans=dict(sentence.spans))
    return joined


def _layers(sentence: Sentence) -> set[str]:
    return {*sentence.tags, *sentence.spans}


def learn_tasks(sentences: Sequence[Sentence], configs: Mapping[str, TaskConfig]) -> dict[str, Task]:
    """The label set of every task, from what the training sentences carry.

    Raises:
        ConfigError: No sentence carries a task's layer, or none of its labels is frequent enough.
    """
    tasks = {}
    for name, config in configs.items():
        layer = config.layer or name
        scheme = Scheme.parse(config.scheme)
        try:
            labels = learn_labels(sentences, kind=config.type, layer=name, scheme=scheme, min_count=config.min_count)
        except ValueError as error:
            raise ConfigError(f"tasks.{name}: no label occurs {config.min_count} times (min_count)") from error
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
            encoded = encode_layer(sentence, kind=task.kind, layer=name, scheme=task.scheme)
            if encoded is not None:
                known = map(task.labels.id, encoded)
                labels[name] = [MISSING if index is None else index for index in known]
        if labels and len(sentence):
            examples.append(Example(sentence.words, labels))
    return examples


def cut_examples(examples: Iterable[Example], chunks: Callable[[Sequence[str]], Sequence[Chunk]]) -> Iterator[Example]:
    """The examples as a network reads them: of one past its limit each chunk, its context's labels missing.

    Args:
        examples: Examples of any length.
        chunks: How the network's labeler cuts a sequence.
    """
    for example in examples:
        parts = chunks(example.forms)
        if len(parts) == 1:
            yield example
            continue
        done = 0
        for chunk in parts:
            kept = range(*chunk.keep.indices(len(chunk.forms)))
            before, after = [MISSING] * kept.start, [MISSING] * (len(chunk.forms) - kept.stop)
            yield Example(
                chunk.forms,
                {task: [*before, *ids[done : done + len(kept)], *after] for task, ids in example.labels.items()},
            )
            done += len(kept)


def set_words(examples: Sequence[Example], rate: float, seed: int, epoch: int) -> Iterator[Example]:
    """The examples, a share of ``rate`` of them in other typography, others in every epoch."""
    if not rate:
        yield from examples
        return
    order = random.Random(f"{seed}:{epoch}:typography")
    for example in examples:
        varied = order.random() < rate
        yield replace(example, forms=vary_words(example.forms, order)) if varied else example


def count_forms(sentences: Iterable[Sequence[str]]) -> Counter[str]:
    """How often each form occurs."""
    counts: Counter[str] = Counter()
    for words in sentences:
        counts.update(words)
    return counts
