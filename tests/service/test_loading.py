"""Loading a model so that it is warm, and which folders a client may name."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from service.budget import BatchLimits
from service.errors import BadRequest, RefusedModel
from service.loading import allowed_folder, load_again, load_warm, measure_limits


def test_a_model_is_warm_with_or_without_a_segmenter(tiny: Path, tmp_path: Path) -> None:
    assert load_warm(tiny, device="cpu").can_segment
    from taggers.checkpoint import Model, save_model
    from tests.tiny import tiny_model

    made = tiny_model()
    bare = Model(made.manifest.model_copy(update={"segmenter": None}), made.tagger, segmenter=None)
    save_model(tmp_path / "bare", bare)
    without = load_warm(tmp_path / "bare", device="cpu")
    assert not without.can_segment
    assert measure_limits(without, max_batch_tokens=None, batch_ms=1).tagger >= 256


def test_batches_are_as_big_as_was_measured_or_said(tiny: Path) -> None:
    tagger = load_warm(tiny, device="cpu")
    assert measure_limits(tagger, max_batch_tokens=7, batch_ms=50) == BatchLimits(segmenter=28, tagger=7)
    measured = measure_limits(tagger, max_batch_tokens=None, batch_ms=1)
    assert measured.segmenter >= 256
    assert measured.tagger >= 256


load_here = partial(load_warm, device="cpu")


def test_a_refusal_says_what_but_not_where(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(tiny, folder)
    (folder / "vocabulary.json").unlink()
    for missing in (folder, tmp_path / "nowhere"):
        with pytest.raises(RefusedModel) as caught:
            load_again(missing, load_here)
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(RefusedModel, match=r"vocabulary\.json cannot be read"):
        load_again(folder, load_here)


def test_folders_below_the_root_are_allowed_wherever_links_lead(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "in").symlink_to(root / "a")
    (root / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "alias").symlink_to(root)
    assert allowed_folder("a/b", root=root) == allowed_folder("in/b", root=tmp_path / "alias") == root / "a" / "b"
    for asked in ("out", "../outside", str(tmp_path / "outside"), "/", "a/../..", "missing", "x" * 9_000, "\0"):
        with pytest.raises(BadRequest, match="expected a folder below the root"):
            allowed_folder(asked, root=root)
    with pytest.raises(BadRequest, match="takes no folder"):
        allowed_folder("a", root=None)
