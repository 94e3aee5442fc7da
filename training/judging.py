"""Dev scores: what decides which epoch of a training was the best."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from taggers.document import Document
from taggers.errors import ConfigError
from taggers.pipeline import Tagger
from taggers.segmenter import Segmenter
from taggers.tasks import Task
from training.characters import undivided
from training.corpora import annotated_types, carried_tasks, known_labels, span_labels
from training.data import DevSet
from training.evaluation import evaluate

_BATCH_TOKENS = 4000
_EVALUATED = ("upos", "xpos", "feats", "lemma")
"""The columns that every evaluation scores."""

logger = logging.getLogger(__name__)


def answer(
    tagger: Tagger, documents: Sequence[Document], *, raw: bool, tasks: Iterable[str] | None = None
) -> list[Document]:
    """What the tagger makes of bare documents, or with ``raw`` of their texts alone; ``tasks`` None for all."""
    if raw:
        documents = tagger.segment([document.text for document in documents], ids=[d.id for d in documents])
    return tagger.tag(documents, tasks=tasks)


def warn_of_absent_labels(dev: Iterable[DevSet], tasks: Mapping[str, Task]) -> None:
    """Where a dev set has no span of a label, every one that is found is wrong: unless nobody marked them."""
    for dev_set in dev:
        known = known_labels(tasks[name] for name in dev_set.tasks)
        if absent := known - span_labels(dev_set.documents) - {*dev_set.unannotated}:
            listed = ", ".join(map(repr, sorted(absent)))
            logger.warning("%s has no span of %s: not annotated? Then unannotated = [...]", dev_set.name, listed)


def warn_of_unjudged_tasks(dev: Iterable[DevSet], tasks: Iterable[str]) -> None:
    """A task that no dev file carries has no say in which epoch is the best."""
    judged = {task for dev_set in dev for task in carried_tasks(dev_set.documents)}
    if unjudged := {*tasks} - judged:
        listed = ", ".join(map(repr, sorted(unjudged)))
        logger.warning("no dev file carries %s, so it is not judged", listed)


def score_tagger(tagger: Tagger, dev: Sequence[DevSet]) -> dict[str, float]:
    """Dev scores by task, averaged over the sets that carry it, and ``score``, the mean of the tasks.

    Raises:
        ConfigError: No set carries any of its tasks.
    """
    found: dict[str, list[float]] = {}
    for dev_set in dev:
        for name, value in _score_set(tagger, dev_set).items():
            found.setdefault(name, []).append(value)
    means = {name: sum(values) / len(values) for name, values in found.items()}
    if not means:
        raise ConfigError("the dev files carry none of the tasks that they are to be judged by")
    return {"score": sum(means.values()) / len(means), **means}


def score_segmenter(segmenter: Segmenter, dev: Sequence[Document]) -> dict[str, float]:
    """F1 of tokens, words and sentences on the raw dev texts, and ``score``, their mean."""
    raw = undivided(dev)
    found = evaluate(lambda _: segmenter.segment([document.text for document in raw]), dev, raw=True).segmentation
    assert found is not None, "raw scores hold the segmentation"
    return {"score": sum(found.values()) / len(found), **found}


def _score_set(tagger: Tagger, dev_set: DevSet) -> dict[str, float]:
    answers: list[Document] = []

    def tag(documents: Sequence[Document]) -> Sequence[Document]:
        answers.extend(tagger.tag(documents, tasks=dev_set.tasks, max_batch_tokens=_BATCH_TOKENS))
        return answers

    judged = [tagger.tasks[name] for name in dev_set.tasks]
    types = annotated_types(dev_set.documents, judged, dev_set.unannotated)
    scores = evaluate(tag, dev_set.documents, types=types)
    found = {layer: value for layer, value in scores.layers.items() if layer != "ufeats_universal"}
    for task in dev_set.tasks:
        if task in scores.spans:
            found[task] = scores.spans[task].f1
        elif task not in _EVALUATED and tagger.tasks[task].kind != "span":
            found |= _accuracy(dev_set.documents, answers, task)
    return found


def _accuracy(gold: Sequence[Document], predicted: Sequence[Document], task: str) -> dict[str, float]:
    """The accuracy of a column that no evaluation knows by its name; nothing where gold does not have it."""
    right = [
        tag == guess
        for document, answer in zip(gold, predicted, strict=True)
        for sentence, guessed in zip(document, answer, strict=True)
        for tag, guess in zip(sentence.tags.get(task, ()), guessed.tags[task], strict=False)
    ]
    return {task: sum(right) / len(right)} if right else {}
