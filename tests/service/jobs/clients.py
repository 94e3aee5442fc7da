"""What tests ask of jobs over HTTP."""

import json
import time
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

WITHIN_S = 120
OVER = ("done", "failed", "cancelled")

Client = TestClient[Litestar] | httpx.Client
Json = dict[str, Any]


def send(client: Client, content: bytes, *, type: str = "", status: int = 201, **query: str) -> Json:
    """Send a file; the job, or the problem."""
    headers = {"Content-Type": type} if type else {}
    answer = client.post("/v1/jobs", content=content, params=query, headers=headers)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def show(client: Client, id: str) -> Json:
    found: Json = client.get(f"/v1/jobs/{id}").json()
    return found


def wait(client: Client, id: str) -> Json:
    """The job when it is over."""
    deadline = time.monotonic() + WITHIN_S
    while (job := show(client, id))["state"] not in OVER:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def results(client: Client, id: str, **query: str) -> bytes:
    answer = client.get(f"/v1/jobs/{id}/results", params=query)
    assert answer.status_code == 200, answer.text
    return answer.content


def failures(client: Client, id: str, **query: str) -> list[Json]:
    answer = client.get(f"/v1/jobs/{id}/failures", params=query)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return list(map(json.loads, answer.content.splitlines()))


def words(count: int) -> bytes:
    """As many records as chunks are to be filled with, and as short as they can be."""
    return b"".join(b'{"tokens": [["Ada"]], "k": %d}\n' % n for n in range(count))
