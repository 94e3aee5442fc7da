"""Fixtures that every test may use."""

import os
from pathlib import Path

# Before torch is imported: the tests' networks are tiny, and threads that wait for each other cost more than they do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of the corpora that README.md names: TAGLINE_CORPORA, else corpora/; skips where there is none."""
    folder = Path(os.environ.get("TAGLINE_CORPORA", Path(__file__).parents[1] / "corpora"))
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}: set TAGLINE_CORPORA")
    return folder


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of small annotated files of our own."""
    return Path(__file__).parent / "fixtures"
