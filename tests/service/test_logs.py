"""One line for each request: as JSON with every field, plain for people, never with the text."""

import json
import logging
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from service.account import Account
from service.logs import JsonFormatter, log_request, set_up_logs
from service.settings import Settings

REQUESTS = "tagline.requests"


def written(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_request_is_one_line_with_every_field_and_no_text(
    client: TestClient[Litestar], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, REQUESTS):
        client.post(
            "/v1/tag",
            json={"documents": [{"id": "secret", "tokens": [["Ada", "wrote"], ["Paris"]]}, {"text": ""}]},
            headers={"X-Request-ID": "mine"},
        )
    (record,) = caplog.records
    found = written(record)
    assert found.pop("milliseconds") > 0
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info",
        "message": "request",
        "request_id": "mine",
        "method": "POST",
        "route": "/v1/tag",
        "status": 200,
        "documents": 2,
        "tokens": 3,
        "model": "tiny",
    }
    plain = record.getMessage()
    assert plain.startswith("request request_id=mine method=POST route=/v1/tag status=200 milliseconds=")
    assert plain.endswith("documents=2 tokens=3 model=tiny")


def test_a_refused_request_says_by_which_problem(
    client: TestClient[Litestar], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, REQUESTS):
        client.post("/v1/tag", json={"text": "private", "model": "secret"})
        client.get("/private/path")
    first, second = map(written, caplog.records)
    assert (first["status"], first["problem"], first["model"]) == (404, "unknown-model", None)
    assert (second["status"], second["problem"], second["route"]) == (404, "not-found", "unmatched")
    assert "private" not in caplog.text
    assert "secret" not in caplog.text


def test_what_orchestrators_ask_for_is_quiet(client: TestClient[Litestar], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, REQUESTS):
        for path in ("/health/live", "/health/ready", "/metrics"):
            client.get(path)
    assert not caplog.records
    with caplog.at_level(logging.DEBUG, REQUESTS):
        client.get("/health/live")
    assert written(caplog.records[0])["level"] == "debug"


def test_other_records_are_json_too() -> None:
    with pytest.raises(ValueError, match="broken") as caught:
        raise ValueError("broken\n\ud800")
    error = (caught.type, caught.value, caught.tb)
    # Made by hand, because what pytest captures it may have to send to another process, which no surrogate survives.
    found = written(logging.LogRecord("tagline", logging.ERROR, __file__, 1, "failed: %s", ("x\ny",), error))
    assert (found["level"], found["message"]) == ("error", "failed: x\ny")
    assert "Traceback" in found["exception"]


@pytest.mark.parametrize("form", ["plain", "json"])
def test_setting_up(form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    root, tagline = logging.Logger("root"), logging.getLogger("tagline")
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(tagline, "parent", root)
    monkeypatch.setattr(tagline, "level", tagline.level)
    set_up_logs(Settings(log_format=form, log_level="info"))  # type: ignore[arg-type]
    account = Account()
    log_request(account, id="i", method="GET", route="/v1/models", status=200, milliseconds=1.26)
    log_request(account, id="i", method="GET", route="/health/live", status=200, milliseconds=1)
    (line,) = capsys.readouterr().err.splitlines()
    if form == "json":
        assert json.loads(line)["milliseconds"] == 1.3
    else:
        assert line.endswith(
            "INFO request request_id=i method=GET route=/v1/models status=200 milliseconds=1.3 documents=0 tokens=0"
        )
