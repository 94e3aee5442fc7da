"""A served model answers as its pipeline does, whoever else is asking."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from service.errors import QueueFull
from service.lanes import Lane
from service.loading import measure_limits
from service.metrics import Metrics, ModelMetrics
from service.preparers import Preparers
from service.served import ServedModel, count_tokens
from service.settings import Settings
from service.stopwatch import Stopwatch
from taggers.document import Document, Sentence
from taggers.errors import InvalidText, UnknownTask
from taggers.pipeline import Tagger, load

TEXTS = ["Ada Lovelace wrote to Babbage in London.", "", " \n ", "She doesn't like Paris! " * 40, "word " * 120, "😀"]


@pytest.fixture(scope="module")
def tagger(tiny: Path) -> Tagger:
    return load(tiny)


def served(tagger: Tagger, scenario, **settings) -> object:  # type: ignore[no-untyped-def]
    async def run() -> object:
        chosen = Settings(**settings)
        preparers = Preparers(2)
        model = ServedModel(
            tagger,
            version="1",
            limits=measure_limits(tagger, max_batch_tokens=chosen.max_batch_tokens or 5_000, batch_ms=50),
            settings=chosen,
            metrics=ModelMetrics(Metrics(), "tiny"),
            preparers=preparers,
        )
        model.start()
        answer = await scenario(model)
        await model.close()
        preparers.shutdown()
        return answer

    return asyncio.run(run())


def bare(documents: list[Document]) -> list[Document]:
    """Without scores, which may differ in the last bits."""
    return [
        Document(
            document.text,
            tuple(
                sentence.annotated(
                    spans={
                        layer: tuple(type(span)(span.start, span.stop, span.label) for span in spans)
                        for layer, spans in sentence.spans.items()
                    }
                )
                for sentence in document
            ),
            document.id,
        )
        for document in documents
    ]


@pytest.mark.parametrize("budget", [1, 60, 5000])
def test_it_answers_as_the_pipeline_does(tagger: Tagger, budget: int) -> None:
    split = Document.from_words([["Ada", "wrote"], ["Paris"] * 90], id="split")
    documents = [*(Document(text, id=text[:3]) for text in TEXTS), split]

    async def scenario(model: ServedModel) -> list[Document]:
        return await model.tag(documents, tasks=None, stopwatch=Stopwatch())

    expected = tagger.tag([*tagger.segment(TEXTS, ids=[text[:3] for text in TEXTS]), split])
    assert bare(served(tagger, scenario, max_batch_tokens=budget)) == bare(expected)  # type: ignore[arg-type]


def test_only_the_tasks_asked_for_are_filled(tagger: Tagger) -> None:
    async def scenario(model: ServedModel) -> None:
        stopwatch = Stopwatch()
        (document,) = await model.tag([Document(TEXTS[0])], tasks=["ner", "upos"], stopwatch=stopwatch)
        assert set(document.sentences[0].tags) == {"upos"}
        assert set(document.sentences[0].spans) == {"ner"}
        assert list(stopwatch.seconds) == ["segment", "queue", "compute"]
        assert model.span_layers(None) == model.span_layers(["upos", "ner"]) == ["ner"]
        assert model.span_layers([]) == []
        with pytest.raises(UnknownTask):
            await model.tag([Document("a")], tasks=["chunk"], stopwatch=stopwatch)

    served(tagger, scenario)


def test_a_lone_surrogate_is_refused_and_gives_its_room_back(tagger: Tagger) -> None:
    async def scenario(model: ServedModel) -> None:
        with pytest.raises(InvalidText, match="U\\+D800 at code point 2"):
            await model.tag([Document("a \ud800")], tasks=None, stopwatch=Stopwatch())
        assert model._admissions[Lane.INTERACTIVE].tokens == 0

    served(tagger, scenario)


def test_more_than_the_queue_holds_is_refused_and_the_accepted_is_answered(tagger: Tagger) -> None:
    async def scenario(model: ServedModel) -> None:
        accepted = asyncio.create_task(model.tag([Document("word " * 400)], tasks=None, stopwatch=Stopwatch()))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await model.tag([Document("more")], tasks=None, stopwatch=Stopwatch())
        assert len((await accepted)[0].sentences)
        assert await model.tag([Document("more")], tasks=None, stopwatch=Stopwatch())

    served(tagger, scenario, max_queue_tokens=100)


def test_a_book_is_tagged_in_sections_as_it_is_in_one(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.flow._SECTION_CHARACTERS", dict.fromkeys(Lane, 200))
    split = Document.from_words([["Ada", "wrote"], ["Paris", "."]] * 60)
    documents = [Document("".join(TEXTS) * 12), split, Document(""), Document("cats were sleeping " * 90)]
    order: list[int] = []
    sections: list[int] = []

    async def scenario(model: ServedModel) -> list[Document]:
        found: list[list[Sentence]] = [[] for _ in documents]

        def take(index: int, sentences: Sequence[Sentence]) -> None:
            order.append(index)
            sections.append(len(sentences))
            found[index] += sentences

        await model.tag_into(documents, take, tasks=None, stopwatch=Stopwatch(), lane=Lane.BACKGROUND)
        assert model._admissions[Lane.BACKGROUND].tokens == 0
        return [Document(d.text, tuple(tagged)) for d, tagged in zip(documents, found, strict=True)]

    segmented = iter(tagger.segment([document.text for document in documents if not document.sentences]))
    expected = tagger.tag([document if document.sentences else next(segmented) for document in documents])
    assert bare(served(tagger, scenario)) == bare(expected)  # type: ignore[arg-type]
    assert order == sorted(order)
    assert len(sections) > 10


def test_of_a_book_whose_client_has_gone_nothing_more_is_done(tagger: Tagger) -> None:
    taken: list[int] = []

    async def scenario(model: ServedModel) -> None:
        book = Document("cats were sleeping. Ada wrote to Babbage in London! " * 8_000)
        work = asyncio.create_task(
            model.tag_into([book], lambda index, _: taken.append(index), tasks=None, stopwatch=Stopwatch())
        )
        while not taken:
            await asyncio.sleep(0.001)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert len(model._segmenting._lanes) == len(model._labelling._lanes) == 0
        assert model._admissions[Lane.BACKGROUND].tokens == 0
        assert await model.tag([Document("more")], tasks=None, stopwatch=Stopwatch())

    served(tagger, scenario)
    assert len(taken) < 5


def test_long_texts_and_streams_leave_the_room_of_short_requests_alone(tagger: Tagger) -> None:
    async def scenario(model: ServedModel) -> None:
        book = Document("Ada wrote to Babbage in London! " * 600)
        assert model.lane_of([book]) is Lane.BACKGROUND
        assert model.lane_of([Document("Ada wrote.")]) is Lane.INTERACTIVE
        work = asyncio.create_task(model.tag([book], tasks=None, stopwatch=Stopwatch()))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await model.tag([book], tasks=None, stopwatch=Stopwatch())
        assert await model.tag([Document("more")], tasks=None, stopwatch=Stopwatch())
        assert await work

    served(tagger, scenario, max_queue_tokens=100, interactive_tokens=1_000)


def test_tokens_are_counted_by_words_or_by_characters_whichever_are_more() -> None:
    assert count_tokens([Document.from_words([["a", "b"], ["c"]])]) == 3
    assert count_tokens([Document.from_words([["a" * 4_000]]), Document("b" * 400)]) == 1_001 + 101
