"""A Chromium, a service with a real model and a tiny one, and a visit of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from service.settings import Settings
from tests.browser.visits import Visit, open_visit, serving
from tests.tiny import tiny_folder

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The one of TAGLINE_CHROMIUM, or the system's; package-wide, for other tests have event loops of their own."""
    found = os.environ.get("TAGLINE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: install it (apt-get install chromium) or set TAGLINE_CHROMIUM to one")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has none for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model named ``tiny``."""
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="package")
def address(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with the models ``en-cnn``, the default, and ``tiny``."""
    jobs = tmp_path_factory.mktemp("jobs")
    with serving(Settings(models=("en-cnn", str(tiny)), jobs_folder=jobs)) as made:
        yield made


@pytest.fixture
def options() -> dict[str, Any]:
    """How the visitor's browser is set up; tests override it by ``parametrize``."""
    return {}


@pytest.fixture
def visit(chromium: Browser, address: str, options: dict[str, Any]) -> Iterator[Visit]:
    """The page, opened; at the end nothing may have been wrong behind it."""
    made = open_visit(chromium, address, **options).open()
    yield made
    made.check(refused=[])
    made.page.context.close()
