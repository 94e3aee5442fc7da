"""Flow: the documents of one request through segmenter and tagger, section by section.

A short request is one section. Of a book a few sections at a time are under way, so that it goes through between the
requests of others, its first sentences are tagged before its last are found, and memory holds little besides its text.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from service.ahead import work_ahead
from service.batcher import Batcher
from service.lanes import Lane
from taggers.document import Document, Sentence
from taggers.labeler import Chunk, Labels
from taggers.pipeline import Tagger
from taggers.segmenter import Reading
from taggers.units import LOOKED_AT

_SECTION_CHARACTERS = {Lane.INTERACTIVE: 30_000, Lane.BACKGROUND: 6_000}
"""Of about so many a section consists; in the background it is worked on in steps short enough for others to wait."""

_SEGMENTED_AT_ONCE = 10
_LABELLED_AT_ONCE = 15

Run = Callable[..., Awaitable[Any]]
"""Runs a function with arguments, where it keeps nobody from their work."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with the labels of its chunks.

    Attributes:
        document: The position of its document among those of the request.
        sentence: The sentence.
        answers: The labels of each of its chunks.
    """

    document: int
    sentence: Sentence
    answers: Sequence[Labels]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of a document: a chunk that is to be segmented, of a reading, or sentences that are known."""

    document: int
    sentences: Sequence[Sentence] = ()
    reading: Reading | None = None
    chunk: Chunk | None = None


@dataclass(frozen=True, slots=True)
class _Cut:
    """A sentence with its chunks."""

    document: int
    sentence: Sentence
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Flow:
    """The way of one request.

    Attributes:
        tagger: The model.
        segmenting: The batcher of its segmenter.
        labelling: The batcher of its tagger.
        lane: How urgent the request is.
        run: Runs the steps between.
        lap: Told of the phases ``segment`` and ``queue`` when they end, of each section.
    """

    tagger: Tagger
    segmenting: Batcher
    labelling: Batcher
    lane: Lane
    run: Run
    lap: Callable[[str], None]

    async def label(self, documents: Sequence[Document]) -> AsyncGenerator[Sequence[Labelled], None]:
        """The sentences of all documents with their labels, in order, section by section.

        Whoever leaves before the end must close the iterator.

        Raises:
            InvalidText: A text holds a lone surrogate.
            ModelError: The model cannot segment.
            NotReady: The service is shutting down.
        """
        async with (
            aclosing(self._sections(documents)) as sections,
            aclosing(work_ahead(sections, self._segment, at_once=_SEGMENTED_AT_ONCE)) as segmented,
            aclosing(self._cut_all(segmented)) as cut,
            aclosing(work_ahead(cut, self._label, at_once=_LABELLED_AT_ONCE)) as labelled,
        ):
            async for section in labelled:
                yield section

    async def _sections(self, documents: Sequence[Document]) -> AsyncGenerator[Sequence[_Stretch], None]:
        sections = self._make_sections(documents)
        while (section := await self.run(next, sections, None)) is not None:
            if section:
                yield section

    def _make_sections(self, documents: Sequence[Document]) -> Iterator[Sequence[_Stretch]]:
        """The sections; empty ones while a long text is looked through, so that no step takes long."""
        section: list[_Stretch] = []
        characters = 0
        for index, document in enumerate(documents):
            for stretch, size in self._stretches(index, document):
                if stretch is not None:
                    section.append(stretch)
                characters += size
                if characters >= _SECTION_CHARACTERS[self.lane]:
                    yield section
                    section, characters = [], 0
        if section:
            yield section

    def _stretches(self, index: int, document: Document) -> Iterator[tuple[_Stretch | None, int]]:
        """What a document consists of, with about how many characters each part has; None where it is looked for."""
        for sentence in document:
            yield _Stretch(index, (sentence,)), sentence.end - sentence.start
        if not document.sentences:
            reading = self.tagger.read(document.text)
            for _ in reading.look():
                yield None, LOOKED_AT
            for chunk in reading.chunks():
                yield _Stretch(index, (), reading, chunk), int(chunk.cost * reading.characters_per_unit)

    async def _segment(self, section: Sequence[_Stretch]) -> tuple[Sequence[_Stretch], Sequence[Labels]]:
        chunks = [stretch.chunk for stretch in section if stretch.chunk is not None]
        return section, await self.segmenting.submit(chunks, lane=self.lane)

    async def _cut_all(
        self, segmented: AsyncGenerator[tuple[Sequence[_Stretch], Sequence[Labels]], None]
    ) -> AsyncGenerator[Sequence[_Cut], None]:
        async for section, answers in segmented:
            cut = await self.run(self._cut, section, answers)
            self.lap("segment")
            yield cut

    def _cut(self, section: Sequence[_Stretch], answers: Sequence[Labels]) -> Sequence[_Cut]:
        following = iter(answers)
        made: list[_Cut] = []
        for stretch in section:
            found = stretch.sentences if stretch.reading is None else stretch.reading.feed(next(following))
            made += [_Cut(stretch.document, sentence, self.tagger.chunks(sentence)) for sentence in found]
        return made

    async def _label(self, cut: Sequence[_Cut]) -> Sequence[Labelled]:
        chunks = [chunk for one in cut for chunk in one.chunks]
        answers = iter(await self.labelling.submit(chunks, lane=self.lane, on_start=partial(self.lap, "queue")))
        return [Labelled(one.document, one.sentence, list(islice(answers, len(one.chunks)))) for one in cut]
