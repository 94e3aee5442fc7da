"""The token-classification task of Hugging Face: its shape on made-up labels, and the route on a real model."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.answers import Problem
from service.huggingface import Entity, TokenClassificationRequest
from service.schemas import parse_request
from service.served import JudgedSentence
from service.settings import Settings
from taggers.document import Document, Span
from taggers.errors import ModelError
from tests.service.clients import with_service

DOCUMENT = Document.from_words([["😀", "Ada", "Lovelace", "Bob", "saw"], ["Paris"]])
TAGS = [["O", "B-PER", "I-PER", "B-PER", "O"], ["B-LOC"]]
PROBABILITIES = [[0.9, 0.5, 1.0, 0.25, 0.8], [0.7]]
SPANS = [[Span(1, 3, "PER"), Span(3, 4, "PER")], [Span(0, 1, "LOC")]]
JUDGED = [JudgedSentence(*row) for row in zip(DOCUMENT.sentences, TAGS, PROBABILITIES, SPANS, strict=True)]


def answer(inputs: object = "text", **parameters: Any) -> Any:
    body = json.dumps({"inputs": inputs, "parameters": parameters}).encode()
    asked = parse_request(body, TokenClassificationRequest)
    documents = asked.to_documents(max_documents=10)
    return json.loads(asked.write_entities([DOCUMENT] * len(documents), [JUDGED] * len(documents)))


GROUPS = [
    {"entity_group": "PER", "score": 0.75, "word": "Ada Lovelace", "start": 2, "end": 14},
    {"entity_group": "PER", "score": 0.25, "word": "Bob", "start": 15, "end": 18},
    {"entity_group": "LOC", "score": 0.7, "word": "Paris", "start": 23, "end": 28},
]


@pytest.mark.parametrize("strategy", [None, "simple", "first", "average", "max"])
def test_groups(strategy: str | None) -> None:
    assert answer(aggregation_strategy=strategy) == GROUPS
    assert answer(aggregation_strategy=strategy, ignore_labels=["O", "PER", "B-LOC"]) == GROUPS[2:]
    everything = answer(aggregation_strategy=strategy, ignore_labels=[])
    assert [(group["entity_group"], group["word"]) for group in everything] == [
        ("O", "😀"),
        ("PER", "Ada Lovelace"),
        ("PER", "Bob"),
        ("O", "saw"),
        ("LOC", "Paris"),
    ]


def test_words() -> None:
    assert answer(aggregation_strategy="none") == [
        {"entity": "B-PER", "score": 0.5, "index": 2, "word": "Ada", "start": 2, "end": 5},
        {"entity": "I-PER", "score": 1.0, "index": 3, "word": "Lovelace", "start": 6, "end": 14},
        {"entity": "B-PER", "score": 0.25, "index": 4, "word": "Bob", "start": 15, "end": 18},
        {"entity": "B-LOC", "score": 0.7, "index": 6, "word": "Paris", "start": 23, "end": 28},
    ]
    left = answer(aggregation_strategy="none", ignore_labels=["PER", "B-PER"])
    assert [word["entity"] for word in left] == ["O", "I-PER", "O", "B-LOC"]
    assert len(answer(aggregation_strategy="none", ignore_labels=[])) == 6


def test_a_list_of_texts_has_a_list_of_lists() -> None:
    assert answer(["a", "b"]) == [GROUPS, GROUPS]
    assert answer(["a"]) == [GROUPS]
    assert answer([]) == []


# Through HTTP


def problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    return Problem.model_validate_json(answer.content, strict=True)


@pytest.mark.parametrize("strategy", ["none", "max"])
def test_entities_are_those_of_the_model(strategy: str, client: TestClient[Litestar]) -> None:
    text = "Ada Lovelace 😀 wrote to Babbage in London."
    parameters = {"aggregation_strategy": strategy, "task": "ner", "stride": 0}
    body = {"inputs": [text, ""], "parameters": parameters, "options": {"wait_for_model": True}}
    reply = client.post("/hf/tiny", json=body)
    assert [part.split(";")[0] for part in reply.headers["Server-Timing"].split(", ")][-1] == "respond"
    found, nothing = reply.json()
    assert nothing == []
    assert found
    for entity in found:
        Entity.model_validate(entity)
        assert text[entity["start"] : entity["end"]] == entity["word"]
    if strategy == "max":
        (document,) = client.post("/v1/tag", json={"text": text}).json()["documents"]
        assert [(e["entity_group"], e["start"], e["end"]) for e in found] == [
            (span["label"], span["start"], span["end"]) for span in document["spans"]["ner"]
        ]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["inputs"]),
        ({"inputs": 1}, ["inputs.str", "inputs.list[str]"]),
        ({"inputs": "a", "parameters": {"aggregation_strategy": "mean"}}, ["parameters.aggregation_strategy"]),
        ({"inputs": "a", "parameters": {"stride": -1}}, ["parameters.stride"]),
        ({"inputs": "a", "parameters": {"top_k": 1}}, ["parameters.top_k"]),
        ({"inputs": "a", "parameters": {"task": "upos"}}, ["parameters.task"]),
        ({"inputs": "a", "text": "b"}, ["text"]),
    ],
)
def test_bad_fields_are_named(body: object, paths: list[str], client: TestClient[Litestar]) -> None:
    assert [field.path for field in problem(client.post("/hf/tiny", json=body), 400).errors or ()] == paths


def test_unknown_model_and_too_many_texts(settings: Settings, client: TestClient[Litestar]) -> None:
    assert "unknown model 'none'" in problem(client.post("/hf/none", json={"inputs": "a"}), 404).detail

    async def scenario(client: httpx.AsyncClient) -> None:
        assert "at most 2 inputs" in problem(await client.post("/hf/tiny", json={"inputs": ["a"] * 3}), 413).detail
        assert (await client.post("/hf/tiny", json={"inputs": ["a"] * 2})).status_code == 200

    with_service(settings.model_copy(update={"max_documents": 2}), scenario)


def test_an_unknown_field_is_told_its_neighbors(client: TestClient[Litestar]) -> None:
    found = problem(client.post("/hf/tiny", json={"inputs": "a", "parameters": {"top_k": 1}}), 400)
    assert "there are: aggregation_strategy, ignore_labels, stride, task" in found.detail


def test_a_model_without_entities_says_so() -> None:
    bare = SimpleNamespace(span_layers=lambda _: [])
    with pytest.raises(ModelError, match="no layer of entities"):
        TokenClassificationRequest(inputs="a").choose_task(bare)  # type: ignore[arg-type]
