"""Raw text to every layer on one core: words a second of each model, and what batching by length is worth.

    python benchmarks/throughput.py corpora/ud/en_ewt/test.conllu --model en-cnn

Each figure is the median of the runs; runs of all variants take turns, so that a noisy machine is noisy to all of them.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import taggers
from taggers.document import Document
from taggers.formats.files import read_file
from taggers.pipeline import Tagger


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="annotated files, whose raw text is tagged")
    parser.add_argument("--model", action="append", help="name or folder; may be given several times")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = [document.text for path in options.files for document in read_file(path)]
    print("| model | what | words/s | of the first |\n|---|---|---|---|")
    for name in options.model or ["en"]:
        tagger = taggers.load(name, device="cpu")
        measure(tagger, texts, runs=options.runs)


def measure(tagger: Tagger, texts: Sequence[str], *, runs: int) -> None:
    """Time the variants in turn and print a row for each."""
    segmented = tagger.segment(texts)
    words = sum(len(sentence) for document in segmented for sentence in document)
    variants: dict[str, Callable[[], object]] = {
        "raw text to all layers": lambda: list(tagger.pipe(texts)),
        "segmentation alone": lambda: tagger.segment(texts),
        "tags and entities alone, packed by length": lambda: tagger.tag(segmented),
        "the same, first come first served in batches of 32": lambda: first_come(tagger, segmented),
    }
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for run in range(runs + 1):
        for name, variant in variants.items():
            started = time.perf_counter()
            variant()
            if run:  # the first one warms up
                seconds[name].append(time.perf_counter() - started)
    first = statistics.median(next(iter(seconds.values())))
    for name, measured in seconds.items():
        median = statistics.median(measured)
        print(f"| {tagger.name} | {name} | {words / median:,.0f} | {first / median:.2f} x |")


def first_come(tagger: Tagger, documents: Sequence[Document]) -> None:
    """What packing is measured against: sentences in the order of the text, 32 at a time."""
    chunks = [chunk for document in documents for sentence in document for chunk in tagger.chunks(sentence)]
    for start in range(0, len(chunks), 32):
        tagger.label(chunks[start : start + 32])


if __name__ == "__main__":
    main()
