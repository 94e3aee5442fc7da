"""Which databases there are, and their clock."""

import time

import pytest
from sqlalchemy import select

from service.jobs.database import make_tables, now, open_engine
from taggers.errors import ConfigError


def test_the_clock_counts_seconds(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        make_tables(connection)
        make_tables(connection)  # there already
        before, told, after = time.time(), connection.execute(select(now())).scalar_one(), time.time()
    engine.dispose()
    assert before - 0.01 <= told <= after + 0.01


@pytest.mark.parametrize("url", ["nonsense", "mysql://secret@host/name", "oracle://secret@x"])
def test_others_are_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"setting job_database \(TAGLINE_JOB_DATABASE\): expected") as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)
