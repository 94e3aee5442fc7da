"""The bodies of answers, as ``/schema`` describes them.

They are made elsewhere (``taggers/formats/answer.py``); these models say what clients may count on, and the tests hold
the answers to them.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Token(_Answer):
    """One word. Further token layers of a model are further keys."""

    model_config = ConfigDict(extra="allow")

    text: str
    """The word's form."""
    start: int
    end: int
    upos: str | None = None
    xpos: str | None = None
    feats: dict[str, str] | None = None
    lemma: str | None = None


class MultiWordToken(_Answer):
    """Words that are written together, such as ``don't``."""

    tokens: tuple[int, int]
    """The words ``[first, stop)`` of the sentence."""
    text: str
    columns: list[str] | None = None


class EmptyNode(_Answer):
    """An empty node of CoNLL-U that was sent."""

    after: int
    """So many words of the sentence are before it."""
    index: int
    columns: list[str]


class Sentence(_Answer):
    """One sentence."""

    start: int
    end: int
    tokens: list[Token]
    multiword: list[MultiWordToken] | None = None
    empty_nodes: list[EmptyNode] | None = None
    comments: list[str] | None = None
    """The comment lines of CoNLL-U that was sent."""


class Span(_Answer):
    """A labelled run of tokens."""

    label: str
    start: int
    end: int
    text: str
    sentence: int
    """The index of its sentence."""
    tokens: tuple[int, int]
    """The words ``[first, stop)`` of that sentence."""
    score: float | None = None
    """The probability that the whole span is right."""


class AnsweredDocument(_Answer):
    """One document, tagged."""

    id: str | None
    text: str
    """Exactly what was sent."""
    sentences: list[Sentence]
    spans: dict[str, list[Span]]
    """By layer: ``ner``, ..."""


class TagAnswer(_Answer):
    """What ``POST /v1/tag`` answers; every ``[start, end)`` points into its document's text."""

    model: str
    """The model, by the name that was asked for."""
    documents: list[AnsweredDocument]


class TaskDescription(_Answer):
    """One layer that a model fills."""

    kind: Literal["token", "lemma", "span"]
    labels: list[str] | None = None
    """The tags, or the labels of spans; absent for lemmas."""
    num_rules: int | None = None
    """For lemmas: how many edit rules there are."""


class ModelDescription(_Answer):
    """One model that is served."""

    name: str
    aliases: list[str]
    """Other names that it answers to."""
    default: bool
    """Whether it answers requests that name no model."""
    language: str
    description: str
    license: str
    tasks: dict[str, TaskDescription]
    segments: bool
    """Whether it takes raw text; otherwise only ``tokens``."""
    scores: dict[str, Any]
    """The figures of its card, by data set."""
    precision: Literal["fp32", "bf16", "fp16"]
    """In how many bits its tagger computes."""


class ModelsAnswer(_Answer):
    """What ``GET /v1/models`` answers."""

    models: list[ModelDescription]


class Health(_Answer):
    """What the health checks answer."""

    status: Literal["live", "ready"]


class ProblemField(_Answer):
    """One bad field of a request."""

    path: str
    """Where it is, such as ``documents.0.text``; empty for the whole body."""
    message: str


class Problem(_Answer):
    """A problem document (RFC 9457): the body of every answer from status 400 on."""

    type: str
    """A URN that names the kind of problem."""
    title: str
    status: int
    detail: str
    errors: list[ProblemField] | None = None


class LineProblem(_Answer):
    """What ``POST /v1/tag/stream`` answers to a line that is wrong, or before it ends early."""

    line: int
    """The line's number, from 1; at an early end, that of the first line without an answer."""
    error: Problem
