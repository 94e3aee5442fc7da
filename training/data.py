"""Data sets -> examples: mixing sets that carry different layers, learning label sets, counting forms."""

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from taggers.config import TaskConfig
from taggers.document import Document, Sentence
from taggers.errors import ConfigError
from taggers.labeler import Chunk
from taggers.labels import MISSING, label_set_id
from taggers.spans import Scheme
from taggers.tasks import Task, encode_layer, learn_labels
from training.corpora import known_labels
from training.typography import vary_words

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence to learn from: its forms, and for each task that it carries one id a form, as ``labels.py`` says.

    ``share`` is how often an epoch draws it.
    """

    forms: Sequence[str]
    labels: Mapping[str, Sequence[int]]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainSet:
    """Sentences to learn from, the span labels that are not annotated in them, and the share that an epoch draws."""

    sentences: Sequence[Sentence]
    unannotated: tuple[str, ...] = ()
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class DevSet:
    """Documents to be judged on, with the only layers that are to be judged, and the span labels that are not."""

    documents: Sequence[Document]
    tasks: tuple[str, ...]
    name: str
    unannotated: tuple[str, ...] = ()


def learn_tasks(
    sentences: Sequence[Sentence],
    configs: Mapping[str, TaskConfig],
    *,
    unannotated: Iterable[Collection[str]] = (),
) -> dict[str, Task]:
    """The labels of every task, from what the training sentences carry.

    Args:
        sentences: Those of all sets.
        configs: The tasks.
        unannotated: The span labels that are not annotated in each of the sets.

    Raises:
        ConfigError: No sentence carries a task's layer, or spans where tags are wanted, none of its labels is frequent
            enough, or a label that is not annotated somewhere is annotated nowhere.
    """
    tasks = {}
    for name, config in configs.items():
        layer = config.layer or name
        scheme = Scheme.parse(config.scheme)
        try:
            labels = learn_labels(sentences, kind=config.type, layer=name, scheme=scheme, min_count=config.min_count)
        except ValueError as error:
            raise ConfigError(f"tasks.{name}: no label occurs {config.min_count} times (min_count)") from error
        if labels is None and any(name in sentence.spans for sentence in sentences):
            raise ConfigError(f'tasks.{name}: the layer {layer!r} holds spans: type = "span" is missing')
        if labels is None:
            raise ConfigError(f"tasks.{name}: no training sentence carries the layer {layer!r}")
        tasks[name] = Task(name, config.type, layer, labels, scheme)
        logger.info("task %s: %d labels", name, len(labels))
    gaps = list(unannotated)
    known = known_labels(tasks.values())
    if unknown := {label for gap in gaps for label in gap} - known:
        raise ConfigError(
            f"unannotated: no training data has spans of {sorted(unknown)[0]!r}; there are: {', '.join(sorted(known))}"
        )
    return {name: replace(task, label_sets=_label_sets(task, gaps)) for name, task in tasks.items()}


def _label_sets(task: Task, gaps: Iterable[Collection[str]]) -> tuple[tuple[int, ...], ...]:
    """For each set with a gap in this task's annotation, what its tokens outside all spans may be."""
    if task.kind != "span":
        return ()
    return tuple(dict.fromkeys(outside for gap in gaps if len(outside := task.outside(gap)) > 1))


def make_examples(
    sentences: Iterable[Sentence],
    tasks: Mapping[str, Task],
    *,
    unannotated: Collection[str] = (),
    share: float = 1.0,
) -> list[Example]:
    """Sentences that have words and at least one of the tasks' layers, as ids; an unknown label is missing.

    Args:
        sentences: Those of one set.
        tasks: The tasks.
        unannotated: The span labels that are not annotated in the set: one that the tasks were learned with.
        share: How often an epoch draws each.
    """
    examples = []
    outside = {name: _outside_id(task, unannotated) for name, task in tasks.items() if task.kind == "span"}
    for sentence in sentences:
        labels = {}
        for name, task in tasks.items():
            encoded = encode_layer(sentence, kind=task.kind, layer=name, scheme=task.scheme)
            if encoded is not None:
                ids = [MISSING if (index := task.labels.id(label)) is None else index for label in encoded]
                labels[name] = [index or outside[name] for index in ids] if outside.get(name) else ids
        if labels and len(sentence):
            examples.append(Example(sentence.words, labels, share))
    return examples


def _outside_id(task: Task, unannotated: Collection[str]) -> int:
    """The id of a token outside all spans: 0, which is ``O``, or that of a label set."""
    allowed = task.outside(unannotated)
    return label_set_id(task.label_sets.index(allowed)) if len(allowed) > 1 else 0


def join_examples(sets: Iterable[Sequence[Example]]) -> list[Example]:
    """The examples of all sets; a sentence that two sets annotate for different tasks becomes one with both.

    It is then encoded once for all its tasks, as often as the set that is drawn more often. Sentences are the same when
    their words are.
    """
    joined: list[Example] = []
    for examples in sets:
        partners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for index, example in enumerate(joined):
            partners[tuple(example.forms)].append(index)
        for example in examples:
            waiting = partners.get(tuple(example.forms), [])
            partner = next((i for i in waiting if not joined[i].labels.keys() & example.labels.keys()), None)
            if partner is None:
                joined.append(example)
            else:
                waiting.remove(partner)
                first = joined[partner]
                joined[partner] = Example(
                    first.forms, {**first.labels, **example.labels}, max(first.share, example.share)
                )
    return joined


def draw_examples(examples: Iterable[Example], seed: int, epoch: int) -> Iterator[Example]:
    """The examples of one epoch: of those with a share below 1 that share, others in every epoch."""
    order = random.Random(f"{seed}:{epoch}:shares")
    for example in examples:
        if example.share == 1.0 or order.random() < example.share:
            yield example


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


def set_words(examples: Iterable[Example], rate: float, seed: int, epoch: int) -> Iterator[Example]:
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
