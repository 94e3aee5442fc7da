"""``tagline tag`` beside ``spacy.pipe`` on the same texts, one thread each: pip install spacy (it is no dependency).

    python benchmarks/spacy_pipe.py corpora/text/en --model en-cnn --spacy en_core_web_sm

Without ``--spacy`` a pipeline of the shape of spaCy's small CNN models is made on the spot (a HashEmbedCNN of width 96
and depth 4 for sentences, tags and morphology, another for entities, labels from an annotated file) with fresh weights:
what they are changes nothing of the time that their products take. It makes no lemmas, which Tagline does. Texts are
the same whole documents; words are counted by each in its own way. Runs take turns, and the median counts.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import spacy
import torch
from spacy.tokens import Doc
from spacy.training import Example

import taggers
from taggers.formats.files import read_file

_TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 96,
    "depth": 4,
    "embed_size": 2000,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": None,
}
_SHARED = {"@architectures": "spacy.Tagger.v2", "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of texts, of which those called tweets are one a line")
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument("--spacy", help="an installed pipeline of spaCy's")
    parser.add_argument("--labels", type=Path, help="an annotated .conllu file, for a pipeline made on the spot")
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = read_texts(options.folder, int(options.megabytes * 1e6))
    tagger = taggers.load(options.model, device="cpu")
    pipeline = spacy.load(options.spacy, exclude=["parser"]) if options.spacy else small_cnn(options.labels)
    variants: dict[str, Callable[[], int]] = {
        f"spaCy {spacy.__version__}, {options.spacy or 'small CNN'}": lambda: sum(map(len, pipeline.pipe(texts))),
        f"Tagline, {options.model}": lambda: sum(len(s) for document in tagger.pipe(texts) for s in document),
    }
    measured: dict[str, list[tuple[int, float]]] = {name: [] for name in variants}
    for _ in range(options.runs):
        for name, variant in variants.items():
            started = time.perf_counter()
            words = variant()
            measured[name].append((words, time.perf_counter() - started))
    first = statistics.median(seconds for _, seconds in next(iter(measured.values())))
    print(f"| {len(texts)} documents, {sum(map(len, texts)) / 1e6:.1f} M characters | words | words/s | time |")
    print("|---|---|---|---|")
    for name, runs in measured.items():
        median = statistics.median(seconds for _, seconds in runs)
        print(f"| {name} | {runs[0][0]:,} | {runs[0][0] / median:,.0f} | {median / first:.2f} x |")


def read_texts(folder: Path, characters: int) -> Sequence[str]:
    """Texts of all kinds in turn, until there are so many characters."""
    kinds: list[list[str]] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            kinds.append([text.read_text("utf-8") for text in sorted(path.glob("*.txt"))])
        elif path.suffix == ".txt":
            text = path.read_text("utf-8")
            kinds.append(text.splitlines() if path.stem == "tweets" else [text])
    texts: list[str] = []
    for kind in kinds:
        left = characters // len(kinds)
        for text in kind:
            texts.append(text[:left])
            left -= len(texts[-1])
            if left <= 0:
                break
    return texts


def small_cnn(labels: Path | None) -> Any:
    """A pipeline like ``en_core_web_sm`` without its parser, with fresh weights."""
    if labels is None:
        raise SystemExit("without --spacy there must be --labels FILE")
    pipeline = spacy.blank("en")
    pipeline.add_pipe("tok2vec", config={"model": _TOK2VEC})
    for name in ("senter", "tagger", "morphologizer"):
        pipeline.add_pipe(name, config={"model": _SHARED})
    ner = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens": False}
    sizes = {"hidden_width": 64, "maxout_pieces": 2, "use_upper": True, "nO": None, "tok2vec": _TOK2VEC}
    pipeline.add_pipe("ner", config={"model": {**ner, **sizes}})
    examples = list(_examples(pipeline, labels))
    pipeline.initialize(lambda: examples)
    return pipeline


def _examples(pipeline: Any, labels: Path) -> Any:
    for document in read_file(labels):
        for sentence in document:
            words = list(sentence.words)
            gold = Doc(
                pipeline.vocab,
                words=words,
                tags=list(sentence.tags["xpos"]),
                pos=list(sentence.tags["upos"]),
                morphs=["" if feats == "_" else feats for feats in sentence.tags["feats"]],
                sent_starts=[index == 0 for index in range(len(words))],
                ents=["B-PER" if tag == "PROPN" else "O" for tag in sentence.tags["upos"]],
            )
            yield Example(Doc(pipeline.vocab, words=words), gold)


if __name__ == "__main__":
    main()
