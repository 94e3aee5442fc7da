"""A service with a tiny real model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.settings import Settings
from tests.service.clients import wait_until_ready
from tests.tiny import tiny_folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model named ``tiny``."""
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def settings(tiny: Path) -> Settings:
    """Settings that serve it."""
    return Settings(models=(str(tiny),))


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[TestClient[Litestar]]:
    """A client of a service that is ready."""
    from service.app import create_app

    with TestClient(create_app(settings)) as made:
        wait_until_ready(made)
        yield made
