"""The fingerprint of a model: another one for another model, the same whatever else lies in its folder."""

import shutil
from pathlib import Path

import pytest

from taggers.catalog import bundled_models, find_model
from taggers.fingerprint import fingerprint
from tests.folders import change
from tests.tiny import tiny_folder


def test_what_decides_no_answer_may_change(tmp_path) -> None:
    folder = tiny_folder(tmp_path / "model")
    before = fingerprint(folder)
    change(folder, lambda config: config.update(scores={"EWT test": {"upos": 0.9}}))
    (folder / "README.md").write_text("the card")
    (folder / "checkpoints").mkdir()
    (folder / "vocabulary.json").touch()
    assert fingerprint(folder) == before
    found = {before}
    for name in ("model.safetensors", "vocabulary.json", "tokenizer.json", "segmenter-encoder.json"):
        (folder / name).write_bytes(b"other")
        found.add(fingerprint(folder))
    change(folder, lambda config: config.update(expansions={"dont": ["do", "nt"]}))
    found.add(fingerprint(folder))
    assert len(found) == 6
    shutil.rmtree(folder)
    assert fingerprint(folder) not in found


@pytest.mark.parametrize("name", bundled_models())
def test_all_that_a_model_is_read_from_decides(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(find_model(name), tmp_path / "model")
    for path in folder.iterdir():
        if path.suffix in (".json", ".safetensors"):
            before = fingerprint(folder)
            path.unlink()
            assert fingerprint(folder) != before, path.name
            shutil.copy(find_model(name) / path.name, path)
