"""Fields of JSON objects, checked as they are taken out: an error says where, what was expected and what was found."""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T", str, int, list[Any], dict[str, Any])

_NAMES = {str: "a string", int: "an integer", list: "a list", dict: "an object"}
_SHOWN = 60


def check(value: object, kind: type[T], where: str) -> T:
    """``value``, which is of this kind.

    Raises:
        ValueError: It is not; the message names ``where``.
    """
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ValueError(f"{where}: expected {_NAMES[kind]}, found {_shown(value)}")


def check_number(value: object, where: str) -> float:
    """``value``, which is a number.

    Raises:
        ValueError: It is not; the message names ``where``.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{where}: expected a number, found {_shown(value)}")


def take(data: Mapping[str, Any], key: str, kind: type[T], where: str = "") -> T:
    """The field ``key``, which must be there and of this kind.

    Raises:
        ValueError: It is not.
    """
    path = f"{where}.{key}" if where else key
    if key not in data:
        raise ValueError(f"{path}: expected {_NAMES[kind]}, found no such field")
    return check(data[key], kind, path)


def check_range(first: int, last: int, limit: int, where: str) -> tuple[int, int]:
    """``first`` and ``last``, if ``0 <= first <= last <= limit``.

    Raises:
        ValueError: They are not in that order.
    """
    if not 0 <= first <= last <= limit:
        raise ValueError(f"{where}: expected a range inside 0:{limit}, found {first}:{last}")
    return first, last


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
