"""A model folder with any byte or value changed works or is refused: never another exception, no crash later."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.folders import use
from tests.strategies import json_values


@settings(max_examples=50)
@given(data=st.data())
@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors"])
def test_any_changed_byte_is_refused_or_harmless(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"flipped-{name}"
    if not folder.exists():
        shutil.copytree(pristine, folder)
    content = bytearray((pristine / name).read_bytes())
    place = data.draw(st.integers(0, min(len(content), 6000) - 1))
    content[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'{}[]",:0 -e'))
    (folder / name).write_bytes(content)
    use(folder)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands in JSON; of a list, only the first entries."""
    items = (
        content.items() if isinstance(content, dict) else enumerate(content[:2]) if isinstance(content, list) else ()
    )
    return [place for key, value in items for place in [(*path, key), *places(value, (*path, key))]]


@settings(max_examples=50)
@given(data=st.data())
@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
def test_any_other_value_is_refused_or_harmless(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"valued-{name}"
    if not folder.exists():
        shutil.copytree(pristine, folder)
    content = json.loads((pristine / name).read_text("utf-8"))
    *path, key = data.draw(st.sampled_from(places(content)))
    target = content
    for step in path:
        target = target[step]
    match data.draw(st.sampled_from(["replace", "delete", "add"])):
        case "delete":
            del target[key]
        case "add" if isinstance(target, dict):
            target[data.draw(st.text(max_size=3))] = data.draw(json_values())
        case _:
            target[key] = data.draw(json_values())
    (folder / name).write_text(json.dumps(content), "utf-8")
    use(folder)
