"""How long a tweet takes, alone and while three clients keep sending a megabyte of books.

python benchmarks/latency.py corpora --model en-cnn --seconds 60
"""

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path

from server import Server, body_of, percentile, serve
from traffic import arrive, megabyte, read_tweets


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long tweets arrive, in each case")
    parser.add_argument("--per-second", type=float, default=5.0, help="tweets")
    parser.add_argument("--clients", type=int, default=3, help="that send books")
    options = parser.parse_args()
    with serve(options.model, request_timeout_s=3_600) as server:
        asyncio.run(measure(server, options))


async def measure(server: Server, options: argparse.Namespace) -> None:
    """Tweets alone, then beside books."""
    tweets = read_tweets(options.corpora)[: int(options.seconds * options.per_second)]
    rest = server.memory_mib()
    books = [megabyte(options.corpora, seed=number) for number in range(options.clients)]
    print("| tweets | p50 | p99 | p99 of alone | one batch |\n|---|---|---|---|---|")
    alone = await told(server, "alone", tweets, options.per_second, None)
    sending = [asyncio.create_task(keep_sending(server, book)) for book in books]
    await asyncio.sleep(1)
    await told(server, f"beside {options.clients} megabytes", tweets, options.per_second, alone)
    busy = server.memory_mib()
    for task in sending:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*sending)
    print(f"\nMemory: {rest} MiB at rest, {busy} beside the books.")


async def told(server: Server, name: str, tweets: list[str], per_second: float, alone: float | None) -> float:
    """Measure one case and print its row; returns its p99 in seconds."""
    busy, batches = "tagline_device_busy_seconds_total", "tagline_batch_size_tokens_count"
    before = server.count(busy), server.count(batches)
    replies = await arrive(tweets, server.tag, per_second=per_second)
    batch_s = (server.count(busy) - before[0]) / (server.count(batches) - before[1])
    if any(reply.status != 200 for reply in replies):
        raise SystemExit("a tweet was refused")
    seconds = [reply.seconds for reply in replies]
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    ratio = f"{p99 / (alone or p99):.1f} x"
    print(f"| {name} | {p50 * 1e3:.0f} ms | {p99 * 1e3:.0f} ms | {ratio} | {batch_s * 1e3:.0f} ms |", flush=True)
    return p99


async def keep_sending(server: Server, book: str) -> None:
    """One client that sends a book again as soon as it is answered."""
    while True:
        await server.post("/v1/tag", body_of(book))


if __name__ == "__main__":
    main()
