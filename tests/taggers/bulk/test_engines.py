"""How many workers an input is worth; and a cluster that is not there is one line."""

import logging
import socket
import subprocess
import sys
import threading

import pytest

from taggers.bulk.engines import LocalEngine, enough_workers, open_engine
from taggers.bulk.ray_engine import only_in_files
from taggers.errors import TaglineError
from tests.ray_cluster import FILTERS

pytestmark = FILTERS


@pytest.mark.parametrize(
    ("room", "size", "count"),
    [(8, None, 8), (8, 100, 1), (8, 3_500_000, 3), (8, 10**12, 8), (0, None, 1), (0, 10**12, 1)],
)
def test_workers_are_as_many_as_the_input_is_worth(room, size, count) -> None:
    assert enough_workers(room, size) == count


def test_this_machine_is_the_engine_that_needs_nothing() -> None:
    with open_engine("local") as engine:
        assert isinstance(engine, LocalEngine)


def test_ray_client_is_refused() -> None:
    with (
        pytest.raises(TaglineError, match=r"^ray://host:10001: .* ray job submit"),
        open_engine("ray", ray_address="ray://host:10001"),
    ):
        pass


def test_cluster_that_does_not_answer_is_told_at_once() -> None:
    pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'tagline[ray]'")
    with socket.socket() as taken:  # by nobody else meanwhile; but it does not listen
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with (
            pytest.raises(TaglineError, match=f"^no Ray cluster at 127.0.0.1:{port}: .*refused"),
            open_engine("ray", ray_address=f"127.0.0.1:{port}"),
        ):
            pass


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(None, "timed out"), (b"", "another service"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "another service")],
)
def test_another_service_than_a_cluster_is_told(monkeypatch, answer, problem) -> None:
    pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'tagline[ray]'")
    if answer is None:
        monkeypatch.setattr("taggers.bulk.ray_engine._CONNECT_S", 1)

    def serve() -> None:
        with other.accept()[0] as connection:
            connection.recv(100)
            if answer is None:
                told.wait(60)
            else:
                connection.sendall(answer)

    told = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as other:
        serving = threading.Thread(target=serve)
        serving.start()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with (
            pytest.raises(TaglineError, match=f"^no Ray cluster at {address}: {problem}"),
            open_engine("ray", ray_address=address),
        ):
            pass
        told.set()
        serving.join()


def test_what_ray_prints_at_its_end_is_no_output(monkeypatch, capsys) -> None:
    pytest.importorskip("ray.data", reason="Ray is not installed: pip install 'tagline[ray]'")
    monkeypatch.setattr("ray.init", lambda **_: None)
    monkeypatch.setattr("ray.shutdown", lambda: print("a worker died"))
    with open_engine("ray", ray_address="local"):
        pass
    assert capsys.readouterr().out == ""


def test_handlers_of_others_are_quiet_only_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.ray.data")
    logger.propagate = False
    logger.addHandler(caplog.handler)
    with only_in_files(logger.name):
        logger.error("hidden")
    logger.error("shown")
    logger.removeHandler(caplog.handler)
    assert caplog.messages == ["shown"]


def test_without_ray_one_line_names_the_extra(tmp_path) -> None:
    code = "import sys; sys.modules['ray'] = None; import tagline; tagline.main()"
    command = [sys.executable, "-c", code, "tag", "-", "--engine", "ray"]
    answer = subprocess.run(command, input="Ada", capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("tagline: Ray cannot be used (")
    assert answer.stderr.endswith("): pip install 'tagline[ray]'\n")
    assert answer.stderr.count("\n") == 1
