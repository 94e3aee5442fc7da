"""The files of a model folder, which may come from anywhere: read, parsed, and refused in one line.

A file is complete before it takes the place of an old one.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from taggers.errors import ModelFolderError

_MAX_PROBLEM = 300

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_text(folder: Path, name: str) -> str:
    """A file's text.

    Raises:
        ModelFolderError: It is not there, or not UTF-8.
    """
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refused(folder, f"{name} cannot be read: {error}") from error


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """A file that holds a JSON object.

    Raises:
        ModelFolderError: It holds something else.
    """
    try:
        found = from_json(read_text(folder, name))
    except ValueError as error:
        raise refused(folder, f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise refused(folder, f"{name}: expected a JSON object, found {type(found).__name__}")
    return found


def parse_file(folder: Path, name: str, kind: type[ModelT]) -> ModelT:
    """A JSON file as a pydantic model.

    Raises:
        ModelFolderError: It does not fit.
    """
    try:
        return kind.model_validate_json(read_text(folder, name))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "top level"
        problem = first["msg"].removeprefix("Value error, ")
        raise refused(folder, f"{name}: {where}: {problem}") from error


def refused(folder: Path, problem: str) -> ModelFolderError:
    """The error, on one line of bounded length whatever stands in the folder."""
    line = " ".join(problem.split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return ModelFolderError(folder, line if len(line) <= _MAX_PROBLEM else f"{line[:_MAX_PROBLEM]}…")


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file of a model folder."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    new.replace(path)
