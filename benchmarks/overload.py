"""Five times as many tweets as can be answered: who is accepted is answered soon, who is not is told at once.

    python benchmarks/overload.py corpora --model en-cnn --seconds 60 --requests 100000

Afterwards so many requests go through one after the other, and the memory is compared with that after the first 1,000.
"""

import argparse
import asyncio
import gc
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path

from server import Reply, Server, percentile, serve
from traffic import arrive, read_tweets

_CLIENTS = 16
_WARM_S = 5.0
_FIRST = 1_000


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--model", default="en-cnn")
    parser.add_argument("--seconds", type=float, default=60.0, help="of overload")
    parser.add_argument("--times", type=float, default=5.0, help="the capacity")
    parser.add_argument("--requests", type=int, default=100_000, help="for the memory")
    parser.add_argument("--max-queue-s", type=float, default=2.0, help="how long an accepted tweet may wait")
    options = parser.parse_args()
    gc.disable()  # or the clients would take their own pauses for the service's
    with serve(options.model, max_queue_s=options.max_queue_s) as server:
        asyncio.run(measure(server, read_tweets(options.corpora), options))


async def measure(server: Server, tweets: list[str], options: argparse.Namespace) -> None:
    """Capacity, overload, recovery, memory."""
    capacity = await busy_clients(server, tweets, until=time.perf_counter() + _WARM_S) / _WARM_S
    rate = options.times * capacity
    arriving = list(islice(cycle(tweets), int(rate * options.seconds)))
    replies: list[Reply] = await arrive(arriving, server.tag, per_second=rate)
    recovered = await server.tag(tweets[0])
    accepted = [reply.seconds for reply in replies if reply.status == 200]
    refused = [reply.seconds for reply in replies if reply.status == 429]
    statuses = Counter(reply.status for reply in replies)
    rows = {
        "capacity": f"{capacity:.0f} tweets/s",
        f"sent in {options.seconds:.0f} s": f"{len(replies)}, by status {dict(statuses)}",
        "accepted: p50, p99": f"{percentile(accepted, 0.5):.2f} s, {percentile(accepted, 0.99):.2f} s",
        "refused within 50 ms": f"{sum(second <= 0.05 for second in refused) / max(1, len(refused)):.1%}",
        "refused: p50, p99": ", ".join(f"{percentile(refused or [0.0], share) * 1e3:.0f} ms" for share in (0.5, 0.99)),
        "the first request afterwards": f"status {recovered.status} in {recovered.seconds * 1e3:.0f} ms",
    }
    await busy_clients(server, tweets, count=_FIRST)
    first = server.memory_mib()
    await busy_clients(server, tweets, count=options.requests - _FIRST)
    last = server.memory_mib()
    rows[f"memory after {_FIRST} and {options.requests} requests"] = f"{first}, {last} MiB ({last / first - 1:+.1%})"
    print("| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")


async def busy_clients(
    server: Server, tweets: list[str], *, count: int | None = None, until: float | None = None
) -> int:
    """Clients that send the next tweet as soon as one is answered; returns how many were."""
    following = islice(cycle(tweets), count)
    answered = 0

    async def client() -> None:
        nonlocal answered
        for tweet in following:
            if until is not None and time.perf_counter() > until:
                return
            reply = await server.tag(tweet)
            answered += reply.status == 200  # read after the others have counted theirs

    await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    return answered


if __name__ == "__main__":
    main()
