"""What is written about the repository and could rot: the tree in ARCHITECTURE.md, and the facts that two files state.

The tree is the fenced block of ``path   purpose`` lines: two spaces or more part them, deeper indentation means inside
the folder above, a folder ends in ``/``, a line may begin with several paths, and a folder's purpose may name its
``.py`` files. A folder's own line covers its ``__init__.py``. (import-linter checks the imports: ``make check``.)
"""

import fnmatch
import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("taggers", "training", "service")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
EXTENSIONLESS = {"LICENSE", "Makefile"}


def tree_paths(block: str) -> list[str]:
    """The paths, relative to the root, that a tree names."""
    paths: list[str] = []
    around = [(-1, "")]  # indentation and path of each folder that the line may lie in
    lists_modules = ""  # the folder whose purpose this line gives, if it is a folder's
    for line in block.splitlines():
        indent = len(line) - len(line.lstrip())
        names = list(itertools.takewhile(_is_path, re.split(r"\s{2,}", line.strip())))
        if names:  # else the purpose of the line above goes on
            while around[-1][0] >= indent:
                around.pop()
            inside = around[-1][1]
            paths += [inside + name for name in names]
            lists_modules = paths[-1] if paths[-1].endswith("/") else ""
            around.append((indent, lists_modules))
        if lists_modules:
            purpose = line.strip().removeprefix(names[0] if names else "")
            paths += [lists_modules + name for name in re.findall(r"[\w/]+\.py\b", purpose)]
    return paths


def _is_path(chunk: str) -> bool:
    return bool(PATH.fullmatch(chunk)) and ("." in chunk or "/" in chunk or chunk in EXTENSIONLESS)


def architecture_tree() -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tree,) = [block for block in blocks if re.search(r"^taggers/", block, re.MULTILINE)]
    return tree_paths(tree)


def test_reading_a_tree() -> None:
    tree = """\
README.md  LICENSE  Makefile
tagline.py         the command; see main.py of others

taggers/           text -> annotations
  errors.py        the tree, drawn
  encoders/        Encoder in __init__; bilstm.py
                   and cnn.py
    deep.py        nested
  spans.py         BIO
training/
  config.py  configs/*.toml   one file per model
deploy/Dockerfile  an image
"""
    assert tree_paths(tree) == [
        *("README.md", "LICENSE", "Makefile", "tagline.py", "taggers/", "taggers/errors.py", "taggers/encoders/"),
        *("taggers/encoders/bilstm.py", "taggers/encoders/cnn.py", "taggers/encoders/deep.py", "taggers/spans.py"),
        *("training/", "training/config.py", "training/configs/*.toml", "deploy/Dockerfile"),
    ]


def test_every_path_in_the_tree_exists() -> None:
    missing = [path for path in architecture_tree() if not any(ROOT.glob(path))]
    assert not missing


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_in_the_tree(package: str) -> None:
    named = architecture_tree()
    modules = sorted(str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py"))
    assert modules
    absent = [
        module
        for module in modules
        if module.removesuffix("__init__.py") not in named
        and not any(fnmatch.fnmatch(module, pattern) for pattern in named)
    ]
    assert not absent


def test_the_image_has_the_torch_of_the_makefile() -> None:
    for name in ("TORCH_VERSION", "TORCH_INDEX"):
        (makefile,) = re.findall(rf"^{name} \?= (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        (dockerfile,) = re.findall(rf"^ARG {name}=(.*)$", (ROOT / "deploy/Dockerfile").read_text("utf-8"), re.MULTILINE)
        assert makefile == dockerfile


def test_what_the_image_copies_reaches_the_builder() -> None:
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "deploy/Dockerfile").read_text("utf-8"), re.MULTILINE)
    copied = {source for line in lines for source in line.split()}
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied == admitted
    assert all((ROOT / source).exists() for source in copied)
