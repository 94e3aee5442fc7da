"""A folder's checkpoints are one training's: never those of two, whatever is asked for at three in the morning."""

import json
from pathlib import Path
from typing import Any

import pytest

from taggers.errors import ConfigError
from training.checkpoints import claim_checkpoints
from training.config import Recipe

VALUES: dict[str, Any] = {
    "model": {
        "name": "small",
        "language": "en",
        "encoder": {"type": "cnn", "width": 16, "dilations": [1, 2]},
        "features": {"words": {"width": 16}},
    },
    "tasks": {"upos": {}},
    "data": [{"train": ["a.conllu"], "dev": ["b.conllu"], "tasks": ["upos"]}],
    "segmenter": {
        "encoder": {"type": "cnn", "width": 16},
        "features": {"words": {"width": 16}},
        "data": [{"train": ["a.conllu"], "dev": ["b.conllu"]}],
    },
}


def recipe(*path: str | int, value: Any = None) -> Recipe:
    """The recipe, with one value changed."""
    values = json.loads(json.dumps(VALUES))
    table = values
    for part in path[:-1]:
        table = table[part] if isinstance(part, int) else table.setdefault(part, {})
    if path:
        table[path[-1]] = value
    return Recipe.model_validate(values)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A folder in which both networks' trainings have begun."""
    claim_checkpoints(tmp_path, recipe(), resume=False)
    for name in ("segmenter", "tagger"):
        (tmp_path / name / "last.pt").write_bytes(b"")
    return tmp_path


def test_an_empty_folder_is_claimed_with_and_without_resume(tmp_path: Path) -> None:
    for resume in (False, True):
        claim_checkpoints(tmp_path / str(resume), recipe(), resume=resume)
        assert {path.name for path in (tmp_path / str(resume)).iterdir()} == {"segmenter", "tagger"}


@pytest.mark.parametrize("resume", [False, True])
def test_what_was_claimed_but_never_begun_is_free(tmp_path: Path, *, resume: bool) -> None:
    claim_checkpoints(tmp_path, recipe(), resume=False)
    other = recipe("training", "seed", value=2)
    claim_checkpoints(tmp_path, other, resume=resume)
    (tmp_path / "tagger" / "last.pt").write_bytes(b"")
    claim_checkpoints(tmp_path, other, resume=True)
    with pytest.raises(ConfigError, match=r"training\.seed was 2 and is now 1"):
        claim_checkpoints(tmp_path, recipe(), resume=True)


def test_a_claim_that_was_cut_off_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_checkpoints(tmp_path, recipe(), resume=False)
    before = (tmp_path / "tagger" / "config.json").read_bytes()

    def cut_off(_path: Path, _target: Path) -> None:
        raise OSError("cut off")

    monkeypatch.setattr(Path, "replace", cut_off)
    with pytest.raises(OSError, match="cut off"):
        claim_checkpoints(tmp_path, recipe("training", "seed", value=2), resume=False)
    assert (tmp_path / "tagger" / "config.json").read_bytes() == before


@pytest.mark.parametrize("state", ["last.pt", "best.pt", "log.jsonl"])
@pytest.mark.parametrize("name", ["segmenter", "tagger"])
def test_without_resume_a_training_is_never_overwritten(tmp_path: Path, name: str, state: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / state).write_bytes(b"work of hours")
    with pytest.raises(ConfigError, match=rf"{name}: holds a training already: --resume goes on with it"):
        claim_checkpoints(tmp_path, recipe(), resume=False)
    assert (tmp_path / name / state).read_bytes() == b"work of hours"


def test_resume_goes_on_with_the_same_config(begun: Path) -> None:
    claim_checkpoints(begun, recipe(), resume=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("corpora",), "elsewhere"),
        (("model", "description"), "other words"),
        (("model", "license"), "CC0-1.0"),
        (("model", "storage"), "int8"),
        (("data", 0, "url"), "https://example.org"),
        (("data", 0, "test"), ["c.conllu"]),
        (("training", "checkpoint_minutes"), 1.0),
        (("segmenter", "training", "checkpoint_minutes"), 1.0),
    ],
)
def test_resume_may_change_what_is_not_learned_from(begun: Path, path: tuple[str, ...], value: Any) -> None:
    claim_checkpoints(begun, recipe(*path, value=value), resume=True)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("training", "seed"), 2, "tagger: .* training.seed was 1 and is now 2"),
        (("model", "encoder", "dilations"), [1, 3], "tagger: .* model.encoder.dilations.1 was 2 and is now 3"),
        (("model", "features", "shape"), {"width": 8}, "tagger: .* model.features.shape.* was None and is now "),
        (("data", 0, "train"), ["other.conllu"], "tagger: .* data.0.train.0 was 'a.conllu' and is now 'other.conllu'"),
        (("segmenter", "newline_rate"), 0.5, "segmenter: .* newline_rate was 0.2 and is now 0.5"),
        (("segmenter", "training", "epochs"), 9, "segmenter: .* training.epochs was 20 and is now 9"),
    ],
)
def test_resume_of_another_config_is_refused_by_name(
    begun: Path, path: tuple[Any, ...], value: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        claim_checkpoints(begun, recipe(*path, value=value), resume=True)
    assert "\n" not in str(caught.value)
    claim_checkpoints(begun, recipe(), resume=True)  # the refusal changed nothing


def test_checkpoints_from_before_configs_were_kept_can_be_resumed(begun: Path) -> None:
    for name in ("segmenter", "tagger"):
        (begun / name / "config.json").unlink()
    claim_checkpoints(begun, recipe(), resume=True)


@pytest.mark.parametrize("content", [b"", b'{"model": ', b"\xff"])
def test_a_damaged_config_of_a_training_is_told(begun: Path, content: bytes) -> None:
    (begun / "tagger" / "config.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"tagger/config\.json: the checkpoint's config is damaged: "):
        claim_checkpoints(begun, recipe(), resume=True)


def test_a_borrowed_segmenter_claims_nothing(tmp_path: Path) -> None:
    claim_checkpoints(tmp_path, recipe("segmenter", value={"model": "en"}), resume=False)
    assert [path.name for path in tmp_path.iterdir()] == ["tagger"]
