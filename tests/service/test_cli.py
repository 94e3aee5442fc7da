"""``tagline serve`` up to the point where it would listen; what comes after is in ``tests/end_to_end``."""

import socket
from pathlib import Path

import pytest

import tagline
from tests.tiny import tiny_folder


def run(*tokens: str) -> int:
    return tagline.run(tagline.build_app(["serve", *tokens]), ["serve", *tokens])


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["--model", "/no/such/folder"], "unknown model '/no/such/folder'; there are: "),
        (["--device", "abacus", "--model", "{tiny}"], "unknown device 'abacus': expected auto, cpu, cuda or cuda:N\n"),
        (["--port", "70000", "--model", "{tiny}"], "setting port (TAGLINE_PORT): "),
        (["--workers", "0", "--model", "{tiny}"], "setting workers (TAGLINE_WORKERS): "),
        (["--host", "no.such.host.invalid", "--model", "{tiny}"], "cannot listen on no.such.host.invalid:8000: "),
    ],
)
def test_what_cannot_work_is_one_line(
    tokens: list[str], line: str, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(token.format(tiny=tiny) for token in tokens)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"tagline: {line}")
    assert err.count("\n") == 1


def test_a_port_in_use_is_one_line(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("--model", str(tiny), "--port", str(port)) == 1
    assert capsys.readouterr().err == f"tagline: cannot listen on 127.0.0.1:{port}: address already in use\n"


def test_a_damaged_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny_folder(tmp_path / "damaged")
    (folder / "config.json").write_text("{}")
    assert run("--model", str(folder), "--port", "0") == 1
    err = capsys.readouterr().err
    assert err.startswith(f"tagline: {folder}: format version None")
    assert err.count("\n") == 1


@pytest.mark.parametrize("tokens", [["--port", "http"], ["--no-such-option"], ["stray"]])
def test_wrong_use(tokens: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*tokens) == 2
    assert capsys.readouterr().err.endswith("See tagline serve --help\n")


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert "Example: tagline serve --port 8000 --model en" in out
    for option in ("--host", "--port", "--model", "--workers", "--device"):
        assert option in out
