"""A model that is loaded bounds what torch's CPU kernels keep, unless the user said otherwise."""

import os
from pathlib import Path

import pytest

import taggers
from tests.tiny import tiny_folder

VARIABLE = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


def test_loading_bounds_the_kernels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")  # so that it is put back afterwards
    monkeypatch.delenv(VARIABLE)
    taggers.load(folder, device="cpu")
    assert os.environ[VARIABLE] == "64"


def test_what_the_user_set_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "7")
    taggers.load(folder, device="cpu")
    assert os.environ[VARIABLE] == "7"
