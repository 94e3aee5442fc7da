from typing import Any

import pytest

from service.errors import BadRequest
from service.options import read_options
from service.schemas import TagOptions


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ([], {}),
        ([("model", "en"), ("offsets", "utf8")], {"model": "en", "offsets": "utf8"}),
        ([("tasks", "upos, ner"), ("tasks", "feats")], {"tasks": ["upos", "ner", "feats"]}),
        ([("tasks", "")], {"tasks": []}),
    ],
)
def test_what_a_query_says(query: list[tuple[str, str]], options: dict[str, Any]) -> None:
    found = read_options(query)
    assert found == TagOptions(**options)
    assert found.unit == options.get("offsets", "codepoint")


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ([("offset", "utf8")], "offset", "unknown field; there are: model, tasks, offsets"),
        ([("offsets", "bytes")], "offsets", "'codepoint', 'utf16' or 'utf8'"),
        ([("model", "a"), ("model", "b")], "model", "expected once, found twice"),
    ],
)
def test_what_it_must_not_say(query: list[tuple[str, str]], field: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says) as caught:
        read_options(query)
    assert [problem.path for problem in caught.value.fields] == [field]
