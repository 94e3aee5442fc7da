"""Jobs through crashes: a service that is killed at random moments, and two that share a database."""

import json
import random
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.end_to_end.forked import WITHIN_S, Forked, serve_forked
from tests.end_to_end.servers import serve
from tests.postgres import Postgres
from tests.service.jobs.clients import failures, results, send, show, wait
from tests.waiting import until

KILLS = 10
CHUNKS = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a database."""
    if request.param == "sqlite":
        return {}
    return {"TAGLINE_JOB_DATABASE": request.getfixturevalue("postgres").new_database()}


def records(chunks: int) -> bytes:
    """Short ones, every hundredth of them bad."""
    lines = (
        b'{"tokens": 9}' if n % 100 == 50 else json.dumps({"tokens": [["Ada"]], "k": n}).encode()
        for n in range(chunks * 1000)
    )
    return b"\n".join(lines) + b"\n"


def without_scores(content: bytes) -> list[Any]:
    found = [json.loads(line) for line in content.splitlines()]
    for document in found:
        for span in document["spans"]["ner"]:
            del span["score"]
    return found


def wait_until_taken_up(id: str, log: Path, *, times: int) -> None:
    taken_up = re.compile(rf"job {id} (?:begins|goes on)")
    until(lambda: len(taken_up.findall(log.read_text("utf-8"))) >= times, within_s=WITHIN_S)


def begun(log: Path) -> list[str]:
    """The jobs that a server has begun, by its log."""
    return [line.split()[4] for line in log.read_text("utf-8").splitlines() if line.endswith("begins")]


def client_of(served: Forked) -> httpx.Client:
    return httpx.Client(base_url=served.address, timeout=WITHIN_S)


def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(
    tiny: Path, tmp_path: Path, database: dict[str, str]
) -> None:
    settings = {"TAGLINE_JOBS_FOLDER": str(tmp_path / "jobs"), **database}
    log = tmp_path / "log"
    content = records(CHUNKS)
    moments = random.Random(len(database))
    with serve_forked(tiny, log=log, **settings) as served, client_of(served) as client:
        whole = wait(client, send(client, content, name="in.jsonl")["id"])
        assert (whole["state"], whole["documents"], whole["failures"]) == ("done", 990 * CHUNKS, 10 * CHUNKS)
        expected = results(client, whole["id"]), failures(client, whole["id"])
        chunk_s = whole["words"] / whole["words_per_s"] / CHUNKS
        id = send(client, content, name="in.jsonl")["id"]
        wait_until_taken_up(id, log, times=1)
        time.sleep(moments.uniform(0, chunk_s))
        served.kill()
    done = [0]
    for kills in range(1, KILLS):
        with serve_forked(tiny, log=log, **settings) as served, client_of(served) as client:
            if show(client, id)["state"] != "done":
                wait_until_taken_up(id, log, times=kills + 1)
            if kills % 2:  # however slow it is by now, it must get on, and not be taken up at the same place ten times
                until(lambda: (job := show(client, id))["documents"] > done[-1] or job["state"] == "done")
            time.sleep(moments.uniform(0, chunk_s))
            done.append(show(client, id)["documents"])
            served.kill()
    assert done == sorted(done)
    with serve_forked(tiny, log=log, **settings) as served, client_of(served) as client:
        killed = wait(client, id)
        for name in ("state", "documents", "failures", "words", "bytes_read", "progress", "error"):
            assert killed[name] == whole[name], name
        assert without_scores(results(client, id)) == without_scores(expected[0])
        assert failures(client, id) == expected[1]
        assert served.stop() == 0
    assert len(list((tmp_path / "jobs" / id / "parts").iterdir())) == CHUNKS  # what never counted is gone
    assert log.read_text("utf-8").count(f"job {id} goes on behind record") > 1


def test_two_servers_share_out_the_jobs_and_none_is_done_twice(tiny: Path, tmp_path: Path, postgres: Postgres) -> None:
    settings = {"TAGLINE_JOBS_FOLDER": str(tmp_path / "jobs"), "TAGLINE_JOB_DATABASE": postgres.new_database()}
    logs = [tmp_path / "one", tmp_path / "other"]
    with (
        serve_forked(tiny, log=logs[0], **settings) as one,
        serve_forked(tiny, log=logs[1], **settings) as other,
        client_of(one) as first,
        client_of(other) as second,
    ):
        ids: list[str] = []
        deadline = time.monotonic() + WITHIN_S
        while len(ids) < 6 or not all(map(begun, logs)):  # the other one looks only now and then
            assert time.monotonic() < deadline
            ids.append(send(first, records(2), name=f"{len(ids)}.jsonl")["id"])
            time.sleep(0.05)
        for id in ids:
            job = wait(first, id)
            assert (job["state"], job["documents"], job["failures"]) == ("done", 1980, 20)
            keys = [json.loads(line)["k"] for line in results(second, id).splitlines()]
            assert keys == [n for n in range(2000) if n % 100 != 50]
    assert sorted(begun(logs[0]) + begun(logs[1])) == sorted(ids)  # each once


def test_a_database_that_drops_its_connections_costs_and_repeats_nothing(
    tiny: Path, tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.new_database()
    settings = {"TAGLINE_JOBS_FOLDER": str(tmp_path / "jobs"), "TAGLINE_JOB_DATABASE": url}
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname <> current_database()"
    with (
        serve_forked(tiny, log=tmp_path / "log", **settings) as served,
        client_of(served) as client,
        psycopg.connect(host=str(postgres.folder), user="tagline", dbname="postgres", autocommit=True) as connection,
    ):
        id = send(client, records(4))["id"]
        for _ in range(20):
            connection.execute(drop)
            time.sleep(0.1)
        job = wait(client, id)
        assert (job["state"], job["documents"], job["failures"]) == ("done", 3960, 40)
        keys = [json.loads(line)["k"] for line in results(client, id).splitlines()]
        assert keys == [n for n in range(4000) if n % 100 != 50]


def test_what_a_server_was_at_when_it_was_told_to_stop_goes_on_elsewhere(tiny: Path, tmp_path: Path) -> None:
    settings = {"TAGLINE_JOBS_FOLDER": str(tmp_path / "jobs")}
    with serve_forked(tiny, log=tmp_path / "one", **settings) as one:
        with client_of(one) as client:
            id = send(client, records(20))["id"]  # which takes longer than it may take to notice that it was begun
            until(lambda: show(client, id)["documents"] > 0)
        assert one.stop() == 0
    with serve("--model", str(tiny), "--port", "0", "--workers", "2", **settings) as two:
        with httpx.Client(base_url=two.wait_until_ready(), timeout=WITHIN_S) as client:
            job = wait(client, id)
            assert (job["state"], job["documents"], job["failures"]) == ("done", 19_800, 200)
        two.wait_until_ready()
        _, _, log = two.stop(signal.SIGTERM)
    assert log.count(f"job {id} goes on behind record") == 1


def test_a_client_that_hangs_up_while_it_sends_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    with serve_forked(tiny, log=tmp_path / "log", TAGLINE_JOBS_FOLDER=str(folder)) as served:
        address = served.address.removeprefix("http://").split(":")
        with socket.create_connection((address[0], int(address[1])), WITHIN_S) as connection:
            connection.sendall(
                b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 3_000_000
            )
            while not list(folder.glob("*/input")):
                time.sleep(0.01)
        until(lambda: not list(folder.glob("*/parts")), within_s=WITHIN_S)
