"""Bodies in every form: what is asked for is the same, and what is malformed is refused."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from service.bodies import CONLLU, MESSAGEPACK, Asked, read_asked
from service.errors import BadRequest, TooLarge
from service.schemas import TagOptions, TagRequest
from service.settings import Settings
from tests.service.clients import with_service

SENTENCES = """\
# newdoc id = d1
# sent_id = s1
# text = She doesn't.
1\tShe\tshe\tPRON\t_\t_\t2\tnsubj\t_\t_
2-3\tdoesn't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdoes\tdo\tAUX\t_\t_\t0\troot\t_\tNote=kept
3\tn't\tnot\tPART\t_\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t0:root\t_
4\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_

# newdoc id = d2
# sent_id = s2
# text = Paris
1\tParis\tParis\tX\tY\tFoo=Bar\t0\troot\t_\tNE=B-MISC

"""


def read(body: bytes, media_type: str = "application/json", query: Iterable[tuple[str, str]] = ()) -> Asked:
    return read_asked(body, media_type, query, TagRequest, max_documents=3)


@pytest.mark.parametrize("media_type", ["application/json", "", "application/x-www-form-urlencoded", "text/plain"])
def test_what_is_none_of_the_others_is_json(media_type: str) -> None:
    asked = read(b'{"text": "a", "offsets": "utf8"}', media_type, [("offsets", "utf16")])
    assert [document.text for document in asked.documents] == ["a"]
    assert asked.options.unit == "utf8"


@pytest.mark.parametrize("media_type", MESSAGEPACK)
def test_messagepack_is_as_json(media_type: str) -> None:
    body = {"documents": [{"id": "x", "text": "😀"}, {"tokens": [["a", "b"]]}], "tasks": ["ner"], "model": "m"}
    packed, written = read(msgspec.msgpack.encode(body), media_type), read(json.dumps(body).encode())
    assert packed == written


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "malformed MessagePack: Input data was truncated"),
        (b"\xc1", "malformed MessagePack"),
        (b"\x91" * 100_000, "malformed MessagePack"),
        (b"\xdd\xff\xff\xff\xff", "malformed MessagePack"),
        (b"\x81\xa4text\xa3\xed\xa0\x80", "malformed MessagePack"),  # a lone surrogate
        (msgspec.msgpack.encode({"text": "a"}) + b"x", "malformed MessagePack"),
        (msgspec.msgpack.encode({"text": b"a"}), "text: .*string"),
        (msgspec.msgpack.encode({"txt": "a"}), "txt: unknown field"),
        (msgspec.msgpack.encode({1: "a"}), "string"),
        (msgspec.msgpack.encode([]), "object|dictionary"),
    ],
)
def test_bad_messagepack(body: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        read(body, MESSAGEPACK[0])


@hypothesis_settings(max_examples=100)
@given(st.binary() | st.recursive(st.text() | st.integers(0, 9), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_any_bytes_are_an_answer_or_refused(body: Any) -> None:
    packed = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
    for media_type in (MESSAGEPACK[0], CONLLU):
        with suppress(BadRequest):
            read(packed, media_type)


def test_conllu_keeps_what_was_annotated_and_the_query_says_how() -> None:
    asked = read(SENTENCES.encode(), CONLLU, [("tasks", "ner"), ("offsets", "utf16")])
    assert [document.id for document in asked.documents] == ["d1", "d2"]
    assert asked.options == TagOptions(tasks=["ner"], offsets="utf16")
    (sentence,) = asked.documents[0].sentences
    assert sentence.tags["head"] == ("2", "0", "2", "2")
    assert sentence.comments[1] == "# sent_id = s1"
    assert read(b"", CONLLU).documents == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"1\ta\n", "malformed CoNLL-U: line 1: expected 10 tab-separated columns, found 2"),
        (b"# x\n\n\xff", "malformed CoNLL-U: line 3: expected UTF-8, found byte 0xFF"),
    ],
)
def test_bad_conllu(body: bytes, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        read(body, CONLLU)
    with pytest.raises(BadRequest, match="unknown field"):
        read(b"", CONLLU, [("task", "ner")])
    with pytest.raises(TooLarge, match="at most 3 documents"):
        read((SENTENCES * 2).encode(), CONLLU)


# Through HTTP


def post(client: TestClient[Litestar], query: str = "", accept: str = CONLLU, body: str = SENTENCES) -> httpx.Response:
    headers = {"Content-Type": f"{CONLLU}; charset=utf-8", "Accept": accept}
    answer: httpx.Response = client.post(f"/v1/tag{query}", content=body.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def test_conllu_through_unchanged_and_filled(client: TestClient[Litestar]) -> None:
    assert post(client, "?tasks=").text == SENTENCES
    filled = post(client, "?tasks=upos,xpos").text.splitlines()
    for before, after in zip(SENTENCES.splitlines(), filled, strict=True):
        old, new = before.split("\t"), after.split("\t")
        if old[0].isdecimal():
            assert new[3] != "_"
            assert new[4] != "_"
            new[3:5] = old[3:5]
        assert new == old
    everything = post(client).text
    assert "\t0\troot\t_\tNote=kept" in everything  # no model fills these
    assert "NE=B-MISC" not in everything  # this it does


def test_conllu_in_and_json_out(client: TestClient[Litestar]) -> None:
    from service.answers import TagAnswer

    found = TagAnswer.model_validate_json(post(client, "?tasks=upos&offsets=utf8", "application/json").content)
    assert found.model == "tiny"
    (sentence,) = found.documents[0].sentences
    assert sentence.comments == ["# newdoc id = d1", "# sent_id = s1", "# text = She doesn't."]
    assert [token.text for token in sentence.tokens] == ["She", "does", "n't", "."]
    assert sentence.multiword[0].text == "doesn't"  # type: ignore[index]
    assert sentence.empty_nodes[0].columns[0] == "go"  # type: ignore[index]


def test_messagepack_in_and_out(client: TestClient[Litestar]) -> None:
    body = {"documents": [{"id": "a", "text": "Ada wrote."}, {"text": ""}], "tasks": ["upos"]}
    for form in MESSAGEPACK[:2]:
        headers = {"Content-Type": form, "Accept": form}
        answer = client.post("/v1/tag", content=msgspec.msgpack.encode(body), headers=headers)
        assert answer.headers["content-type"] == form
        assert msgspec.msgpack.decode(answer.content) == client.post("/v1/tag", json=body).json()
    refused = client.post("/v1/tag", content=b"\xc1", headers={"Content-Type": MESSAGEPACK[0]})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_limit_on_documents(settings: Settings) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/tag", content=SENTENCES.encode(), headers={"Content-Type": "Text/X-CoNLLU"})
        assert (answer.status_code, answer.json()["detail"]) == (413, "expected at most 1 documents in one request")

    with_service(settings.model_copy(update={"max_documents": 1}), scenario)
