"""What README.md shows is what happens: its two commands, its request and answer, its Python, its table of commands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

import taggers
from service.app import create_app
from service.settings import Settings
from tests.service.clients import wait_until_ready

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def assert_shown(shown: Any, real: Any, where: str = "$") -> None:
    """All that the README shows is in the real answer; lists may be cut."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert_shown(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list):
        for index, value in enumerate(shown):
            assert_shown(value, real[index], f"{where}[{index}]")
    elif isinstance(shown, float):
        assert real == pytest.approx(shown, abs=0.01), where
    else:
        assert real == shown, where


def test_it_opens_with_one_command_that_runs_and_one_that_tests() -> None:
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()]
    assert commands == ["make serve", "make test"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE) for command in commands)


def test_the_request_gets_the_answer_shown() -> None:
    (body,) = re.findall(r"-d '(\{.*?\})'", README)
    shown = json.loads(next(block for block in blocks("json") if '"sentences"' in block))
    with TestClient(create_app(Settings())) as client:
        wait_until_ready(client)
        answer = client.post("/v1/tag", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200
        assert_shown(shown, answer.json())
        for method, path in re.findall(r"`(GET|POST) (/[^`{]*)`", README):
            reply = client.request(method, path, content=body if method == "POST" else None)
            assert reply.is_success, path


def test_the_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(code, {"texts": ["One text.", "And another."], "taggers": taggers})
    assert "PROPN" in capsys.readouterr().out


def test_every_file_and_command_named_is_there() -> None:
    for path in re.findall(r"`((?:service|training|deploy)/[\w/.-]+)`", README):
        assert (ROOT / path).exists(), path
    for config in re.findall(r"training/configs/[\w-]+\.toml", README):
        assert (ROOT / config).is_file(), config
