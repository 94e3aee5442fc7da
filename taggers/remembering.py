"""Functions of strings that remember what they found: short ones, for a long one comes once and would stay."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_LONGEST = 64

Result = TypeVar("Result")


def remembering(count: int) -> Callable[[Callable[[str], Result]], Callable[[str], Result]]:
    """Make a function remember its results for so many of the short strings that it was last asked for."""

    def made(function: Callable[[str], Result]) -> Callable[[str], Result]:
        remembered = lru_cache(count)(function)

        @wraps(function)
        def call(value: str) -> Result:
            return remembered(value) if len(value) <= _LONGEST else function(value)

        return call

    return made
