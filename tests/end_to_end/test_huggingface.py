"""The client that people have: ``huggingface_hub.InferenceClient``, as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from taggers.pipeline import load
from tests.end_to_end.servers import serve

TEXT = "Ada Lovelace 😀 wrote to Babbage in London. Paris is larger than Lyon!"


@pytest.fixture(scope="module")
def address(tiny: Path) -> Iterator[str]:
    with serve("--model", str(tiny), "--port", "0") as served:
        yield served.wait_until_ready()


@pytest.fixture(scope="module")
def client(address: str) -> InferenceClient:
    return InferenceClient(model=f"{address}/hf/tiny")


@pytest.mark.parametrize("strategy", [None, "simple", "first", "average", "max"])
def test_whole_entities(strategy: str | None, client: InferenceClient, tiny: Path) -> None:
    found = client.token_classification(TEXT, aggregation_strategy=strategy, stride=2)
    document = load(tiny)(TEXT)
    expected = [
        (span.label, sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1])
        for sentence in document
        for span in sentence.spans["ner"]
    ]
    assert expected
    assert [(entity.entity_group, entity.start, entity.end) for entity in found] == expected
    for entity in found:
        assert entity.word == TEXT[entity.start : entity.end]
        assert 0 < entity.score <= 1
        assert entity.entity is None


def test_words_of_entities(client: InferenceClient, tiny: Path) -> None:
    found = client.token_classification(TEXT, aggregation_strategy="none")
    assert {entity.entity.partition("-")[0] for entity in found} <= {"B", "I"}
    every = client.token_classification(TEXT, aggregation_strategy="none", ignore_labels=[])
    words = [word for sentence in load(tiny)(TEXT) for word in sentence.words]
    assert [entity["index"] for entity in every] == list(range(1, len(words) + 1))
    assert [entity for entity in every if entity.entity != "O"] == found
    assert all(entity.word == TEXT[entity.start : entity.end] and entity.entity_group is None for entity in every)


def test_labels_that_are_ignored(client: InferenceClient) -> None:
    labels = {entity.entity_group for entity in client.token_classification(TEXT)}
    assert labels
    assert client.token_classification(TEXT, ignore_labels=["O", *labels]) == []
    assert client.token_classification("") == []


def test_what_is_wrong_reaches_the_one_who_asked(address: str, client: InferenceClient) -> None:
    with pytest.raises(BadRequestError, match="'none', 'simple', 'first', 'average' or 'max'"):
        client.token_classification(TEXT, aggregation_strategy="median")  # type: ignore[arg-type]
    with pytest.raises(HfHubHTTPError, match="unknown model 'none'; there are: tiny"):
        InferenceClient(model=f"{address}/hf/none").token_classification(TEXT)
