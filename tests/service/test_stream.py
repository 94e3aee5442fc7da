"""A stream's order, window and ends with an answerer that does what the test wants; then through HTTP with a model."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from service.answers import AnsweredDocument, LineProblem, Problem
from service.errors import ClientGone
from service.ndjson import Line
from service.settings import Settings
from service.stream import NDJSON, TagStream
from tests.service.clients import with_service

HANG_UP = {"type": "http.disconnect"}


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def echo(lines: Sequence[Line]) -> bytes:
    await asyncio.sleep(0)
    return b"".join(b"%d:%b\n" % (line.number, line.content or b"-") for line in lines)


def write_problem(number: int, error: Exception) -> bytes:
    return b"%d!%b\n" % (number, type(error).__name__.encode())


class Exchange:
    """A stream between an answerer and a client made of messages; after the last the client waits."""

    def __init__(
        self,
        messages: Sequence[dict[str, Any] | Callable[[], Awaitable[None]]] | Any,
        answer: Callable[[Sequence[Line]], Awaitable[bytes]] = echo,
        **settings: Any,
    ) -> None:
        self.messages = iter(messages)
        self.num_read = 0
        self.sent: list[dict[str, Any]] = []
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.stops_after: int | None = None
        """After so many messages the client reads no more until it may send again."""
        self.most_documents = 0
        self.stream = TagStream(answer, write_problem=write_problem, settings=Settings(**settings))

    async def receive(self) -> Any:
        for message in self.messages:
            if callable(message):
                await message()
                continue
            self.num_read += 1
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        self.most_documents = max(self.most_documents, self.stream.window.documents)
        await self.may_send.wait()
        self.sent.append(message)
        if len(self.sent) == self.stops_after:
            self.may_send.clear()

    async def run(self) -> None:
        await self.stream({}, self.receive, self.send)  # type: ignore[typeddict-item]

    @property
    def body(self) -> bytes:
        """What was answered; the answer must be whole."""
        start, *rest = self.sent
        assert (start["type"], start["status"]) == ("http.response.start", 200)
        assert (b"content-type", NDJSON.encode()) in start["headers"]
        assert [message["more_body"] for message in rest] == [True] * (len(rest) - 1) + [False]
        return b"".join(message["body"] for message in rest)


def answered(*messages: Any, answer: Any = echo, **settings: Any) -> bytes:
    async def run() -> bytes:
        exchange = Exchange(messages, answer, **settings)
        await exchange.run()
        return exchange.body

    return asyncio.run(run())


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


# Order and ends


def test_nothing_is_answered_with_nothing() -> None:
    assert answered(piece(b"", more=False)) == b""
    assert answered(piece(b"\r\n\n"), piece(b" ", more=False)) == b""


def test_lines_are_numbered_as_they_came() -> None:
    found = answered(piece(b"a\r\n\nb"), piece(b"c\nd"), piece(b"", more=False))
    assert found == b"1:a\n3:bc\n4:d\n"


@hypothesis_settings(max_examples=60)
@given(
    st.lists(st.integers(0, 40), max_size=60),
    st.integers(1, 5),
    st.integers(1, 60),
    st.lists(st.integers(1, 50), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_order_is_kept_and_the_window_too(
    lengths: list[int], stream_documents: int, stream_bytes: int, cuts: list[int], rng: Any
) -> None:
    body = b"".join(b"x" * length + b"\n" for length in lengths)
    pieces, start = [], 0
    while start < len(body):
        end = start + cuts[len(pieces) % len(cuts)]
        pieces.append(piece(body[start:end]))
        start = end
    in_flight = [0, 0]

    async def answer(lines: Sequence[Line]) -> bytes:
        in_flight[0] += len(lines)
        in_flight[1] += sum(line.size for line in lines)
        assert in_flight[0] <= stream_documents
        assert in_flight[1] <= stream_bytes or in_flight[0] == 1
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        in_flight[0] -= len(lines)
        in_flight[1] -= sum(line.size for line in lines)
        return await echo(lines)

    found = answered(
        *pieces, piece(b"", more=False), answer=answer, stream_documents=stream_documents, stream_bytes=stream_bytes
    )
    expected = [b"%d:%b" % (number, b"x" * length) for number, length in enumerate(lengths, 1) if length]
    assert found.splitlines() == expected


def test_answers_start_while_the_body_is_arriving() -> None:
    async def run() -> None:
        async def first_answer() -> None:
            while len(exchange.sent) < 2:
                await asyncio.sleep(0)

        exchange = Exchange([piece(b"a\nb"), first_answer, piece(b"c\n", more=False)])
        await exchange.run()
        assert exchange.body == b"1:a\n2:bc\n"

    asyncio.run(run())


def test_a_line_over_the_limit_is_told_and_the_others_go_on() -> None:
    found = answered(piece(b"aaaa\nbbbbb"), piece(b"b" * 1000), piece(b"\ncc", more=False), max_body_bytes=4)
    assert found == b"1:aaaa\n2:-\n3:cc\n"


# Back-pressure


@pytest.mark.parametrize("line", [b"x\n", b"x" * 499 + b"\n"], ids=["documents", "bytes"])
def test_nothing_is_read_while_the_window_is_full(line: bytes) -> None:
    def endless() -> Any:
        while True:
            yield piece(line * 10)

    async def run() -> None:
        may_answer = asyncio.Event()
        num_asked = 0

        async def answer(lines: Sequence[Line]) -> bytes:
            nonlocal num_asked
            num_asked += len(lines)
            await may_answer.wait()
            return await echo(lines)

        exchange = Exchange(endless(), answer, stream_documents=40, stream_bytes=10_000)
        running = asyncio.create_task(exchange.run())
        await settle()
        limit = min(40, 10_000 // (len(line) - 1))
        assert exchange.stream.window.documents == num_asked == limit
        assert exchange.num_read <= limit // 10 + 1
        may_answer.set()
        exchange.may_send.clear()  # now it is the client that does not read
        await settle()
        num_read = exchange.num_read
        await settle()
        assert exchange.stream.window.documents == limit
        assert exchange.num_read == num_read
        exchange.may_send.set()
        await settle()
        assert exchange.num_read > num_read
        assert exchange.most_documents <= limit
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


# Ends that nobody likes


def test_a_client_that_hangs_up_takes_its_work_along() -> None:
    async def run(*messages: Any, first: bytes) -> Exchange:
        cancelled = []

        async def answer(lines: Sequence[Line]) -> bytes:
            if lines[0].number == 1 and first:
                return first
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.extend(line.number for line in lines)
                raise
            raise AssertionError

        exchange = Exchange([piece(b"a\n"), settle, piece(b"b\nc\n"), *messages, settle, HANG_UP], answer)
        try:
            await exchange.run()
        finally:
            assert cancelled == ([2, 3] if first else [1, 2, 3])
            assert len(asyncio.all_tasks()) == 1
        return exchange

    for messages in ([], [piece(b"d", more=True)], [piece(b"", more=False)]):
        exchange = asyncio.run(run(*messages, first=b"1:a\n"))
        assert [message.get("body") for message in exchange.sent] == [None, b"1:a\n"]
        with pytest.raises(ClientGone):
            asyncio.run(run(*messages, first=b""))


def test_our_mistake_ends_it_well_formed() -> None:
    async def answer(lines: Sequence[Line]) -> bytes:
        if lines[0].number == 3:
            raise ZeroDivisionError
        return await echo(lines)

    assert (
        answered(piece(b"a\nb\n"), settle, piece(b"c\n", more=True), answer=answer)
        == b"1:a\n2:b\n3!ZeroDivisionError\n"
    )
    with pytest.raises(ZeroDivisionError):
        answered(piece(b"\n\nc\n"), answer=answer)


def test_a_server_that_stops_says_so() -> None:
    async def run() -> None:
        exchange = Exchange([piece(b"a\n\nb\nc")])
        running = asyncio.create_task(exchange.run())
        await settle()
        running.cancel()
        await running
        assert exchange.body == b"1:a\n3:b\n4!NotReady\n"
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_a_big_answer_goes_out_in_pieces_and_a_line_that_is_cut_is_ended() -> None:
    async def answer(lines: Sequence[Line]) -> bytes:
        return b"y" * 200_000 + b"\n"

    assert answered(piece(b"a", more=False), answer=answer) == b"y" * 200_000 + b"\n"

    async def run() -> None:
        exchange = Exchange([piece(b"a\n")], answer)
        exchange.stops_after = 2
        running = asyncio.create_task(exchange.run())
        await settle()
        running.cancel()
        await asyncio.sleep(0)
        exchange.may_send.set()
        await asyncio.gather(running, return_exceptions=True)
        cut, last = exchange.body.splitlines()
        assert 0 < len(cut) < 200_000
        assert last == b"1!NotReady"

    asyncio.run(run())


def test_a_client_that_sends_nothing_is_told() -> None:
    assert answered(piece(b"a\n"), stream_idle_timeout_s=0.01) == b"1:a\n2!TookTooLong\n"

    async def slow(lines: Sequence[Line]) -> bytes:
        await asyncio.sleep(0.1)  # far longer than the client may rest: but it rests because it waits
        return await echo(lines)

    assert answered(piece(b"a\n"), answer=slow, stream_idle_timeout_s=0.01) == b"1:a\n2!TookTooLong\n"


def test_a_client_that_reads_nothing_is_left() -> None:
    async def run() -> None:
        exchange = Exchange([piece(b"a\n")], stream_idle_timeout_s=0.01)
        exchange.stops_after = 1
        await exchange.run()
        assert len(exchange.sent) == 1
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


# Through HTTP


def problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    return Problem.model_validate_json(answer.content, strict=True)


def test_documents_and_problems_in_order(client: TestClient[Litestar]) -> None:
    lines = [
        json.dumps({"id": "a", "text": "Ada 😀 Lovelace wrote."}),
        "",
        "{",
        json.dumps({"id": "b", "tokens": [["Already", "split"], ["words"]]}),
        json.dumps({"id": "c", "text": "x", "txet": "y"}),
        json.dumps({"text": "last"}),
    ]
    answer = client.post("/v1/tag/stream?tasks=upos,ner&offsets=utf16", content="\r\n".join(lines))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == NDJSON
    assert answer.headers["X-Request-ID"]
    first, malformed, split, wrong, last = answer.text.splitlines()
    for line in (first, split, last):
        AnsweredDocument.model_validate_json(line, strict=True)
    assert [json.loads(line)["id"] for line in (first, split, last)] == ["a", "b", None]
    assert json.loads(first)["sentences"][-1]["end"] == 22
    assert [LineProblem.model_validate_json(line, strict=True).line for line in (malformed, wrong)] == [3, 5]
    found = LineProblem.model_validate_json(wrong, strict=True).error
    assert (found.status, found.type) == (400, "urn:tagline:problem:bad-request")
    assert [field.path for field in found.errors or ()] == ["txet"]


def test_problems_of_lines_are_counted(client: TestClient[Litestar]) -> None:
    def count() -> float:
        found = re.search(
            r'^tagline_errors_total\{kind="bad-request"\} (\S+)$', client.get("/metrics").text, re.MULTILINE
        )
        return float(found[1]) if found else 0

    before = count()
    assert len(client.post("/v1/tag/stream", content=b'{\n{}\n{"text": "a"}\n[]').text.splitlines()) == 4
    assert count() - before == 3


def test_answers_are_those_of_a_request(client: TestClient[Litestar]) -> None:
    texts = ["Ada Lovelace wrote to Babbage in London.", "", "word " * 300, "cats were sleeping", "😀"] * 20
    documents = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    answer = client.post("/v1/tag/stream", content="\n".join(map(json.dumps, documents)))
    expected = client.post("/v1/tag", json={"documents": documents}).json()["documents"]
    assert [without_scores(json.loads(line)) for line in answer.text.splitlines()] == list(
        map(without_scores, expected)
    )


def without_scores(document: dict[str, Any]) -> dict[str, Any]:
    """They may differ in the last bits."""
    for spans in document["spans"].values():
        for span in spans:
            del span["score"]
    return document


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("model=none", 404, "unknown model 'none'; there are: tiny"),
        ("tasks=upos,none", 400, "unknown task 'none'"),
        ("offsets=bytes", 400, "'codepoint', 'utf16' or 'utf8'"),
        ("task=upos", 400, "unknown field; there are: model, tasks, offsets"),
    ],
)
def test_what_is_wrong_with_all_lines_is_told_at_once(
    query: str, status: int, says: str, client: TestClient[Litestar]
) -> None:
    assert says in problem(client.post(f"/v1/tag/stream?{query}", content=b'{"text": "a"}'), status).detail


def test_accept(client: TestClient[Litestar]) -> None:
    assert client.post("/v1/tag/stream", headers={"Accept": NDJSON}).text == ""
    assert NDJSON in problem(client.post("/v1/tag/stream", headers={"Accept": "text/html"}), 406).detail


def test_the_limit_is_on_lines_and_not_on_the_body(settings: Settings) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b'{"text": "Paris"}\n'
        for _ in range(50):
            yield b"x" * 100
        yield b'\n{"text": "Lyon"}'

    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/tag/stream", content=body())
        *tagged, over, last = answer.text.splitlines()
        assert len(tagged) == 50
        found = LineProblem.model_validate_json(over)
        assert (found.line, found.error.status) == (51, 413)
        assert found.error.detail == "expected a line of at most 100 bytes"
        assert json.loads(last)["text"] == "Lyon"

    with_service(settings.model_copy(update={"max_body_bytes": 100}), scenario)
