"""Mixed traffic at saturation: tweets, addresses and chapters, arriving faster than they can be answered.

    python benchmarks/mixed.py corpora --model en-cnn

Three take turns on the same cores: the service; the same with batches of 32 in the order of arrival; and the offline
pipeline, which has all texts before it begins. Answers are compared with those of each sentence by itself.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server import Server, serve
from traffic import arrive, read_mixed

import taggers
from taggers.document import Document
from taggers.formats.answer import document_to_json
from taggers.pipeline import Tagger


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument(
        "--requests", type=int, default=4_000, help="enough for the first and last seconds not to count"
    )
    parser.add_argument("--per-second", type=float, default=500.0, help="arrivals")
    parser.add_argument("--compared", type=int, default=50, help="answers that are compared")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    texts = read_mixed(options.corpora, count=options.requests)
    tagger = taggers.load(options.model, device="cpu")

    def serving(variant: str | None) -> Callable[[], dict[str, float]]:
        def run() -> dict[str, float]:
            limits = {"max_queue_tokens": 10**9, "max_queue_s": 10**6, "request_timeout_s": 3_600}
            with serve(options.model, variant=variant, **limits) as server:
                return asyncio.run(flood(server, texts, tagger, options))

        return run

    variants = {
        "batches by length": serving(None),
        "batches of 32, first come": serving("first-come"),
        "offline pipeline": lambda: offline(tagger, texts),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
    for _ in range(options.runs):
        for name, variant in variants.items():
            found[name].append(variant())
    first = statistics.median(run["words/s"] for run in found["batches by length"])
    print("| | words/s | of the first | padding | compared | different |\n|---|---|---|---|---|---|")
    for name, runs in found.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        words = middle["words/s"]
        told = [f"{middle[key]:{form}}" if key in middle else "" for key, form in _SHOWN.items()]
        print(f"| {name} | {words:,.0f} | {words / first:.2f} x | {' | '.join(told)} |")


_SHOWN = {"padding": ".1%", "compared": ".0f", "different": ".0f"}


async def flood(server: Server, texts: Sequence[str], tagger: Tagger, options: Any) -> dict[str, float]:
    """Let the texts arrive, and measure from the first arrival to the last answer."""
    started = time.perf_counter()
    replies = await arrive(texts, server.tag, per_second=options.per_second)
    seconds = time.perf_counter() - started
    failed = [reply.status for reply in replies if reply.status != 200]
    if failed:
        raise SystemExit(f"{len(failed)} requests failed, the first with {failed[0]}")
    words = server.count("tagline_tokens_total")
    tokens = server.count("tagline_batch_tokens_total", 'network="tagger"')
    positions = server.count("tagline_batch_positions_total", 'network="tagger"')
    chosen = range(0, len(texts), max(1, len(texts) // options.compared))
    different = sum(not same(json.loads(replies[i].body)["documents"][0], tagger, texts[i]) for i in chosen)
    return {
        "words/s": words / seconds,
        "padding": 1 - tokens / positions,
        "compared": len(chosen),
        "different": different,
    }


def offline(tagger: Tagger, texts: Sequence[str]) -> dict[str, float]:
    """The same texts through the pipeline."""
    started = time.perf_counter()
    words = sum(len(sentence) for document in tagger.pipe(texts) for sentence in document)
    return {"words/s": words / (time.perf_counter() - started)}


def same(answer: Any, tagger: Tagger, text: str) -> bool:
    """Whether an answer is that of each sentence by itself; scores may differ in the fourth digit."""
    (segmented,) = tagger.segment([text])
    alone = [tagger.tag([Document(text, (sentence,))]).pop().sentences[0] for sentence in segmented]
    expected = json.loads(json.dumps(document_to_json(Document(text, tuple(alone)))))
    scores = [[span.pop("score") for span in spans_of(document)] for document in (answer, expected)]
    near = all(abs(found - wanted) < 1e-3 for found, wanted in zip(*scores, strict=False))
    return near and answer["sentences"] == expected["sentences"] and spans_of(answer) == spans_of(expected)


def spans_of(document: Any) -> list[Any]:
    """The spans of all layers."""
    return [span for layer in sorted(document["spans"]) for span in document["spans"][layer]]


if __name__ == "__main__":
    main()
