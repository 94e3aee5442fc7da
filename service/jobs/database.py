"""The database of the jobs: SQLite, or PostgreSQL by URL; its tables and its clock."""

import json
import sqlite3
from time import monotonic, sleep
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.functions import FunctionElement

from taggers.errors import ConfigError

_BUSY_S = 15
_BUSY_PAUSE_S = 0.01
_CONNECT_S = 5
_MAKING = 0x7461676C
"""The advisory lock under which PostgreSQL makes the tables: IF NOT EXISTS alone is no lock there."""

metadata = MetaData()

jobs = Table(
    "tagline_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("finished", Double),
    Column("expires", Double),
    Column("position", Text, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("documents", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("words", BigInteger, nullable=False),
    Column("bytes_read", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("error", Text),
    Column("claim", String(32)),
    Column("holder", String(32)),
    Column("machine", String(64)),
    Column("lease", Double),
    Column("attempts", Integer, nullable=False),
)

parts = Table(
    "tagline_job_parts",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("file", String(64), nullable=False),
)


class now(FunctionElement[float]):  # noqa: N801  it reads as the function that it is
    """Seconds since 1970 by the database's own clock, which all servers share."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _sqlite_now(*_: object, **__: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _postgresql_now(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def open_engine(url: str | URL) -> Engine:
    """What speaks to a database; nothing is asked of it yet.

    Raises:
        ConfigError: The URL is none, or names a database or a driver that there is not.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("setting job_database (TAGLINE_JOB_DATABASE): expected the URL of a database") from None
    match parsed.get_backend_name():
        case "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        case "postgresql":
            try:
                return create_engine(
                    parsed.set(drivername="postgresql+psycopg"),
                    pool_pre_ping=True,
                    connect_args={"connect_timeout": _CONNECT_S, "client_encoding": "utf8"},
                )
            except ImportError:
                raise ConfigError("PostgreSQL needs an extra: pip install 'tagline[postgres]'") from None
        case other:
            raise ConfigError(
                f"setting job_database (TAGLINE_JOB_DATABASE): expected sqlite or postgresql, found {other}"
            )


def make_tables(connection: Connection) -> None:
    """Make the tables where they are not there yet, in a transaction that is open; several servers may come at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
    if "model" not in {column["name"] for column in inspect(connection).get_columns(jobs.name)}:
        _add_models(connection)


def _add_models(connection: Connection) -> None:
    """Give a table of before, where it stood in the request alone, the column of the model."""
    connection.execute(text(f"ALTER TABLE {jobs.name} ADD COLUMN model TEXT NOT NULL DEFAULT ''"))
    for id, request in connection.execute(select(jobs.c.id, jobs.c.request)).all():
        connection.execute(update(jobs).where(jobs.c.id == id).values(model=json.loads(request)["model"]))


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's own rules
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")


def _write_ahead(connection: Any) -> None:
    """Have a database write ahead. SQLite refuses it at once, not after a while, to all but one of those who ask first.

    Raises:
        sqlite3.Error: It cannot be used, or is locked for too long.
    """
    deadline = monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
        else:
            return
        sleep(_BUSY_PAUSE_S)


def _begin_sqlite(connection: Connection) -> None:
    # One that begins by reading and then writes is refused when another has written meanwhile, however long it waits.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
