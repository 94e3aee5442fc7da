"""Values of other columns that JSON has no form for: times in nanoseconds, of which Python has none."""

import re
from typing import Any

_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")
_PER_SECOND = 10**9


def as_plain(value: Any) -> str:
    """A time as text, in the form of ISO 8601; what msgspec asks for what it does not know.

    Args:
        value: A time of pandas, which Arrow makes of those inside lists and objects, or a scalar of Arrow.

    Raises:
        NotImplementedError: It is something else.
    """
    if hasattr(value, "isoformat"):
        return value.isoformat()  # type: ignore[no-any-return]
    if not hasattr(value, "cast"):
        raise NotImplementedError(f"JSON cannot hold a {type(value).__name__}")
    text: str = value.cast("string").as_py()
    if not re.fullmatch(r"-?\d+", text):
        return _ZONE.sub(r"\1:\2", text.replace(" ", "T", 1))
    seconds, rest = divmod(abs(int(text)), _PER_SECOND)  # a duration
    return f"{'-' if text.startswith('-') else ''}PT{seconds}.{rest:09}S"
