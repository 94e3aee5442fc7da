"""Logs: one line for each request, plain or JSON, with everything that an operator may know and no text."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from service.account import Account
from service.settings import Settings

requests = logging.getLogger("tagline.requests")

_QUIET_ROUTES = frozenset({"/health/live", "/health/ready", "/metrics"})
"""What orchestrators ask for all the time: in the log of level debug only."""


def set_up_logs(settings: Settings) -> None:
    """Write logs to stderr, in the form of the settings."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else plain)
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("tagline").setLevel(settings.log_level.upper())


def log_request(account: Account, *, id: str, method: str, route: str, status: int, milliseconds: float) -> None:
    """Write the line of a request that is over."""
    level = logging.DEBUG if route in _QUIET_ROUTES else logging.INFO
    if not requests.isEnabledFor(level):
        return
    fields: dict[str, Any] = {
        "request_id": id,
        "method": method,
        "route": route,
        "status": status,
        "milliseconds": round(milliseconds, 1),
        "documents": account.documents,
        "tokens": account.tokens,
        "model": account.model,
    }
    if account.problems:
        fields["problem"] = ", ".join(account.problems)
    requests.log(level, "request %s", _Plain(fields), extra={"fields": fields})


class JsonFormatter(logging.Formatter):
    """A record as one JSON object on one line: time, level, message, and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = getattr(record, "fields", None)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage() if fields is None else "request",
            **(fields or {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _Plain:
    """The fields of a request for people, put together only if somebody reads them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self._fields.items() if value is not None)
