"""What the query says where the body has no place for it: ``?model=en&tasks=upos,ner&offsets=utf16``."""

from collections.abc import Iterable
from typing import Any, Literal

from service.errors import BadRequest, FieldError
from service.schemas import RequestModel, check_request
from taggers.offsets import OffsetUnit


class TagOptions(RequestModel):
    """How to tag; the same fields as in the JSON body of ``POST /v1/tag``."""

    model: str | None = None
    """A model's name or alias; the default model if absent."""
    tasks: list[str] | None = None
    """Which layers to fill beside sentences and tokens, separated by commas; all that the model has if absent."""
    offsets: Literal["codepoint", "utf16", "utf8"] = "codepoint"
    """What offsets count: Unicode code points, UTF-16 code units, or UTF-8 bytes."""

    @property
    def unit(self) -> OffsetUnit:
        """What offsets count."""
        return OffsetUnit(self.offsets)


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
