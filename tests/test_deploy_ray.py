"""The files for clusters: valid YAML that names one version of Ray, and commands that the command line knows."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from taggers.cli import tag

FOLDER = Path(__file__).parent.parent / "deploy/ray"


def test_files_name_one_version_of_ray() -> None:
    (built,) = re.findall(r"^ARG RAY_VERSION=(.*)$", (FOLDER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    job = list(yaml.safe_load_all((FOLDER / "rayjob.yaml").read_text("utf-8")))[1]
    named = re.findall(r"ray\[default\]==([\d.]+)", (FOLDER / "cluster.yaml").read_text("utf-8"))
    assert [job["spec"]["rayClusterSpec"]["rayVersion"], *named] == [built, built]
    assert yaml.safe_load((FOLDER / "cluster.yaml").read_text("utf-8"))["head_node_type"] == "head"


@pytest.mark.parametrize("name", ["cluster.yaml", "rayjob.yaml", "README.md"])
def test_commands_have_options_that_there_are(name) -> None:
    text = (FOLDER / name).read_text("utf-8").replace("\\\n#", "")
    commands = re.findall(r"tagline tag [^\"#`]*?--engine ray[^\"#`]*?-o [^\n\"#]*", text.replace("\n    ", " "))
    assert commands
    known = {"--" + option.replace("_", "-") for option in tag.__annotations__}
    for command in commands:
        assert {word for word in shlex.split(command) if word.startswith("--")} <= known
