"""What the query says where the body has no place for it: ``?model=en&tasks=upos,ner&offsets=utf16``."""

from collections.abc import Iterable
from typing import Any

from service.errors import BadRequest, FieldError
from service.schemas import TagOptions, check_request


def read_options(query: Iterable[tuple[str, str]]) -> TagOptions:
    """Read the parameters of a query; ``tasks`` may come several times, and ``tasks=`` asks for none.

    Raises:
        BadRequest: A parameter is unknown, wrong, or there twice.
    """
    found: dict[str, Any] = {}
    for name, value in query:
        if name == "tasks":
            found.setdefault(name, []).extend(filter(None, map(str.strip, value.split(","))))
        elif name in found:
            raise BadRequest(f"{name}: expected once, found twice", [FieldError(name, "expected once, found twice")])
        else:
            found[name] = value
    return check_request(found, TagOptions)
