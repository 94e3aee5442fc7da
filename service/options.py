"""What the query says where the body has no place for it: ``?model=en&tasks=upos,ner&offsets=utf16``."""

from collections.abc import Iterable
from typing import Any, TypeVar

from service.errors import BadRequest, FieldError
from service.schemas import RequestModel, TagOptions, check_request

OptionsT = TypeVar("OptionsT", bound=RequestModel)


def read_options(query: Iterable[tuple[str, str]]) -> TagOptions:
    """How to tag; otherwise as ``read_query``."""
    return read_query(query, TagOptions)


def read_query(query: Iterable[tuple[str, str]], model: type[OptionsT]) -> OptionsT:
    """Read the parameters of a query; ``tasks`` may come several times, and ``tasks=`` asks for none.

    Args:
        query: The parameters.
        model: What they must be.

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
    return check_request(found, model)
