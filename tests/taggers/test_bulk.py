"""Streams of documents: order, bounded reading ahead, known words kept, and nothing lost where reading fails."""

import pytest

from taggers.bulk import tag_stream
from taggers.document import Document
from taggers.errors import FormatError, ModelError, UnknownTask
from taggers.formats.raw import RawDocument
from taggers.pipeline import Tagger
from tests.tiny import tiny_model


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(tiny_model())


def raw(count: int, text: str = "Ada") -> list[RawDocument]:
    return [RawDocument(text, str(index)) for index in range(count)]


def test_order_over_groups_of_both_kinds(tagger) -> None:
    given = [
        Document.from_words([["Known", "words"]], id=str(index)) if index % 3 == 0 else RawDocument("Ada", str(index))
        for index in range(700)
    ]
    answers = list(tag_stream(tagger, given, tasks=["upos"]))
    assert [answer.id for answer in answers] == [str(index) for index in range(700)]
    for before, after in zip(given, answers, strict=True):
        assert after.text == before.text
        assert all(set(sentence.tags) == {"upos"} for sentence in after)
        if isinstance(before, Document):
            assert after.sentences[0].words == ("Known", "words")


def test_other_annotation_is_kept(tagger) -> None:
    document = Document.from_words([["Ada"]])
    annotated = document.sentences[0].annotated(tags={"upos": ("OLD",), "head": ("0",)})
    (answer,) = tag_stream(tagger, [Document(document.text, (annotated,))], tasks=["upos"])
    assert answer.sentences[0].tags["head"] == ("0",)
    assert answer.sentences[0].tags["upos"] != ("OLD",)


def test_reads_ahead_by_a_group_and_no_more(tagger) -> None:
    read = 0

    def counted():
        nonlocal read
        for document in raw(2000):
            read += 1
            yield document

    answers = tag_stream(tagger, counted(), tasks=["upos"])
    assert read == 0
    for done, _ in enumerate(answers, 1):
        assert read - done < 256


def test_long_texts_fill_a_group_sooner(tagger) -> None:
    read = 0

    def counted():
        nonlocal read
        for document in raw(3, " " * 400_000):
            read += 1
            yield document

    next(tag_stream(tagger, counted(), tasks=["upos"]))
    assert read == 1


def test_what_was_read_before_a_failure_is_answered_first(tagger) -> None:
    def failing():
        yield from raw(3)
        raise FormatError("a.jsonl", 4, "wrong")

    answers = tag_stream(tagger, failing(), tasks=["upos"])
    assert [next(answers).id for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(FormatError):
        next(answers)


def test_unknown_task_is_told_before_anything_is_read(tagger) -> None:
    with pytest.raises(UnknownTask):
        tag_stream(tagger, iter(()), tasks=["nope"])


def test_without_a_segmenter_only_known_words_can_be_tagged() -> None:
    model = tiny_model()
    tagger = Tagger(type(model)(model.manifest, model.tagger, None))
    assert len(list(tag_stream(tagger, [Document.from_words([["Ada"]])]))) == 1
    with pytest.raises(ModelError, match="no segmenter"):
        list(tag_stream(tagger, raw(1)))
