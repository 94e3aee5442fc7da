"""The ``tagline`` command: joins the sub-commands of the three packages, importing each only when it is used.

Exit status: 0 success; 1 failure, with one plain line on stderr (``--debug`` adds the traceback); 2 wrong use;
130 interrupted (Ctrl-C); 141 the reader of our output went away (as in ``tagline tag big.txt | head``).
"""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import UnknownCommandError

from taggers.errors import TaglineError

# name -> (where its function is, its line in the list of commands)
COMMANDS = {
    "tag": ("taggers.cli:tag", "Tag files, or what comes from standard input."),
    "serve": ("service.cli:serve", "Run the REST service."),
    "train": ("training.cli:train", "Train a model from a configuration file and write its folder."),
    "evaluate": ("training.cli:evaluate", "Score a model on annotated files."),
    "card": ("training.cli:card", "Measure a trained model on its test sets and write its card."),
    "models": ("taggers.cli:models", "List the models that are installed, or show one model's card."),
}

FAILURE = 1
WRONG_USE = 2
INTERRUPTED = 130
OUTPUT_CLOSED = 141


def main() -> None:
    """Run the command line in ``sys.argv`` and exit."""
    _open_closed_streams()
    tokens = sys.argv[1:]
    sys.exit(run(build_app(tokens), tokens))


def build_app(tokens: Sequence[str]) -> App:
    """The command with all its sub-commands, none of them imported yet.

    Args:
        tokens: The command line. A sub-command named there keeps the help of its own docstring; the others carry
            their line of ``COMMANDS``, so that listing them imports nothing.
    """
    app = App(
        name="tagline",
        help="Sentences, tokens, part of speech, morphology, lemmas and entities, in one pass with exact offsets.",
        help_epilogue="Example: echo 'Ada Lovelace wrote to Babbage.' | tagline tag",
        version=lambda: version("tagline"),
    )
    for position, (name, (path, summary)) in enumerate(COMMANDS.items()):
        app.command(path, name=name, help=None if name in tokens else summary, sort_key=position)
    return app


def run(app: App, tokens: Sequence[str]) -> int:
    """Run one command line; what a user can cause becomes one line on stderr and an exit status.

    Args:
        app: The command; a sub-command may return an exit status, nothing means 0.
        tokens: The command line, without the program's name.

    Returns:
        The exit status. With ``--debug`` a failure is raised instead.
    """
    with_traceback = False

    @app.meta.default
    def launch(
        *rest: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        debug: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    ) -> object:
        """Run a sub-command.

        Args:
            rest: Its command line.
            debug: On failure, show the whole traceback.
        """
        nonlocal with_traceback
        with_traceback = debug
        return app(rest)

    app.suppress_keyboard_interrupt = app.meta.suppress_keyboard_interrupt = False
    try:
        status = app.meta(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()  # a reader that went away is noticed here, not while the interpreter shuts down
    except CycloptsError as error:
        return _complain(f"{_wrong_use(error, app)} See {_help_command(error)}", WRONG_USE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the last flush at exit complains
        return OUTPUT_CLOSED
    except (TaglineError, OSError, ImportError) as error:
        if with_traceback:
            raise
        return _complain(_failure(error), FAILURE)
    return status if isinstance(status, int) else 0


def _open_closed_streams() -> None:
    """Where a daemon started us without standard streams, nothing comes in, and what goes out goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  until the process ends


def _complain(message: str, status: int) -> int:
    print("tagline:", " ".join(message.split("\n")), file=sys.stderr)
    return status


def _wrong_use(error: CycloptsError, app: App) -> str:
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        # its own message would import every sub-command
        names = ", ".join(name for name in app if not name.startswith("-"))
        return f"unknown command {error.unused_tokens[0]!r}; there are: {names}."
    return str(error)


def _help_command(error: CycloptsError) -> str:
    return " ".join(["tagline", *(error.command_chain or ()), "--help"])


def _failure(error: TaglineError | OSError | ImportError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    cause = error.__cause__ if isinstance(error.__cause__, ModuleNotFoundError) else error
    if isinstance(cause, ModuleNotFoundError):
        extra = "bulk" if cause.name == "pyarrow" else "training"
        return f"the package {cause.name!r} is not installed; an extra brings it: pip install 'tagline[{extra}]'"
    return str(error)
