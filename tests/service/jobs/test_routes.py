"""``/v1/jobs`` over a service with a tiny real model: what comes in, what comes out, what is refused."""

import asyncio
import gzip
import io
import json
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.app import create_app
from service.jobs import desk
from service.jobs.job import Input, Order
from service.jobs.part import Part
from service.jobs.results import write_failures
from service.jobs.store import Store
from service.jobs.threads import Threads
from service.settings import Settings
from taggers.bulk.job import run_job
from taggers.bulk.pieces import Failure, ReadOptions
from taggers.bulk.rendering import OutputFormat, OutputOptions
from taggers.bulk.sources import find_sources
from taggers.bulk.work import Work
from tests.service.clients import wait_until_ready, with_service
from tests.service.jobs.clients import failures, results, send, show, wait, words
from tests.service.jobs.conftest import MANY
from tests.waiting import until

CONLLU = "".join(
    f"# newdoc id = d{n}\n# sent_id = d{n}-1\n# text = Ada sings\n"
    "1\tAda\t_\t_\t_\t_\t_\t_\t_\t_\n2\tsings\t_\tX\tY\t_\t0\troot\t_\tNE=B-Z\n\n"
    for n in range(3)
).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def client(tiny: Path, folder: Path) -> Iterator[TestClient[Litestar]]:
    made = Settings(
        models=(str(tiny),),
        jobs_folder=folder / "jobs",
        job_sources=(f"{folder}/in/",),
        max_job_bytes=200_000,
        max_body_bytes=100_000,
    )
    with TestClient(create_app(made)) as found:
        wait_until_ready(found)
        yield found


def rows(count: int, **extra: Any) -> bytes:
    lines = [
        json.dumps({"id": f"r{n}", "text": f"Ada\u2028 didn't\nsing {n} 😀.", "k": n, **extra}) for n in range(count)
    ]
    return "\n".join(lines).encode() + b"\n"


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "jobs").iterdir() if len(path.name) == 32)


def tagged(path: Path, target: Path, tiny: Path, *, to: OutputFormat, **reading: Any) -> bytes:
    """What ``tagline tag`` makes of a file."""
    output = OutputOptions(to, title="Tagged by tiny")
    run_job(find_sources([str(path)]), Work(str(tiny), ReadOptions(**reading), output, device="cpu"), target, workers=1)
    return target.read_bytes()


def without_scores(value: Any) -> Any:
    """The same, without the numbers that neighbors in a batch may change a little."""
    if isinstance(value, dict):
        return {key: without_scores(item) for key, item in value.items() if key != "score"}
    return [without_scores(item) for item in value] if isinstance(value, list) else value


def comparable(content: bytes, format: str, path: Path) -> Any:
    if format == "jsonl":
        return without_scores([json.loads(line) for line in content.splitlines()])
    if format == "parquet":
        path.write_bytes(content)
        table = pyarrow.parquet.read_table(path)
        return [str(field) for field in table.schema], without_scores(table.to_pylist())
    return content.decode("utf-8")


INPUTS: dict[str, bytes] = {
    "in.jsonl": rows(3) + b'{"id": "bad", "text": 7}\n' + rows(2) + b'{"id": "w", "tokens": [["Ada", "sings"]]}\n',
    "in.csv": b'id,text,stars\n1,"Ada sings,\nloudly",5\n2,too,many,fields\n3,Paris.,4\n',
    "in.conllu": CONLLU,
    "in.txt": "\ufeffAda sings.\n\nParis \u2028 9\r\n".encode(),
}


@pytest.mark.parametrize("name", [*INPUTS, "in.parquet"])
@pytest.mark.parametrize("format", ["jsonl", "parquet", "conllu", "iob2", "html"])
def test_results_are_what_tagline_tag_writes(
    client: TestClient[Litestar], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, format: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    source = Path(name)  # without a folder, as both tell of it
    if name == "in.parquet":
        day = pa.array([1, None, 3], pa.date32())
        table = pa.table({"id": ["a", None, "c"], "text": ["Ada sings.", None, "9"], "day": day, "spans": [1, 2, 3]})
        pyarrow.parquet.write_table(table, source)
    else:
        source.write_bytes(INPUTS[name])
    job = wait(client, send(client, source.read_bytes(), name=name)["id"])
    assert job["state"] == "done"
    per_line = name.endswith(".txt")
    expected = tagged(source, Path("out"), tiny, to=format, per_line=per_line)
    found = results(client, job["id"], format=format)
    assert comparable(found, format, tmp_path / "found") == comparable(expected, format, tmp_path / "expected")
    errors = tmp_path / "out.errors.jsonl"
    failed = [json.loads(line) for line in errors.read_bytes().splitlines()] if errors.exists() else []
    assert failures(client, job["id"], format=format) == failed
    # A job knows no format before its results are asked for: what only this one cannot hold is no failure of it.
    of_format = [one for one in failed if one["reason"].startswith("has no words, and ")]
    assert bool(of_format) == (name == "in.txt" and format in ("conllu", "iob2"))
    assert failures(client, job["id"]) == [one for one in failed if one not in of_format]
    assert job["failures"] == len(failed) - len(of_format)


def test_a_job_tells_how_far_it_is(client: TestClient[Litestar], leave: threading.Semaphore) -> None:
    content = words(1200)
    with_length = client.post("/v1/jobs?name=reviews.jsonl&tasks=upos,ner", content=content)
    job = with_length.json()
    assert with_length.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["name"], job["model"], job["tasks"]) == (
        "queued",
        "reviews.jsonl",
        "tiny",
        ["upos", "ner"],
    )
    assert (job["bytes_total"], job["progress"], job["expires"]) == (len(content), 0.0, None)
    refused = client.get(f"/v1/jobs/{job['id']}/results")
    assert refused.status_code == 409
    assert "results are there when it is over" in refused.json()["detail"]
    leave.release(MANY)
    done = wait(client, job["id"])
    assert (done["state"], done["documents"], done["failures"], done["progress"]) == ("done", 1200, 0, 1.0)
    assert done["words"] == 1200
    assert done["words_per_s"] > 0
    assert (done["seconds_left"], done["error"]) == (None, None)
    created, started, finished, expires = (
        datetime.fromisoformat(done[name]) for name in ("created", "started", "finished", "expires")
    )
    assert created <= started <= finished < expires
    assert created.utcoffset() is not None
    listed = client.get("/v1/jobs?limit=1").json()["jobs"]
    assert listed == [done]
    answer = client.get(f"/v1/jobs/{job['id']}/results")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert 'filename="reviews.tagged.jsonl"' in answer.headers["content-disposition"]
    lines = answer.content.splitlines()
    assert [json.loads(line)["k"] for line in lines] == list(range(1200))
    assert "lemma" not in json.loads(lines[0])["sentences"][0]["tokens"][0]
    metrics = client.get("/metrics").text
    assert 'tagline_jobs_ended_total{state="done"}' in metrics


@pytest.mark.parametrize("accept", ["*/*", "application/x-ndjson", "application/vnd.apache.parquet", "text/x-conllu"])
def test_accept_chooses_the_form(client: TestClient[Litestar], accept: str) -> None:
    id = wait(client, send(client, rows(1), name="bé.c.jsonl.gz")["id"])["id"]
    answer = client.get(f"/v1/jobs/{id}/results", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/x-ndjson" if accept == "*/*" else accept)
    kind = answer.headers["content-type"].partition(";")[0]
    suffix = {"application/vnd.apache.parquet": "parquet", "text/x-conllu": "conllu"}.get(kind, "jsonl")
    assert answer.headers.get_list("content-disposition") == [
        f"attachment; filename=\"b_.c.tagged.{suffix}\"; filename*=UTF-8''b%C3%A9.c.tagged.{suffix}"
    ]
    assert client.get(f"/v1/jobs/{id}/results", headers={"Accept": "image/png"}).status_code == 406


def test_offsets_in_other_units(client: TestClient[Litestar]) -> None:
    id = wait(client, send(client, '{"text": "😀 Ada sings."}\n'.encode())["id"])["id"]
    document = json.loads(results(client, id, offsets="utf16"))
    text = document["text"].encode("utf-16-le")
    for sentence in document["sentences"]:
        assert sentence["end"] <= len(text) // 2
        for token in sentence["tokens"]:
            assert text[2 * token["start"] : 2 * token["end"]].decode("utf-16-le") in document["text"]
    assert document["sentences"][-1]["end"] == len(text) // 2
    refused = client.get(f"/v1/jobs/{id}/results?offsets=utf16&format=html")
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("content", "type", "query", "documents"),
    [
        (b"one\ntwo\n", "text/plain", {}, 2),
        (b"one\ntwo\n", "", {"format": "text"}, 2),
        (b"text\none\n", "text/csv; charset=utf-8", {}, 1),
        (b"body,key\none,1\n", "", {"name": "a.csv", "text_field": "body", "id_field": "key"}, 1),
        (gzip.compress(b'{"text": "one"}\n', mtime=0), "", {}, 1),
        (gzip.compress(b"text\none\n", mtime=0), "application/gzip", {"name": "a.csv.gz"}, 1),
        (b'{"text": "one"}\n', "application/octet-stream", {}, 1),
        (CONLLU, "text/plain", {"name": "a.conllu"}, 3),
        (b"text\none\n", "application/x-www-form-urlencoded", {"name": "a.csv"}, 1),  # as curl --data-binary calls it
        (gzip.compress(b"", mtime=0), "", {}, 0),
        (b"[\none\n]\n", "", {"format": "text"}, 3),
        (b"[one]\n", "", {}, 1),
    ],
)
def test_formats_are_told_by_query_type_name_and_content(
    client: TestClient[Litestar], content: bytes, type: str, query: dict[str, str], documents: int
) -> None:
    job = wait(client, send(client, content, type=type, **query)["id"])
    assert (job["state"], job["documents"], job["failures"]) == ("done", documents, 0)
    assert results(client, job["id"]).count(b"\n") == documents


@pytest.mark.parametrize(
    ("content", "query", "detail"),
    [
        (b"", {}, "the body is empty: send the file"),
        (b"a,b\n1,2\n", {"name": "a.csv"}, "expected a column 'text', found the columns a, b"),
        (b"not parquet", {"format": "parquet"}, "expected Parquet"),
        (gzip.compress(rows(9), mtime=0)[:10], {"name": "a.jsonl"}, "cannot be read"),
        (b"\x89PNG\r\n\x1a\n", {"name": "a.png"}, "a.png: expected text in UTF-8, or a format that is named"),
        (b'[{"text": "one"}]', {"name": "a.json"}, "a.json:1: expected documents, found a JSON array"),
        (b"x", {"format": "xml"}, "format"),
        (b"x", {"tasks": "poetry"}, "poetry"),
        (b"x", {"colour": "red"}, "unknown field"),
        (b"x", {"name": "../x"}, "name"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once_and_leaves_nothing(
    client: TestClient[Litestar], folder: Path, content: bytes, query: dict[str, str], detail: str
) -> None:
    before = folders(folder)
    assert detail in send(client, content, status=400, **query)["detail"]
    assert folders(folder) == before


def test_a_form_or_an_unknown_encoding_is_refused(client: TestClient[Litestar], folder: Path) -> None:
    before = folders(folder)
    for asked, detail in (
        ({"files": {"file": rows(1)}}, "found multipart/form-data: send the file itself"),
        ({"content": rows(1), "headers": {"Content-Encoding": "br"}}, "expected Content-Encoding to be gzip"),
    ):
        answer = client.post("/v1/jobs", **asked)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["type"]) == (415, "urn:tagline:problem:unsupported-media")
        assert detail in answer.json()["detail"]
    assert folders(folder) == before
    for content, encoding in ((rows(1), "identity"), (gzip.compress(rows(1), mtime=0), "GZIP")):
        answer = client.post("/v1/jobs", content=content, headers={"Content-Encoding": encoding})
        assert wait(client, answer.json()["id"])["documents"] == 1


def test_an_unknown_model_and_an_unknown_job(client: TestClient[Litestar]) -> None:
    assert send(client, b"x", status=404, model="nobody")["errors"][0]["path"] == "model"
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results"), ("GET", "/failures")):
        for id, name in (("nothing", "'nothing'"), ("abc%00", r"'abc\x00'"), ("0" * 32, f"'{'0' * 32}'")):
            answer = client.request(method, f"/v1/jobs/{id}{path}")
            assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no job {name}")


def test_too_much_is_refused_and_leaves_nothing(client: TestClient[Litestar], folder: Path) -> None:
    before = folders(folder)
    announced = send(client, b"x" * 200_001, status=413)
    assert announced["detail"] == "expected a body of at most 200000 bytes"

    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 10_000

    answer = client.post("/v1/jobs", content=pieces())
    assert answer.status_code == 413
    assert folders(folder) == before


def test_a_full_disk_is_told_and_leaves_nothing(client: TestClient[Litestar], folder: Path) -> None:
    before = folders(folder)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, limits[1]))
    try:
        problem = send(client, b"x" * 190_000, status=507)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert problem["type"] == "urn:tagline:problem:disk-full"
    assert folders(folder) == before


def test_bad_records_fail_alone(client: TestClient[Litestar]) -> None:
    content = rows(2) + b'\xff\xfe\n{"text": "\\ud800"}\n' + b'{"text": "' + b"x" * 100_000 + b'"}\n' + rows(1)
    job = wait(client, send(client, content, name="in.jsonl")["id"])
    assert (job["state"], job["documents"], job["failures"]) == ("done", 3, 3)
    found = failures(client, job["id"])
    assert [failure["place"] for failure in found] == ["in.jsonl:3", "in.jsonl:4", "in.jsonl:5"]
    assert "UTF-8" in found[0]["reason"]
    assert "at most 100,000 bytes" in found[2]["reason"]


def test_a_job_of_any_name_reads_its_upload_and_answers_in_parquet(client: TestClient[Litestar]) -> None:
    content = rows(3, meta={}, long=2**60) + rows(1, long=0.5)
    job = wait(client, send(client, content, name="-")["id"])
    assert (job["name"], job["state"], job["documents"]) == ("-", "done", 4)
    table = pyarrow.parquet.read_table(io.BytesIO(results(client, job["id"], format="parquet")))
    assert table.column("meta").to_pylist() == ["{}", "{}", "{}", None]
    assert table.num_rows == 4


def test_a_file_that_ends_early_fails_and_keeps_what_was_done(client: TestClient[Litestar]) -> None:
    content = gzip.compress(words(2500))
    job = wait(client, send(client, content[: len(content) - 500], name="in.jsonl.gz")["id"])
    assert job["state"] == "failed"
    assert "reading ended here" in job["error"]
    assert job["failures"] == 1
    assert 0 < job["documents"] < 2500
    assert results(client, job["id"]).count(b"\n") == job["documents"]


def test_cancelled_keeps_what_was_done(client: TestClient[Litestar], leave: threading.Semaphore) -> None:
    leave.release()
    id = send(client, words(3200), tasks="upos")["id"]
    until(lambda: show(client, id)["documents"] > 0)
    answer = client.post(f"/v1/jobs/{id}/cancel")
    assert answer.status_code == 200
    job = answer.json()
    assert job["state"] == "cancelled"
    assert job["documents"] == 1000
    assert results(client, id).count(b"\n") == job["documents"]
    assert client.post(f"/v1/jobs/{id}/cancel").json() == job


def test_deleted_is_gone_running_or_not(client: TestClient[Litestar], folder: Path, leave: threading.Semaphore) -> None:
    running, queued = (send(client, words(2200))["id"] for _ in range(2))
    until(lambda: show(client, running)["state"] == "running")
    for id in (queued, running):
        assert client.delete(f"/v1/jobs/{id}").status_code == 204
        assert client.get(f"/v1/jobs/{id}").status_code == 404
        assert id not in folders(folder)


def test_results_whose_files_are_gone_are_told_to_be_so(client: TestClient[Litestar], folder: Path) -> None:
    id = wait(client, send(client, rows(1))["id"])["id"]
    assert "unlisted" not in {path.name for path in (folder / "jobs" / id).iterdir()}
    for path in (folder / "jobs" / id / "parts").iterdir():
        path.unlink()
    for path in ("results", "failures"):
        answer = client.get(f"/v1/jobs/{id}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:tagline:problem:files-gone")


def test_addresses_are_read_where_the_settings_allow(client: TestClient[Litestar], folder: Path) -> None:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / "a.jsonl").write_bytes(rows(2))
    (folder / "in" / "b.csv").write_bytes(b"text\nParis\n")
    job = client.post("/v1/jobs", json={"source": f"{folder}/in/", "tasks": ["upos"], "name": "both"}).json()
    job = wait(client, job["id"])
    assert (job["state"], job["name"], job["documents"], job["tasks"]) == ("done", "both", 3, ["upos"])
    job = client.post("/v1/jobs?model=tiny", json={"source": f"{folder}/in/b.csv"}).json()
    assert (job["name"], job["bytes_total"]) == ("b.csv", 11)
    for source, status in ((f"{folder}/in/../jobs/jobs.sqlite3", 403), ("/etc/passwd", 403), (f"{folder}/in/c", 400)):
        answer = client.post("/v1/jobs", json={"source": source})
        assert answer.status_code == status, answer.text
    assert client.post("/v1/jobs", json=[1]).status_code == 400


def test_addresses_that_never_answer_are_given_up_and_hold_up_nobody(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    looks: list[Any] = []
    run = Threads.run

    async def counted(self: Threads, function: Any, *args: Any, **kwargs: Any) -> Any:
        if self._name == "jobs-looking":
            looks.append(function)
        return await run(self, function, *args, **kwargs)

    monkeypatch.setattr(Threads, "run", counted)
    monkeypatch.setattr(desk, "look_into", lambda *_: goes_on.wait())
    (tmp_path / "in.txt").write_bytes(b"Ada\n")
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path / "jobs", job_sources=(str(tmp_path),))

    async def scenario(client: httpx.AsyncClient) -> None:
        asked = {"source": str(tmp_path / "in.txt")}
        hanging = [asyncio.create_task(client.post("/v1/jobs", json=asked)) for _ in range(40)]
        async with asyncio.timeout(60):
            while len(looks) < len(hanging):
                await asyncio.sleep(0.01)
        monkeypatch.setattr(desk, "_LOOK_S", 0.5)  # of those that come from now on
        for path in ("/metrics", "/v1/jobs"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post("/v1/tag", json={"text": "Ada sings. " * 2000})).status_code == 200
        answer = await client.post("/v1/jobs", json=asked)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:tagline:problem:unreachable-source")
        assert answer.json()["detail"] == f"{asked['source']} did not answer within 0.5 seconds"
        assert not any(task.done() for task in hanging)
        goes_on.set()
        assert {(await task).status_code for task in hanging} == {201}

    try:
        with_service(settings, scenario)
    finally:
        goes_on.set()


def test_a_database_that_is_locked_holds_up_nobody_else(tiny: Path, tmp_path: Path) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        await client.get("/v1/jobs")  # there are tables now
        with closing(sqlite3.connect(tmp_path / "jobs.sqlite3", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            waiting = [asyncio.create_task(client.get("/v1/jobs")) for _ in range(40)]
            await asyncio.sleep(1)
            assert (await client.get("/metrics")).status_code == 200
            assert not any(task.done() for task in waiting)
            connection.execute("COMMIT")
            assert {(await task).status_code for task in waiting} == {200}

    with_service(Settings(models=(str(tiny),), jobs_folder=tmp_path), scenario)


def test_many_failures_come_in_few_pieces(tmp_path: Path) -> None:
    failures = [(n, Failure(f"in:{n + 1}", "bad")) for n in range(2500)]
    path = tmp_path / "part"
    path.write_bytes(Part(0, "v", [], [], failures).pack())
    pieces = list(write_failures(Order("in", "m", None, (), Input()), [path], "jsonl"))
    assert len(pieces) == 3
    lines = b"".join(pieces).splitlines()
    assert [json.loads(line)["place"] for line in lines] == [failure.place for _, failure in failures]


def test_an_address_whose_content_changed_fails(tiny: Path, tmp_path: Path, leave: threading.Semaphore) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(rows(1))
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path / "jobs", job_sources=(str(tmp_path),))
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        blocking = send(client, words(1500))["id"]
        id = client.post("/v1/jobs", json={"source": str(source)}).json()["id"]
        source.write_bytes(rows(2))
        leave.release(MANY)
        wait(client, blocking)
        job = wait(client, id)
    assert (job["state"], job["error"]) == ("failed", f"{source} has changed since the job was made")


def test_each_key_sees_its_own_jobs(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path, api_keys=("key-one", "key-two"))  # type: ignore[arg-type]
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        client.headers["X-API-Key"] = "key-one"
        id = send(client, rows(1))["id"]
        assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == [id]
        client.headers["X-API-Key"] = "key-two"
        assert client.get("/v1/jobs").json() == {"jobs": []}
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/results")):
            assert client.request(method, f"/v1/jobs/{id}{path}").status_code == 404
        del client.headers["X-API-Key"]
        assert client.get("/v1/jobs").status_code == 401
    for path in tmp_path.rglob("jobs.sqlite3*"):
        assert b"key-one" not in path.read_bytes()


def test_expired_is_removed(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path, job_keep_hours=1e-6)
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        id = send(client, rows(1))["id"]
        until(lambda: client.get(f"/v1/jobs/{id}").json().get("state") in ("done", None))
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        until(lambda: client.get(f"/v1/jobs/{id}").status_code == 404)
        until(lambda: not (tmp_path / id).exists())


def test_what_is_no_id_is_never_looked_for(client: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: Any, **__: Any) -> None:
        pytest.fail("PostgreSQL takes no NUL")

    monkeypatch.setattr(Store, "find", find)
    for id in ("abc%00", "A" * 32, "0" * 31):
        assert client.get(f"/v1/jobs/{id}").status_code == 404


def test_jobs_can_be_off(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(models=(str(tiny),), jobs="off", jobs_folder=tmp_path / "none")
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        assert client.get("/v1/jobs").status_code == 404
    assert not (tmp_path / "none").exists()


def test_a_limit_that_is_none(client: TestClient[Litestar]) -> None:
    for limit, wanted in (("0", "int >= 1"), ("1001", "int <= 1000"), ("x", "int, got str")):
        answer = client.get(f"/v1/jobs?limit={limit}")
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert answer.json() == {
            "type": "urn:tagline:problem:bad-request",
            "title": "The request is not what the interface demands",
            "status": 400,
            "detail": f"limit: expected {wanted}",
            "errors": [{"path": "limit", "message": f"expected {wanted}"}],
        }


def test_a_folder_that_cannot_be_made_stops_nothing_else(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(models=(str(tiny),), jobs_folder=tmp_path / "file" / "jobs")
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        assert client.post("/v1/tag", json={"text": "Paris"}).status_code == 200
        assert send(client, rows(1), status=503)["type"] == "urn:tagline:problem:jobs-unavailable"
        assert client.get("/v1/jobs").status_code == 503
