"""Lines of a stream on a tiny real model: one answer for each, and failures that stay where they are."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from service.answers import AnsweredDocument
from service.errors import NotReady
from service.lanes import Lane
from service.line_tagger import LineTagger
from service.ndjson import Line
from service.registry import Registry
from service.schemas import TagOptions
from service.served import ServedModel
from service.settings import Settings
from service.stopwatch import Stopwatch
from taggers.document import Document
from taggers.pipeline import Tagger


def write_problem(error: Exception) -> bytes:
    return json.dumps({"kind": type(error).__name__, "detail": str(error)}).encode()


def lines_of(*contents: object, first: int = 1) -> list[Line]:
    written = [json.dumps(content).encode() if isinstance(content, dict) else content for content in contents]
    return [Line(number, content) for number, content in enumerate(written, first)]  # type: ignore[arg-type]


Scenario = Callable[[LineTagger, ServedModel], Coroutine[Any, Any, Any]]


def run(
    tiny: Path, scenario: Scenario, *, timeout_s: float = 60, options: TagOptions | None = None, **settings: Any
) -> Any:
    async def scene() -> Any:
        registry = Registry(Settings(models=(str(tiny),), **settings))
        await registry.load()
        made = LineTagger(
            lambda: registry.find("tiny"),
            options or TagOptions(),
            write_problem=write_problem,
            max_line_bytes=100,
            timeout_s=timeout_s,
        )
        try:
            return await scenario(made, registry.find("tiny"))
        finally:
            await registry.close()

    return asyncio.run(scene())


def answers(body: bytes) -> list[Any]:
    assert body.endswith(b"\n")
    return [json.loads(line) for line in body.splitlines()]


def test_every_line_has_its_answer(tiny: Path) -> None:
    async def scenario(made: LineTagger, _: ServedModel) -> list[Any]:
        return answers(
            await made.answer(
                lines_of(
                    {"id": "a", "text": "Ada 😀 wrote."},
                    b"{",
                    None,
                    {"id": 1, "text": "x"},
                    {"tokens": [["Already", "split"]]},
                    {"text": ""},
                    first=7,
                )
            )
        )

    first, malformed, over, wrong, split, empty = run(tiny, scenario, options=TagOptions(offsets="utf16"))
    for document in (first, split, empty):
        AnsweredDocument.model_validate(document)
    assert (first["id"], first["text"], first["sentences"][-1]["end"]) == ("a", "Ada 😀 wrote.", 13)
    assert (split["text"], empty["sentences"], empty["spans"]) == ("Already split", [], {"ner": []})
    assert [problem["line"] for problem in (malformed, over, wrong)] == [8, 9, 10]
    assert [problem["error"]["kind"] for problem in (malformed, over, wrong)] == [
        "BadRequest",
        "TooLarge",
        "BadRequest",
    ]
    assert over["error"]["detail"] == "expected a line of at most 100 bytes"


def test_only_the_tasks_asked_for(tiny: Path) -> None:
    async def scenario(made: LineTagger, _: ServedModel) -> list[Any]:
        return answers(await made.answer(lines_of({"text": "Ada"})))

    (document,) = run(tiny, scenario, options=TagOptions(tasks=["upos"]))
    assert document["spans"] == {}
    assert set(document["sentences"][0]["tokens"][0]) == {"text", "start", "end", "upos"}


def test_one_that_fails_fails_alone(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Tagger.chunks

    def fail_on_poison(self: Tagger, sentence: Any) -> Any:
        if "poison" in sentence.words:
            raise ZeroDivisionError("secret")
        return whole(self, sentence)

    monkeypatch.setattr(Tagger, "chunks", fail_on_poison)

    async def scenario(made: LineTagger, _: ServedModel) -> list[Any]:
        contents = [{"tokens": [["poison" if number == 3 else "word"]]} for number in range(6)]
        return answers(await made.answer(lines_of(*contents)))

    found = run(tiny, scenario)
    assert [answer.get("line") for answer in found] == [None, None, None, 4, None, None]
    assert found[3]["error"]["kind"] == "ZeroDivisionError"


def test_a_full_queue_is_waited_for(tiny: Path) -> None:
    async def scenario(made: LineTagger, served: ServedModel) -> list[Any]:
        other = asyncio.create_task(
            served.tag_into(
                [Document("word " * 400)], lambda *_: None, tasks=None, stopwatch=Stopwatch(), lane=Lane.BACKGROUND
            )
        )
        await asyncio.sleep(0)
        found = answers(await made.answer(lines_of({"text": "word"})))
        assert other.done()
        await other
        return found

    (document,) = run(tiny, scenario, max_queue_tokens=100)
    assert document["text"] == "word"


def test_time_limit_and_a_model_that_is_gone(tiny: Path) -> None:
    async def scenario(made: LineTagger, _: ServedModel) -> list[Any]:
        return answers(await made.answer(lines_of({"text": "word"}, {"text": "word " * 10})))

    found = run(tiny, scenario, timeout_s=1e-9)
    assert [(answer["line"], answer["error"]["kind"]) for answer in found] == [(1, "TookTooLong"), (2, "TookTooLong")]

    async def gone(_: LineTagger, __: ServedModel) -> list[Any]:
        def find() -> ServedModel:
            raise NotReady("shutting down")

        made = LineTagger(
            find,
            TagOptions(),
            write_problem=write_problem,
            max_line_bytes=9,
            timeout_s=9,
        )
        return answers(await made.answer(lines_of({"text": "a"}, {"text": "b"})))

    assert [answer["error"]["kind"] for answer in run(tiny, gone)] == ["NotReady", "NotReady"]


def test_a_model_may_be_replaced_between_two_lines(tiny: Path) -> None:
    async def scene() -> None:
        registry = Registry(Settings(models=(str(tiny),)))
        await registry.load()
        made = LineTagger(
            lambda: registry.find("tiny"),
            TagOptions(),
            write_problem=write_problem,
            max_line_bytes=100,
            timeout_s=60,
        )
        lines = lines_of({"text": "Ada wrote to Babbage."}, {"text": "Paris"})
        first = answers(await made.answer(lines))
        before = registry.find("tiny")
        await registry.reload("tiny")
        assert registry.find("tiny") is not before
        del before
        assert [document["text"] for document in answers(await made.answer(lines))] == [d["text"] for d in first]
        await registry.close()

    asyncio.run(scene())
