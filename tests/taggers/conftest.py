"""Model folders, made once and copied for whoever changes them."""

import shutil
from pathlib import Path

import pytest

from tests.tiny import tiny_folder


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("models") / "cnn")


@pytest.fixture(scope="session")
def pristine_pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("models") / "bert", "pretrained")


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "model"))


@pytest.fixture
def pretrained_folder(pristine_pretrained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine_pretrained, tmp_path / "model"))
