"""The top-level command: its list, its exit statuses, and that it starts without importing what it does not use."""

import signal
import subprocess
import sys

import pytest
from cyclopts import App

import tagline
from taggers.errors import FormatError, TaglineError


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def command_line(*tokens: str) -> subprocess.CompletedProcess[str]:
    return python(f"import sys, tagline; sys.argv = ['tagline', *{tokens!r}]; tagline.main()")


def run_raising(error: BaseException, *options: str) -> int:
    app = App(name="tagline")

    @app.command
    def fail() -> None:
        raise error

    return tagline.run(app, ["fail", *options])


@pytest.mark.parametrize("tokens", [[], ["--help"], ["--version"], ["no-such-command"]])
def test_starts_without_the_packages_behind_the_commands(tokens: list[str]) -> None:
    heavy = "{'torch', 'transformers', 'litestar', 'numpy'}"
    code = f"import sys, tagline; tagline.run(tagline.build_app({tokens}), {tokens}); print({heavy} & set(sys.modules))"
    assert python(code).stdout.splitlines()[-1] == "set()"


def test_help_lists_every_command_and_an_example() -> None:
    answer = command_line("--help")
    assert answer.returncode == 0
    for name, (_, summary) in tagline.COMMANDS.items():
        assert name in answer.stdout
        assert summary.split()[0] in answer.stdout
    assert "--debug" in answer.stdout
    assert "Example: " in answer.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert tagline.run(tagline.build_app(["--version"]), ["--version"]) == 0
    assert capsys.readouterr().out.strip().startswith("0.")


@pytest.mark.parametrize("tokens", [["no-such-command"], ["--no-such-option"]])
def test_unknown_command_is_wrong_use(tokens: list[str]) -> None:
    answer = command_line(*tokens)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr == (
        f"tagline: unknown command '{tokens[0]}'; there are: tag, serve, train, evaluate, card, models."
        " See tagline --help\n"
    )


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (["count", "many"], "many"),
        (["count", "1", "2"], "2"),
        (["count", "1", "--no-such-option"], "--no-such-option"),
        (["count"], "--number"),
    ],
)
def test_wrong_use_is_one_line_that_names_the_help(
    tokens: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App(name="tagline")

    @app.command
    def count(number: int) -> None:
        """Count."""

    assert tagline.run(app, tokens) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert says in line
    assert line.endswith("See tagline count --help\n")


def test_own_help_of_a_command_is_its_docstring() -> None:
    app = tagline.build_app(["tag", "--help"])
    assert app._commands["tag"].help is None
    assert app._commands["serve"].help


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TaglineError("two\nlines"), "tagline: two lines\n"),
        (
            FormatError("a.conllu", 3, "expected 10 columns, found 8"),
            "tagline: a.conllu:3: expected 10 columns, found 8\n",
        ),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), "tagline: a.txt: No such file or directory\n"),
        (OSError("address in use"), "tagline: address in use\n"),
        (ImportError("a library is of another version"), "tagline: a library is of another version\n"),
    ],
)
def test_failure_is_one_plain_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_raising(error) == 1
    assert capsys.readouterr() == ("", line)


def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    with pytest.raises(TaglineError):
        run_raising(TaglineError("wrong"), "--debug")


def test_missing_extra_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(name="tagline")
    app.command("no_such_package.cli:train", name="train")
    assert tagline.run(app, ["train"]) == 1
    assert capsys.readouterr().err.startswith("tagline: the package 'no_such_package' is not installed; ")


def test_our_own_mistakes_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_raising(ZeroDivisionError())


def test_interrupt_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(name="tagline")

    @app.command
    def wait() -> None:
        signal.raise_signal(signal.SIGINT)

    assert tagline.run(app, ["wait"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("lines", [1, 100_000])  # fails in the last flush, and in the middle
def test_closed_output_is_quiet(lines: int) -> None:
    code = f"""
import sys, cyclopts, tagline
app = cyclopts.App(name="tagline")
app.command(lambda: print("line\\n" * {lines}), name="write")
sys.stdin.read()  # returns once the reader of our output is gone
sys.exit(tagline.run(app, ["write"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (3, 3)])
def test_a_command_may_return_its_status(returned: int | None, status: int) -> None:
    app = App(name="tagline")
    app.command(lambda: returned, name="answer")
    assert tagline.run(app, ["answer"]) == status
