"""Nobody notices what befalls others: clients vanish, batches fail, and the model is loaded again every second.

    python benchmarks/chaos.py corpora --model en-cnn --seconds 60

One client in five hangs up before it is answered; one in fifty sends a word on which the network fails, and should get
status 500; one batch in five fails besides. All others should get just the answer that they get in peace.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from server import Server, body_of, serve
from traffic import read_tweets

_TEXTS = 50
_CLIENTS = 16
_VANISHING = 0.2
_POISONED = 0.02


def main() -> None:
    """Count and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with serve(options.model, variant="failing") as server:
        counts = asyncio.run(suffer(server, read_tweets(options.corpora)[:_TEXTS], options.seconds))
    print("| | requests |\n|---|---|")
    for name, count in sorted(counts.items()):
        print(f"| {name} | {count} |")


async def suffer(server: Server, tweets: list[str], seconds: float) -> Counter[str]:
    """Ask in peace, then in chaos."""
    model = json.loads((await server.tag("Hello")).body)["model"]
    expected = [labels_of((await server.tag(tweet)).body) for tweet in tweets]
    end = time.perf_counter() + seconds
    rng = random.Random(3)
    counts: Counter[str] = Counter()

    async def client() -> None:
        while time.perf_counter() < end:
            number, fate = rng.randrange(len(tweets)), rng.random()
            if fate < _VANISHING:
                await server.post("/v1/tag", body_of(tweets[number]), vanish_after_s=rng.random() * 0.05)
                counts["vanished"] += 1
            elif fate < _VANISHING + _POISONED:
                reply = await server.tag(f"{tweets[number]} POISON ")
                counts[f"poisoned: status {reply.status}"] += 1
            else:
                reply = await server.tag(tweets[number])
                right = reply.status == 200 and labels_of(reply.body) == expected[number]
                counts[f"others: {'the right answer' if right else f'wrong, status {reply.status}'}"] += 1

    async def reload() -> None:
        while time.perf_counter() < end:
            reply = await server.post(f"/v1/models/{model}/reload", b"")
            assert reply is not None
            counts[f"reload: status {reply.status}"] += 1
            await asyncio.sleep(1)

    await asyncio.gather(reload(), *(client() for _ in range(_CLIENTS)))
    return counts


def labels_of(body: bytes) -> Any:
    """An answer without scores, which may differ in their last digits."""
    answer = json.loads(body)
    for document in answer.get("documents", ()):
        for spans in document["spans"].values():
            for span in spans:
                span.pop("score", None)
    return answer


if __name__ == "__main__":
    main()
