"""The bundled models' figures beside what is wanted of them, measured and put into README.md and the cards.

    python benchmarks/scores.py --corpora corpora            # measure again (minutes), then write
    python benchmarks/scores.py --corpora corpora --written  # write from the scores that the model folders hold

Scores are those of ``tagline card``, on test sets. Words a second are measured here: raw text to all layers, one thread
of this machine, median of five runs over the raw text of the model's first test file.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import taggers
from taggers.catalog import bundled_models
from taggers.formats.files import read_file
from taggers.manifest import read_manifest, write_manifest
from training.config import read_recipe

_HERE = Path(__file__).parent
_BEGIN, _END = "<!-- scores: make scores writes this -->", "<!-- end of scores -->"
_SPEED = "words/s"
_NAMES = {
    "upos": "UPOS",
    "xpos": "XPOS",
    "ufeats": "FEATS",
    "lemma": "lemma",
    "ner.f1": "entities, strict F1",
    "segmentation.tokens": "tokens",
    "segmentation.sentences": "sentences",
    "segmentation.words": "words",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a model; ``least`` and ``aim`` are empty where nobody asks for one."""

    model: str
    what: str
    got: str
    least: str
    aim: str


def main() -> None:
    """Measure where it is asked for, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("corpora"))
    parser.add_argument("--written", action="store_true", help="measure nothing")
    parser.add_argument("--model", action="append", help="only these are measured; may be given several times")
    options = parser.parse_args()
    targets = tomllib.loads((_HERE / "targets.toml").read_text(encoding="utf-8"))["model"]
    folders = bundled_models()
    wanted = [target for target in targets if target["name"] in folders]
    for target in wanted:
        if not options.written and (options.model is None or target["name"] in options.model):
            measure(folders[target["name"]], options.corpora)
    rows = {target["name"]: list(rows_of(target, read_manifest(folders[target["name"]]).scores)) for target in wanted}
    for name, mine in rows.items():
        write_section(folders[name] / "README.md", table(mine, with_model=False), heading="## Beside others\n\n")
    write_section(_HERE.parent / "README.md", table([row for mine in rows.values() for row in mine], with_model=True))


def measure(folder: Path, corpora: Path) -> None:
    """Measure scores and speed of a model into its ``config.json``, and write its card."""
    subprocess.run(
        [sys.executable, "-c", "import tagline; tagline.main()", "card", folder, "--set", f"corpora={corpora}"],
        check=True,
    )
    recipe = read_recipe(folder / "training.toml")
    first = next(name for data in recipe.data for name in data.test)
    manifest = read_manifest(folder)
    scores = {**manifest.scores, _SPEED: round(words_per_second(folder, corpora / first))}
    write_manifest(folder, manifest.model_copy(update={"scores": scores}))


def words_per_second(folder: Path, path: Path, *, runs: int = 5) -> float:
    """Raw text to all layers on one thread."""
    torch.set_num_threads(1)
    tagger = taggers.load(folder, device="cpu")
    texts = [document.text for document in read_file(path)]
    words = sum(len(sentence) for document in tagger.pipe(texts) for sentence in document)  # warms up, too
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        for _ in tagger.pipe(texts):
            pass
        seconds.append(time.perf_counter() - started)
    return words / statistics.median(seconds)


def rows_of(target: Mapping[str, Any], scores: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of one model.

    Raises:
        KeyError: The model's ``config.json`` lacks a figure: it is to be measured.
    """
    for wanted in target["figures"]:
        key = wanted["figure"]
        of = f" ({wanted['of']})" if "of" in wanted else ""
        if key == _SPEED:
            what, got, show = "raw text to all layers, one core: words/s", scores[_SPEED], "{:,.0f}".format
        else:
            found: Any = scores[wanted["scores"]]
            for part in key.split("."):
                found = found[part]
            what, got, show = f"{wanted['scores']}: {_NAMES[key]}", 100 * found, "{:.2f}".format
        least, aim = wanted.get("least"), wanted.get("aim")
        yield Row(
            target["name"],
            what,
            f"**{show(got)}**" if least is not None and got >= least else show(got),
            "" if least is None else f"{least:,}",
            "" if aim is None else f"{aim:,}{of}",
        )


def table(rows: list[Row], *, with_model: bool) -> str:
    """Rows in Markdown; what reaches its least figure is bold."""
    header = "| model | what | measured | at least | best of others |\n|---|---|---|---|---|"
    lines = [f"| `{row.model}` | {row.what} | {row.got} | {row.least} | {row.aim} |" for row in rows]
    text = "\n".join([header, *lines])
    return text if with_model else re.sub(r"^\|[^|]*\|", "|", text, flags=re.MULTILINE)


def write_section(path: Path, text: str, *, heading: str = "") -> None:
    """Put a text between the marks of a file; where there are none yet, at its end."""
    old = path.read_text(encoding="utf-8")
    section = f"{_BEGIN}\n{heading}{text}\n{_END}"
    if _BEGIN in old:
        before, rest = old.split(_BEGIN, 1)
        path.write_text(before + section + rest.split(_END, 1)[1], encoding="utf-8")
    else:
        path.write_text(f"{old.rstrip()}\n\n{section}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
