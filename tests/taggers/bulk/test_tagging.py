"""Chunks are tagged: in order, known words kept, other annotation too, and no record takes another with it."""

import json
from pathlib import Path

import pytest

from taggers.bulk.chunks import Chunk, Position
from taggers.bulk.pieces import Failure, Piece, ReadOptions
from taggers.bulk.rendering import OutputOptions
from taggers.bulk.tagging import ChunkTagger
from taggers.bulk.work import Work
from taggers.checkpoint import save_model
from taggers.errors import ModelError, UnknownTask
from taggers.pipeline import Tagger
from tests.tiny import tiny_folder, tiny_model


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    folder = tiny_folder(tmp_path_factory.mktemp("models") / "tiny")
    return Work(str(folder), ReadOptions(), OutputOptions("jsonl"), tasks=("upos", "ner"))


@pytest.fixture(scope="module")
def tagger(work) -> ChunkTagger:
    return ChunkTagger(work)


def chunk(*rows: object, first: int = 0) -> Chunk:
    items = [
        row if isinstance(row, Failure) else Piece("a.jsonl", "jsonl", index, 1, json.dumps(row).encode())
        for index, row in enumerate(rows, 1)
    ]
    return Chunk(tuple(items), first, Position(records=first + len(items)), 99)


def documents(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.splitlines()]


def test_order_over_known_words_and_raw_text(tagger) -> None:
    rows = [
        {"id": str(index), **({"tokens": [["Known", "words"]]} if index % 3 == 0 else {"text": "Ada"})}
        for index in range(100)
    ]
    answer = tagger(chunk(*rows))
    found = documents(answer.content)
    assert [document["id"] for document in found] == [row["id"] for row in rows]
    for row, document in zip(rows, found, strict=True):
        assert document["text"] == row.get("text", "Known words")
        assert all("upos" in token for sentence in document["sentences"] for token in sentence["tokens"])
    assert [token["text"] for token in found[0]["sentences"][0]["tokens"]] == ["Known", "words"]
    assert (answer.documents, answer.failures, answer.end, answer.bytes_read) == (100, (), Position(records=100), 99)
    assert answer.words == sum(len(sentence["tokens"]) for document in found for sentence in document["sentences"])


def test_other_annotation_is_kept(tagger) -> None:
    token = {"text": "Ada", "start": 0, "end": 3, "upos": "OLD", "head": "0"}
    row = {"text": "Ada", "sentences": [{"start": 0, "end": 3, "tokens": [token]}], "spans": {}}
    (document,) = documents(tagger(chunk(row)).content)
    (sentence,) = document["sentences"]
    assert sentence["tokens"][0]["head"] == "0"
    assert sentence["tokens"][0]["upos"] != "OLD"


def test_bad_records_are_failures_in_their_order(tagger) -> None:
    read = Failure("b.csv:1", "wrong")
    answer = tagger(chunk({"text": "a"}, {"text": 3}, read, {"text": "d"}))
    assert [document["text"] for document in documents(answer.content)] == ["a", "d"]
    assert answer.failures == (Failure("a.jsonl:2", "text: expected a string, found 3"), read)


def test_record_that_breaks_the_tagger_takes_no_other_with_it(tagger, monkeypatch) -> None:
    segment = Tagger.segment

    def breaking(self, texts, *, ids=None):
        if "poison" in texts:
            raise RuntimeError("out of memory\nand more")
        return segment(self, texts, ids=ids)

    monkeypatch.setattr(Tagger, "segment", breaking)
    answer = tagger(chunk({"text": "a"}, {"text": "poison"}, {"text": "c"}))
    assert [document["text"] for document in documents(answer.content)] == ["a", "c"]
    assert answer.failures == (Failure("a.jsonl:2", "cannot be tagged: out of memory"),)


def test_names_of_sentences_tell_the_records_place_in_the_whole_job(work) -> None:
    tagger = ChunkTagger(Work(work.model, ReadOptions(), OutputOptions("conllu")))
    content = tagger(chunk({"text": "Ada"}, {"text": 3}, {"text": "Zoe"}, first=40)).content.decode()
    assert "# newdoc\n# sent_id = 41-1\n" in content
    assert "# newdoc\n# sent_id = 43-1\n" in content


@pytest.mark.parametrize(("format", "name"), [("conllu", "CoNLL-U"), ("iob2", "IOB2")])
def test_text_without_words_is_named_where_the_format_cannot_hold_it(format, name, work) -> None:
    answer = ChunkTagger(Work(work.model, ReadOptions(), OutputOptions(format)))(
        chunk({"text": " \n"}, {"text": "Ada"})
    )
    assert answer.documents == 1
    assert answer.failures == (Failure("a.jsonl:1", f"has no words, and {name} has no place for what has none"),)


def test_what_the_format_cannot_hold_is_named_and_the_others_are_written(work) -> None:
    crossing = [{"label": "A", "start": start, "end": end, "tokens": [start, end]} for start, end in ((0, 2), (1, 3))]
    tokens = [{"text": character, "start": at, "end": at + 1} for at, character in enumerate("abc")]
    sentence = {"start": 0, "end": 3, "tokens": tokens}
    spans = [{**span, "text": "abc"[span["start"] : span["end"]], "sentence": 0} for span in crossing]
    bad = {"text": "abc", "sentences": [sentence], "spans": {"other": spans}}
    answer = ChunkTagger(Work(work.model, ReadOptions(), OutputOptions("conllu")))(
        chunk({"text": "Ada"}, {"text": 3}, bad, {"text": "Zoe"})
    )
    assert answer.documents == 2
    assert [failure.place for failure in answer.failures] == ["a.jsonl:2", "a.jsonl:3"]
    assert answer.failures[1].reason == "cannot be written: span 1:3 overlaps 0:2"
    assert [b"sent_id = %d-1" % number in answer.content for number in (1, 2, 3, 4)] == [True, False, False, True]


def test_number_that_no_float_holds_is_a_failure(tagger) -> None:
    span = {"label": "A", "start": 0, "end": 1, "text": "a", "sentence": 0, "tokens": [0, 1], "score": 10**400}
    sentence = {"start": 0, "end": 1, "tokens": [{"text": "a", "start": 0, "end": 1}]}
    answer = tagger(chunk({"text": "a", "sentences": [sentence], "spans": {"x": [span]}}, {"text": "Ada"}))
    assert answer.documents == 1
    assert [failure.place for failure in answer.failures] == ["a.jsonl:1"]


def test_text_without_words_is_a_document_like_any_other(tagger) -> None:
    answer = tagger(chunk({"text": " \n"}, {"text": ""}))
    assert [document["text"] for document in documents(answer.content)] == [" \n", ""]
    assert not answer.failures


def test_what_cannot_be_done_is_told_at_once(work, tmp_path: Path) -> None:
    with pytest.raises(UnknownTask):
        ChunkTagger(Work(work.model, ReadOptions(), OutputOptions("jsonl"), tasks=("nope",)))
    model = tiny_model()
    manifest = model.manifest.model_copy(update={"segmenter": None})
    save_model(tmp_path / "words", type(model)(manifest, model.tagger, None))
    tagger = ChunkTagger(Work(str(tmp_path / "words"), ReadOptions(), OutputOptions("jsonl")))
    assert tagger(chunk({"tokens": [["Ada"]]})).documents == 1
    with pytest.raises(ModelError, match="no segmenter"):
        tagger(chunk({"text": "Ada"}))
