"""``tagline tag`` in bulk: cores against one core, memory against the size of the input, texts there and back.

    python benchmarks/bulk.py corpora/text/en --model en-cnn

The folder holds texts, of which those called ``tweets`` are one document a line. Every figure is of the command as a
shell runs it, in a process of its own, its start included; runs of one comparison take turns. Memory is what the
command and its workers hold together, pages that they share counted once (PSS), so Linux is needed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path

import pyarrow.parquet

from service.footprint import held_by_family
from taggers.formats.conllu import read_conllu_file

_TAGLINE = [sys.executable, "-c", "import tagline; tagline.main()", "tag"]
_MB = 1_000_000


def main() -> None:
    """Measure what was asked for and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of texts")
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument("--what", nargs="+", default=["cores", "memory", "texts"], choices=["cores", "memory", "texts"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=2, help="the input for counting cores")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sizes", nargs=2, type=float, default=[20, 200], help="the inputs for memory, in MB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if "cores" in options.what:
            measure_cores(options, work)
        if "memory" in options.what:
            measure_memory(options, work)
        if "texts" in options.what:
            compare_texts(options.folder, options.model, work)


def measure_cores(options: argparse.Namespace, work: Path) -> None:
    """One worker and several in turn, on the same input."""
    source = synthetic(options.folder, work / "cores.jsonl", options.megabytes)
    seconds: dict[int, list[float]] = {1: [], options.workers: []}
    words = 0
    for _ in range(options.runs):
        for workers, measured in seconds.items():
            started = time.perf_counter()
            tag(source, work / "out.jsonl", "--model", options.model, "--workers", str(workers))
            measured.append(time.perf_counter() - started)
        words = words or count_words(work / "out.jsonl")
    one = statistics.median(seconds[1])
    print(f"| workers | seconds | words/s of {words:,} words | of one |\n|---|---|---|---|")
    for workers, measured in seconds.items():
        median = statistics.median(measured)
        shown = ", ".join(f"{value:.1f}" for value in measured)
        print(f"| {workers} | {shown} | {words / median:,.0f} | {one / median:.2f} x |")


def measure_memory(options: argparse.Namespace, work: Path) -> None:
    """The peak of the command with its workers, for a small input and a large one."""
    print("| input | documents | peak memory | of the first |\n|---|---|---|---|")
    first = 0.0
    for megabytes in options.sizes:
        source = synthetic(options.folder, work / "memory.jsonl", megabytes)
        command = [*_TAGLINE, str(source), "--model", options.model, "--workers", str(options.workers)]
        command += ["--tasks", "upos", "-o", str(work / "out.jsonl")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, held_by_family(process.pid))
                time.sleep(0.2)
        assert process.returncode == 0
        first = first or peak
        with (work / "out.jsonl").open("rb") as lines:
            documents = sum(1 for _ in lines)
        print(f"| {megabytes:g} MB | {documents:,} | {peak / _MB:,.0f} MB | {peak / first:.2f} x |", flush=True)


def compare_texts(folder: Path, model: str, work: Path) -> None:
    """Every text through every format and back, to the character; CoNLL-U cannot hold what has no words."""
    texts = list(documents_of(folder))
    source = work / "texts.jsonl"
    with source.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(texts))
    print(f"| format | documents of {len(texts):,} | named as failures | texts that are the same |\n|---|---|---|---|")
    for suffix in ("jsonl", "parquet", "conllu", "html"):
        target = work / f"texts.{suffix}"
        failures = tag(source, target, "--model", model, "--tasks", "ner")
        found = dict(texts_in(target))
        same = sum(found.get(str(number)) == text for number, text in enumerate(texts))
        print(f"| {suffix} | {len(found):,} | {failures} | {same:,} |", flush=True)
    for suffix in ("parquet", "conllu"):  # and as an input
        back = work / "back.jsonl"
        failures = tag(work / f"texts.{suffix}", back, "--model", model, "--tasks", "ner")
        found = dict(texts_in(back))
        same = sum(found.get(str(number)) == text for number, text in enumerate(texts))
        print(f"| {suffix}, then jsonl | {len(found):,} | {failures} | {same:,} |", flush=True)


def documents_of(folder: Path) -> Iterator[str]:
    """The texts of a folder."""
    for path in sorted(folder.rglob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        yield from text.removesuffix("\n").split("\n") if path.stem == "tweets" else [text]


def texts_in(path: Path) -> Iterator[tuple[str, str]]:
    """The ids and texts of an output."""
    match path.suffix:
        case ".jsonl":
            with path.open(encoding="utf-8", newline="\n") as lines:
                yield from ((data["id"], data["text"]) for data in map(json.loads, lines))
        case ".parquet":
            rows = pyarrow.parquet.read_table(path, columns=["id", "text"]).to_pylist()
            yield from ((row["id"], row["text"]) for row in rows)
        case ".conllu":
            yield from ((document.id or "", document.text) for document in read_conllu_file(path))
        case _:
            page = _Page()
            page.feed(path.read_bytes().decode("utf-8"))
            yield from page.texts.items()


class _Page(HTMLParser):
    """The texts of a page by their headings, without the labels."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, str] = {}
        self._inside = [""]
        self._heading = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the base class names it
        if tag != "meta":
            self._inside.append(tag)
        if tag == "p":
            self.texts[self._heading] = ""

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside[-1] == "h2":
            self._heading = data
        elif "p" in self._inside and self._inside[-1] != "small":
            self.texts[self._heading] += data


def synthetic(folder: Path, target: Path, megabytes: float) -> Path:
    """A JSONL of this size: paragraphs of the texts, again and again."""
    paragraphs = [part for text in documents_of(folder) for part in text.split("\n\n") if part.strip()]
    left = megabytes * _MB
    with target.open("wb") as stream:
        for number, text in enumerate(cycle(paragraphs)):
            left -= stream.write(json.dumps({"id": str(number), "text": text}).encode() + b"\n")
            if left <= 0:
                return target
    raise AssertionError


def tag(source: Path, target: Path, *options: str) -> int:
    """Run the command; how many documents it names as failures."""
    ran = subprocess.run([*_TAGLINE, str(source), "-o", str(target), *options], stderr=subprocess.DEVNULL)
    errors = target.with_name(f"{target.name}.errors.jsonl")
    failures = len(errors.read_bytes().splitlines()) if errors.exists() else 0
    assert ran.returncode == bool(failures)
    return failures


def count_words(path: Path) -> int:
    """The words in tagged JSONL."""
    with path.open("rb") as lines:
        return sum(len(sentence["tokens"]) for line in lines for sentence in json.loads(line)["sentences"])


if __name__ == "__main__":
    main()
