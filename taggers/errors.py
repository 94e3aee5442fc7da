"""The exceptions of Tagline: every one that a user can cause, and nothing else.

    TaglineError
    ├── FormatError            an annotation file is malformed; carries path and line
    ├── InvalidText            a text is not valid Unicode (a lone surrogate)
    ├── InputUnreachable       what lies elsewhere cannot be read now; later it may be
    ├── ConfigError            a training or model configuration is wrong
    ├── UnknownTask            a task was asked for that the model does not have
    └── ModelError
        ├── ModelNotFound      no bundled model and no folder has this name
        └── ModelFolderError   a model folder is damaged, incomplete or of another format version

Programming mistakes stay ``AssertionError``, ``TypeError`` and so on. ``service/errors.py`` maps this tree to HTTP.
"""

from collections.abc import Iterable
from pathlib import Path


class TaglineError(Exception):
    """The root: ``str(error)`` is one plain line that a user can act on."""


class FormatError(TaglineError):
    """A line of an annotation file is not what its format demands.

    Args:
        path: The file, or a name for the stream (``<stdin>``).
        line: The line, counted from 1.
        problem: What was expected and what was found.
    """

    def __init__(self, path: str | Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path = str(path)
        self.line = line
        self.problem = problem


class InvalidText(TaglineError):
    """A text holds a lone surrogate, which no encoding of Unicode can carry.

    Args:
        position: Its place, in code points from the start of the text.
        code_point: The surrogate found there.
    """

    def __init__(self, position: int, code_point: int) -> None:
        super().__init__(f"not valid Unicode: lone surrogate U+{code_point:04X} at code point {position}")
        self.position = position
        self.code_point = code_point


class InputUnreachable(TaglineError):
    """A server with something to read does not answer, or broke off: that passes, and says nothing of what is there."""


class ConfigError(TaglineError):
    """A configuration has an unknown key, a wrong type, or settings that contradict each other."""


class UnknownTask(TaglineError):
    """A task was asked for that the model does not have.

    Args:
        task: The name asked for.
        known: The names the model has.
    """

    def __init__(self, task: str, known: Iterable[str]) -> None:
        self.task = task
        self.known = sorted(known)
        super().__init__(f"unknown task {task!r}; this model has: {', '.join(self.known)}")


class ModelError(TaglineError):
    """A model cannot be used."""


class ModelNotFound(ModelError):
    """No bundled model and no folder has this name.

    Args:
        name: The name or path asked for.
        known: The names there are.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(f"unknown model {name!r}; there are: {', '.join(self.known) or 'none'}")


class ModelFolderError(ModelError):
    """A model folder is damaged, incomplete or of a format version that this release does not read.

    Args:
        folder: The folder.
        problem: What is wrong with it.
    """

    def __init__(self, folder: str | Path, problem: str) -> None:
        super().__init__(f"{folder}: {problem}")
        self.folder = str(folder)
        self.problem = problem
