"""What the tests of whole processes share."""

from pathlib import Path

import pytest

from tests.tiny import tiny_folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model named ``tiny``."""
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")
