"""Files of a data set -> documents as tasks see them: chosen, with layers named by task, spans renamed and repaired."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from taggers.document import NO_VALUE, Document, Sentence, Span
from taggers.errors import ConfigError, FormatError
from taggers.formats.files import read_file
from taggers.formats.lines import read_lines
from taggers.tasks import Task
from training.config import DataConfig, DocumentChoice


def read_documents(
    data: DataConfig,
    paths: Iterable[str],
    corpora: Path,
    layers: Mapping[str, str],
    *,
    labels: set[str] | None = None,
) -> list[Document]:
    """Read files of one data set, with span labels renamed and only its tasks' layers kept, if a file has them.

    Args:
        data: The data set.
        paths: Some of its files.
        corpora: The folder that they start from.
        layers: Task name -> the name of its layer in the files. From here on a layer has its task's name, so that two
            tasks can learn from layers of one name in different data sets.
        labels: Takes in the span labels as the files have them.

    Raises:
        ConfigError: A file is not there, or the table of documents does not fit.
        FormatError: A file is malformed, or holds no sentence.
    """
    chosen = None if data.documents is None else _chosen(data.documents, corpora)
    documents: list[Document] = []
    for name in paths:
        path = _existing(corpora, name)
        found = read_file(path)
        if not any(document.sentences for document in found):
            raise FormatError(path, 1, "expected sentences, found none")
        if labels is not None:
            labels |= span_labels(found)
        kept = without_blank(layers, found)
        for document in found:
            if chosen is None or _is_chosen(document, chosen, path):
                renamed = name_layers(document, kept, data.labels)
                documents.append(_joined(renamed, data.join_after) if data.join_after else renamed)
    return documents


def name_layers(document: Document, layers: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Document:
    """A document with these layers only (task name -> layer), by their tasks' names; ``labels`` renames span labels."""
    return replace(document, sentences=tuple(_only(sentence, layers, labels or {}) for sentence in document))


def without_blank(layers: Mapping[str, str], documents: Collection[Document]) -> dict[str, str]:
    """Task name -> layer, without the columns that are ``_`` on every word of a file: CoNLL-U's way to have none.

    FEATS stays: there ``_`` is a value, no features.
    """

    def blank(layer: str) -> bool:
        columns = [sentence.tags[layer] for document in documents for sentence in document if layer in sentence.tags]
        return layer != "feats" and bool(columns) and all(value == NO_VALUE for column in columns for value in column)

    return {task: layer for task, layer in layers.items() if not blank(layer)}


def carried_tasks(documents: Iterable[Document]) -> set[str]:
    """The tasks whose layers any of the sentences has."""
    return {task for document in documents for sentence in document for task in (*sentence.tags, *sentence.spans)}


def annotated_types(
    gold: Iterable[Document], tasks: Iterable[Task], unannotated: Collection[str]
) -> tuple[str, ...] | None:
    """The span labels to score on documents in which some are not annotated; None where all are.

    Args:
        gold: The documents.
        tasks: The tasks that a model is scored on.
        unannotated: The span labels that the documents do not annotate.
    """
    return tuple(sorted((known_labels(tasks) | span_labels(gold)) - {*unannotated})) if unannotated else None


def known_labels(tasks: Iterable[Task]) -> set[str]:
    """The labels of the spans that these tasks find."""
    return {label for task in tasks if task.kind == "span" for label in task.span_labels}


def span_labels(documents: Iterable[Document]) -> set[str]:
    """The labels of all spans of all layers."""
    return {
        span.label
        for document in documents
        for sentence in document
        for spans in sentence.spans.values()
        for span in spans
    }


def _existing(corpora: Path, name: str) -> Path:
    path = corpora / name
    if not path.is_file():
        raise ConfigError(f"no such file: {path} (the data's paths start from corpora = {str(corpora)!r})")
    return path


def _only(sentence: Sentence, layers: Mapping[str, str], labels: Mapping[str, str]) -> Sentence:
    def renamed(spans: Iterable[Span]) -> tuple[Span, ...]:
        named = (replace(span, label=labels.get(span.label, span.label)) for span in spans)
        return tuple(span for span in named if span.label != "O")

    return replace(
        sentence,
        tags={task: sentence.tags[layer] for task, layer in layers.items() if layer in sentence.tags},
        spans={task: renamed(sentence.spans[layer]) for task, layer in layers.items() if layer in sentence.spans},
    )


def _joined(document: Document, openers: Collection[str]) -> Document:
    """The document with each span that is one of these words alone made part of the span of its label behind it."""
    alone = {(word,) for word in openers}

    def joined(sentence: Sentence, spans: Sequence[Span]) -> tuple[Span, ...]:
        kept: list[Span] = []
        for span in spans:
            opener = kept[-1] if kept else None
            if (
                opener
                and (opener.stop, opener.label) == (span.start, span.label)
                and sentence.words[opener.start : opener.stop] in alone
            ):
                kept[-1] = replace(span, start=opener.start)
            else:
                kept.append(span)
        return tuple(kept)

    sentences = (
        replace(sentence, spans={layer: joined(sentence, spans) for layer, spans in sentence.spans.items()})
        for sentence in document
    )
    return replace(document, sentences=tuple(sentences))


def _chosen(choice: DocumentChoice, corpora: Path) -> dict[str, bool]:
    """Document id -> whether its row chooses it."""
    path = _existing(corpora, choice.table)
    header, *lines = [line.rstrip("\r") for line in read_lines(path)]
    columns = header.split("\t")
    if choice.column not in columns:
        raise ConfigError(f"{path}: no column {choice.column!r}; there are: {', '.join(columns)}")
    column = columns.index(choice.column)
    chosen = {}
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        row = line.split("\t")
        if len(row) != len(columns):
            raise FormatError(path, number, f"expected {len(columns)} tab-separated columns, found {len(row)}")
        chosen[row[0]] = row[column] == choice.value
    if not any(chosen.values()):
        raise ConfigError(f"{path}: no document has {choice.value!r} in the column {choice.column!r}")
    return chosen


def _is_chosen(document: Document, chosen: Mapping[str, bool], path: Path) -> bool:
    """Whether to read the document; of one that the table does not name, nobody said so."""
    if document.id is None or document.id not in chosen:
        raise ConfigError(f"{path}: the table of documents has no row for the document {document.id!r}")
    return chosen[document.id]
