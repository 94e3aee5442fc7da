"""A PostgreSQL server for tests: its own folder, no port, gone when the tests are over."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

_WITHIN_S = 30


@dataclass(frozen=True)
class Postgres:
    """A running server, reached through a socket in its folder."""

    folder: Path

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://tagline@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of an empty one."""
        import psycopg

        name = f"test_{uuid4().hex}"
        with psycopg.connect(host=str(self.folder), user="tagline", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload, arg-type]
        return self.url(name)


@contextmanager
def start_postgres() -> Iterator[Postgres | None]:
    """Start a server; None where none is installed."""
    programs = _programs()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="tagline-pg-"))  # short, as the path of a socket must be
    as_user = _user(folder)
    try:
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                folder / "data",
                "-U",
                "tagline",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **as_user,
        )
        command = [programs / "postgres", "-D", folder / "data", "-k", folder]
        for setting in ("listen_addresses=", "fsync=off", "max_connections=50"):
            command += ["-c", setting]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **as_user
        ) as process:
            try:
                made = Postgres(folder)
                _wait(made)
                yield made
            finally:
                process.send_signal(signal.SIGINT)  # whoever is still connected is sent away
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of the server's programs; Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


def _user(folder: Path) -> dict[str, Any]:
    """Whom it runs as: it refuses to be root."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(postgres: Postgres) -> None:
    import psycopg

    deadline = time.monotonic() + _WITHIN_S
    while True:
        try:
            psycopg.connect(host=str(postgres.folder), user="tagline", dbname="postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
