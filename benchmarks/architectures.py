"""The three encoders beside each other, trained on the same data by training/configs/architectures.toml.

    python benchmarks/architectures.py runs/cnn runs/bilstm runs/transformer --dev corpora/ud/en_ewt/dev.conllu

Accuracy is that of the best epoch on dev, gold tokens, from the log of the training, as are the seconds. Speed is that
of the network on the sentences of a file, packed by length, float32, one thread; the models take turns, and the median
of the runs counts.
"""

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from taggers.checkpoint import load_model
from taggers.document import Document
from taggers.formats.files import read_file
from taggers.pipeline import Tagger

_SCORES = {"upos": "UPOS", "xpos": "XPOS", "ufeats": "FEATS", "lemma": "lemma", "ner": "entities, strict F1"}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--dev", type=Path, required=True, help="annotated text whose sentences are tagged")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    documents = list(read_file(options.dev))
    words = sum(len(sentence) for document in documents for sentence in document)
    models = {folder: load_model(folder, device=torch.device("cpu")) for folder in options.folders}
    seconds: dict[Path, list[float]] = {folder: [] for folder in models}
    for run in range(options.runs + 1):
        for folder, model in models.items():
            taken = time_once(Tagger(model), documents)
            if run:  # the first one warms up
                seconds[folder].append(taken)
    names = ["encoder", "its parameters", *_SCORES.values(), "seconds of training", "words/s"]
    print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|")
    for folder, model in models.items():
        log = read_log(folder)
        best = max(log, key=lambda epoch: epoch["dev"]["score"])
        parameters = sum(p.numel() for p in model.tagger.network.encoder.parameters())
        scores = " | ".join(f"{100 * best['dev'][key]:.2f}" for key in _SCORES)
        speed = words / statistics.median(seconds[folder])
        print(f"| {folder.name} | {parameters / 1e6:.2f} M | {scores} | {log[-1]['seconds']:,.0f} | {speed:,.0f} |")


def time_once(model: Tagger, documents: Sequence[Document]) -> float:
    """Seconds to fill all layers."""
    started = time.perf_counter()
    model.tag(documents)
    return time.perf_counter() - started


def read_log(folder: Path) -> Sequence[Mapping[str, Any]]:
    """What was noted after each epoch of a training."""
    lines = (folder / "checkpoints/tagger/log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
