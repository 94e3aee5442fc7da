"""``tagline serve`` as people run it: a process, a port, a client, a signal."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.servers import WITHIN_S, measured, serve
from tests.end_to_end.test_tag_kills import children_of, wait_until_gone
from tests.tiny import tiny_folder


def post(address: str, body: object) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{address}/v1/tag", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def workers_of(service: int) -> list[int]:
    return [child for child in children_of(service) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


networks_anywhere = pytest.mark.parametrize("network_processes", ["0", "2"])


@networks_anywhere
def test_serves_until_it_is_told_to_stop(network_processes: str, tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", TAGLINE_NETWORK_PROCESSES=network_processes) as served:
        address = served.wait_until_ready()
        answer = post(address, {"text": "Ada Lovelace wrote to Babbage in London."})
        assert answer["model"] == "tiny"
        with urllib.request.urlopen(f"{address}/health/ready", timeout=WITHIN_S) as ready:
            assert json.load(ready) == {"status": "ready"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(address, {"text": 1})
        with caught.value as refused:
            assert json.load(refused)["errors"][0]["path"] == "text"
        status, out, err = served.stop(signal.SIGTERM)
        assert (status, out) == (0, "")
        assert [line.partition(" route=")[2].split()[:2] for line in err.splitlines() if " route=" in line] == [
            ["/v1/tag", "status=200"],
            ["/v1/tag", "status=400"],
        ]


@networks_anywhere
def test_ctrl_c_finishes_what_was_accepted_and_is_quiet(network_processes: str, tiny: Path) -> None:
    with serve(
        TAGLINE_MODELS=str(tiny),
        TAGLINE_PORT="0",
        TAGLINE_LOG_FORMAT="json",
        TAGLINE_NETWORK_PROCESSES=network_processes,
    ) as served:
        address = served.wait_until_ready().removeprefix("http://")
        with (
            closing(HTTPConnection(address, timeout=WITHIN_S)) as first,
            closing(HTTPConnection(address, timeout=WITHIN_S)) as second,
        ):
            first.request("POST", "/v1/tag", json.dumps({"documents": [{"text": "word " * 100}] * 40}))
            second.request("GET", "/health/live")  # arrives later: once it is answered, the first was read
            assert second.getresponse().read()
            served.press_ctrl_c()
            answer = first.getresponse()
            assert answer.status == 200
            assert len(json.load(answer)["documents"]) == 40
        out, err = served.process.communicate(timeout=WITHIN_S)
        assert (served.process.returncode, out) == (130, "")
        (line,) = (line for line in map(json.loads, err.splitlines()) if "route" in line)
        assert (line["route"], line["status"], line["documents"], line["model"]) == ("/v1/tag", 200, 40, "tiny")


def test_what_takes_too_long_to_wait_for_when_it_stops_is_told_so(tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", TAGLINE_DRAIN_TIMEOUT_S="1") as served:
        address = served.wait_until_ready().removeprefix("http://")
        with closing(HTTPConnection(address, timeout=WITHIN_S)) as client:
            client.request("POST", "/v1/tag", json.dumps({"text": "word " * 700_000}))
            while not measured(f"http://{address}", "tagline_queue_tokens"):
                time.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            answer = client.getresponse()
            assert answer.status == 503
            assert json.load(answer)["detail"].startswith("the service is shutting down")
        _, log = served.process.communicate(timeout=WITHIN_S)
        assert served.process.returncode == 0
        assert " status=503" in log
        assert "Traceback" not in log


def test_a_body_over_the_limit_is_answered_though_its_client_sends_it_all_first(tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", TAGLINE_MAX_BODY_BYTES="1000000") as served:
        address = served.wait_until_ready()
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(address, {"text": "x" * 8_000_000})
        with caught.value as refused:
            assert json.load(refused)["detail"] == "expected a body of at most 1000000 bytes"


def test_several_workers_share_a_port(tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", "--workers", "2", TAGLINE_NETWORK_PROCESSES="1") as served:
        address = served.wait_until_ready()
        for _ in range(4):  # while the other one may still be loading, which takes no requests before it is ready
            assert post(address, {"text": "Paris"})["model"] == "tiny"
        assert served.wait_until_ready() == address
        reload = urllib.request.Request(f"{address}/v1/models/tiny/reload", method="POST")
        with urllib.request.urlopen(reload, timeout=WITHIN_S) as answer:
            assert json.load(answer)["name"] == "tiny"
        with urllib.request.urlopen(f"{address}/metrics", timeout=WITHIN_S) as metrics:  # of all, whoever answers
            found = metrics.read()
        assert b'tagline_documents_total{model="tiny"} 4.0\n' in found
        assert b'tagline_reloads_total{model="tiny",outcome="loaded"} 2.0\n' in found
        assert served.stop(signal.SIGTERM)[0] == 0


def test_workers_end_when_their_supervisor_is_killed(tiny: Path) -> None:
    with serve("--model", str(tiny), "--port", "0", "--workers", "2", TAGLINE_NETWORK_PROCESSES="1") as served:
        served.wait_until_ready()
        workers = workers_of(served.process.pid)
        assert len(workers) == 2
        served.process.kill()
        try:
            wait_until_gone(workers)
        finally:
            for worker in workers:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


@pytest.mark.parametrize("damaged", ["model.safetensors", "config.json"])
def test_a_worker_that_cannot_load_does_not_end_the_others(damaged: str, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "tiny")
    file = folder / damaged
    whole = file.read_bytes()
    with serve("--model", str(folder), "--port", "0", "--workers", "2", TAGLINE_NETWORK_PROCESSES="0") as served:
        address = served.wait_until_ready()
        served.wait_until_ready()
        file.write_bytes(b"x")
        os.kill(workers_of(served.process.pid)[0], signal.SIGKILL)
        assert served.process.stderr is not None
        for _ in range(2):
            while "a worker cannot load the models; another one tries in 5 s: " not in (
                line := served.process.stderr.readline()
            ):
                assert line
                assert "Traceback" not in line
            assert str(folder) in line
            assert post(address, {"text": "Paris"})["model"] == "tiny"
        file.write_bytes(whole)
        assert served.wait_until_ready() == address
        assert served.stop(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize(("workers", "network_processes"), [("1", "0"), ("1", "1"), ("2", "0")])
def test_weights_that_cannot_be_read_end_it(workers: str, network_processes: str, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"x")
    with serve(
        "--model", str(folder), "--port", "0", "--workers", workers, TAGLINE_NETWORK_PROCESSES=network_processes
    ) as served:
        out, err = served.process.communicate(timeout=WITHIN_S)
        assert served.process.returncode == 1
        assert out == ""
        assert "Traceback" not in err
        assert f"{folder}: model.safetensors cannot be read" in err
        if workers == "1":
            assert err.startswith("tagline: ")
            assert err.count("\n") == 1
