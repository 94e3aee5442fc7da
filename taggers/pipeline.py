"""Texts -> Documents over packed batches: ``load()`` a model, call it, or ``pipe()`` many texts through it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import torch

from taggers.batch import TokenBatch
from taggers.catalog import find_model
from taggers.checkpoint import Model, load_model
from taggers.config import Precision
from taggers.document import Document, Sentence, check_unicode
from taggers.errors import ModelError, UnknownTask
from taggers.kernels import bound_kernel_cache
from taggers.labeler import Chunk, Labeler, Labels, Run, join_labels
from taggers.manifest import Manifest
from taggers.precision import Used, choose_precision
from taggers.segmenter import Reading, Segmenter
from taggers.tasks import Task

DEFAULT_MAX_BATCH_TOKENS = 2_000

NetworkName = Literal["tagger", "segmenter"]
"""The networks of a model."""

_PIPED_TEXTS = 256
_PIPED_CHARACTERS = 400_000


class Tagger:
    """A loaded model: texts in, annotated documents out.

    ``tag`` and ``pipe`` do all; the service runs the steps one by one: ``read``, whose chunks ``prepare_segmenting``
    takes, then ``chunks``, which ``prepare`` takes, and ``annotate``. They, and what ``prepare`` and
    ``prepare_segmenting`` return, may run in any threads, several at once.

    Load it in each process that uses it, as ``spawn`` makes you: one that was used and then forked may wait without end
    for torch's threads, which a fork leaves behind.
    """

    def __init__(self, model: Model, *, precision: Used = "fp32") -> None:
        self.manifest: Manifest = model.manifest
        self.precision = precision
        self.device = model.tagger.device
        """Where it computes."""
        self._labeler = model.tagger
        self._segmenter = model.segmenter

    @property
    def name(self) -> str:
        """The model's name."""
        return self.manifest.name

    @property
    def tasks(self) -> dict[str, Task]:
        """What it fills, beside sentences and tokens."""
        return self._labeler.tasks

    @property
    def can_segment(self) -> bool:
        """Whether it takes raw text; without a segmenter it takes words only."""
        return self._segmenter is not None

    @property
    def num_parameters(self) -> int:
        """The trained weights of all its networks."""
        return sum(
            parameter.numel() for labeler in self._labelers.values() for parameter in labeler.network.parameters()
        )

    @property
    def _labelers(self) -> Mapping[NetworkName, Labeler]:
        labelers: dict[NetworkName, Labeler] = {"tagger": self._labeler}
        if self._segmenter is not None:
            labelers["segmenter"] = self._segmenter.labeler
        return labelers

    def compute(self, network: NetworkName, batch: TokenBatch) -> Labels:
        """Run one of its networks on a batch: the label ids and probabilities of each task, (B, T)."""
        return self._labelers[network].compute(batch)

    def compute_elsewhere(
        self, compute: Callable[[NetworkName, TokenBatch], Labels], *, device: torch.device, precision: Used
    ) -> None:
        """From now on have batches computed by the same model elsewhere, and forget the weights of this one.

        Args:
            compute: Does what ``compute`` of the other does.
            device: Where that is.
            precision: That of the other.
        """
        for name, labeler in self._labelers.items():
            labeler.compute_elsewhere(partial(compute, name))
        self.device = device
        self.precision = precision

    def check_tasks(self, tasks: Iterable[str] | None) -> tuple[str, ...]:
        """The tasks asked for, in the model's order; None asks for all.

        Raises:
            UnknownTask: The model lacks one.
        """
        if tasks is None:
            return tuple(self.tasks)
        asked = {tasks} if isinstance(tasks, str) else set(tasks)
        if unknown := asked - self.tasks.keys():
            raise UnknownTask(min(unknown), self.tasks)
        return tuple(task for task in self.tasks if task in asked)

    def segment(self, texts: Sequence[str], *, ids: Sequence[str | None] | None = None) -> list[Document]:
        """Find sentences, tokens and words in raw texts.

        Raises:
            InvalidText: A text holds a lone surrogate.
            ModelError: The model has no segmenter.
        """
        return self._need_segmenter().segment(texts, ids=ids)

    def read(self, text: str) -> Reading:
        """Begin to segment one text gradually.

        Raises:
            InvalidText: The text holds a lone surrogate.
            ModelError: The model has no segmenter.
        """
        return self._need_segmenter().read(text)

    def prepare_segmenting(self, chunks: Sequence[Chunk]) -> Run:
        """Make one padded batch of chunks of ``read``, to be labelled on the device."""
        return self._need_segmenter().labeler.prepare(chunks)

    def _need_segmenter(self) -> Segmenter:
        if self._segmenter is None:
            raise ModelError(f"model {self.name!r} has no segmenter: give it text that is already split into words")
        return self._segmenter

    def chunks(self, sentence: Sentence) -> list[Chunk]:
        """What the network reads at once for a sentence: one chunk, or more for one past the encoder's limit."""
        return self._labeler.chunks(sentence.words)

    def prepare(self, chunks: Sequence[Chunk]) -> Run:
        """Make one padded batch of ``chunks``, to be labelled on the device."""
        return self._labeler.prepare(chunks)

    def label(self, chunks: Sequence[Chunk]) -> list[Labels]:
        """Label chunks in one padded batch; who they are together with changes no answer."""
        return self._labeler.label(chunks)

    def annotate(self, sentence: Sentence, parts: Sequence[Labels], tasks: Collection[str]) -> Sentence:
        """Labels of a sentence's chunks -> its columns and spans."""
        labels = join_labels(parts, self.tasks)
        tags: dict[str, tuple[str, ...]] = {}
        spans = {}
        for name in tasks:
            task = self.tasks[name]
            ids, probabilities = labels[name]
            if task.kind == "span":
                spans[name] = task.decode_spans(ids.tolist(), probabilities.tolist())
            else:
                tags[name] = task.decode_tags(sentence.words, ids.tolist())
        return sentence.annotated(tags=tags, spans=spans)

    def tag(
        self,
        documents: Sequence[Document],
        *,
        tasks: Iterable[str] | None = None,
        max_batch_tokens: int = DEFAULT_MAX_BATCH_TOKENS,
    ) -> list[Document]:
        """Annotate documents whose sentences are known, packed together.

        Args:
            documents: Sentences with their words; annotation they have for other tasks is kept.
            tasks: Which to fill; None for all.
            max_batch_tokens: The most positions in one batch, padding included.

        Raises:
            InvalidText: A document holds a lone surrogate.
            UnknownTask: The model lacks a task.
        """
        wanted = self.check_tasks(tasks)
        for document in documents:
            check_unicode(document.text)
        sentences = [sentence for document in documents for sentence in document.sentences]
        answers = self._labeler.label_all(
            [sentence.words for sentence in sentences], max_padded_tokens=max_batch_tokens
        )
        done = iter(
            [self.annotate(sentence, [labels], wanted) for sentence, labels in zip(sentences, answers, strict=True)]
        )
        return [
            Document(document.text, tuple(islice(done, len(document.sentences))), document.id) for document in documents
        ]

    def __call__(self, text: str, *, tasks: Iterable[str] | None = None) -> Document:
        """Tag one text.

        Raises:
            InvalidText: The text holds a lone surrogate.
            UnknownTask: The model lacks a task.
        """
        return next(self.pipe([text], tasks=tasks))

    def pipe(
        self,
        texts: Iterable[str],
        *,
        tasks: Iterable[str] | None = None,
        max_batch_tokens: int = DEFAULT_MAX_BATCH_TOKENS,
    ) -> Iterator[Document]:
        """Tag a stream of texts of any number: batched by length, answered in order.

        Reads ahead by a few hundred texts, so memory stays bounded whatever the stream's length.
        """
        wanted = self.check_tasks(tasks)
        for group in _groups(texts):
            yield from self.tag(self.segment(group), tasks=wanted, max_batch_tokens=max_batch_tokens)


def _groups(texts: Iterable[str]) -> Iterator[list[str]]:
    group: list[str] = []
    characters = 0
    try:
        for text in texts:
            check_unicode(text)
            group.append(text)
            characters += len(text)
            if len(group) >= _PIPED_TEXTS or characters >= _PIPED_CHARACTERS:
                yield group
                group, characters = [], 0
    except Exception:  # a text is wrong, or whoever gives them fails: first the answers to those before
        if group:
            yield group
        raise
    if group:
        yield group


def load(name: str | Path, *, device: str = "auto", precision: Precision = "auto") -> Tagger:
    """Load a model.

    Args:
        name: A bundled model's name or alias, or a model folder.
        device: ``auto`` (CUDA if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, or ``bf16`` or ``fp16`` where the device has instructions for it; ``auto`` takes 16 bits
            where that is faster. Whatever changes the answers to a sample is not done.

    Raises:
        ModelError: There is no such device, or it has no instructions for the precision.
        ModelNotFound: There is none of this name.
        ModelFolderError: The folder is damaged or of another format version.
    """
    bound_kernel_cache()
    model = load_model(find_model(name), device=find_device(device))
    return Tagger(model, precision=choose_precision(model, precision))


def find_device(device: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA where there is one.

    Raises:
        ModelError: There is no such device here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"unknown device {device!r}: expected auto, cpu, cuda or cuda:N") from error
    if found.type not in ("cpu", "cuda"):
        raise ModelError(f"unknown device {device!r}: expected auto, cpu, cuda or cuda:N")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ModelError(f"device {device!r} is not here: {torch.cuda.device_count()} CUDA devices found")
    return found
