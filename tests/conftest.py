"""Fixtures that every test may use."""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Before torch is imported: the tests' networks are tiny, and threads that wait for each other cost more than they do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell has what it starts in the background ignore Ctrl-C, and so would the services that are interrupted here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Postgres, start_postgres

# How long an example takes tells of the machine; whoever looks for what is slow measures it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Services of the tests, in this process and others, leave the user's own jobs alone.
_JOBS = tempfile.mkdtemp(prefix="tagline-jobs-")
os.environ["TAGLINE_JOBS_FOLDER"] = _JOBS
atexit.register(shutil.rmtree, _JOBS, ignore_errors=True)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own; skips where none is installed."""
    with start_postgres() as found:
        if found is None:
            pytest.skip("no PostgreSQL is installed (apt-get install postgresql)")
        yield found


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Sums are taken in another order by more threads; and networks this small only wait for them."""
    import torch  # not for tests of codecs, which do without it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
