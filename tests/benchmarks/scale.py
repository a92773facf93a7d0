"""The needs of many users: a simulation day by day, with figures that the benchmarks have measured.

    python -m tests.benchmarks.scale [--users 10000] [--days 90] [--quota 10000]

Users come evenly over the days. The size of a user's library is log-normal. Its videos are drawn by
popularity (Zipf), so some were indexed for other users before. Each user refreshes the playlists once a week.
Listing costs units of YouTube's daily quota. When the quota is used up, jobs wait for the next day, first
come first served. The simulation prints how long jobs wait, and how much is read, written, fetched and kept.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import deque
from dataclasses import dataclass, field

#: Items of a page of the Data API. Each page costs a unit, and so does the metadata of 50 videos.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs of one video. `./emulators.sh bench` and `bench_search` print them."""

    #: Of the functions alone: fetcher, indexer, planner, jobs.
    processor_ms: float = 15.0
    bytes_from_youtube: float = 16_000
    requests_to_youtube: float = 2.0
    index_bytes: float = 130_000
    stored_bytes: float = 17_000
    #: Documents written: metadata, ledger entry, claim, transcript; and settling, with its counter.
    writes: float = 6.0
    #: Documents read. Fetcher: job, entry, transcript. Indexer: the same, and the metadata.
    reads: float = 7.0
    #: For a video that was indexed for another user before: by the planner alone.
    reused_writes: float = 1.0
    reused_reads: float = 3.0


@dataclass(slots=True)
class Day:
    """The use of one day. ``waits``: days that each job has waited for quota."""

    units: int = 0
    fetched: int = 0
    reused: int = 0
    waits: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    users: int
    days: int
    quota: int
    catalogue: int = 30_000_000
    #: Popularity: the chance of the video of rank r falls with r to this power.
    zipf: float = 0.8
    median_library: int = 400
    sigma: float = 1.1
    longest_library: int = 20_000
    new_a_week: float = 0.01
    again_days: int = 7

    def library(self, rng: random.Random) -> int:
        size = rng.lognormvariate(math.log(self.median_library), self.sigma)
        return int(min(self.longest_library, max(10, size)))

    def video(self, rng: random.Random) -> int:
        """The rank of a random video, by the inverse of the (continuous) distribution."""
        power = 1 - self.zipf
        return int((rng.random() * (self.catalogue**power - 1) + 1) ** (1 / power))


def simulate(world: World, rng: random.Random) -> list[Day]:
    """The use of each day. Jobs wait for quota in a queue."""
    known: set[int] = set()
    sizes: list[int] = []
    #: The day on which a job was asked for, its items, and its new items.
    queue: deque[tuple[int, int, int]] = deque()
    days: list[Day] = []
    for today in range(world.days):
        arriving = round(world.users * (today + 1) / world.days) - round(world.users * today / world.days)
        for number, size in enumerate(sizes):
            if number % world.again_days == today % world.again_days:
                queue.append((today, size, round(size * world.new_a_week)))
        for _ in range(arriving):
            size = world.library(rng)
            sizes.append(size)
            queue.append((today, size, size))
        day = Day()
        while queue:
            asked, listed, new = queue[0]
            units = 1 + math.ceil(listed / PAGE) + math.ceil(new / PAGE)
            if day.units and day.units + units > world.quota:
                break
            queue.popleft()
            day.units += units
            day.waits.append(today - asked)
            for _ in range(new):
                video = world.video(rng)
                day.reused += video in known
                day.fetched += video not in known
                known.add(video)
        days.append(day)
    return days


def report(world: World, days: list[Day], measured: Measured) -> str:
    fetched = sum(day.fetched for day in days)
    reused = sum(day.reused for day in days)
    waits = sorted(wait for day in days for wait in day.waits)
    busiest = max(day.fetched for day in days)
    writes = fetched * measured.writes + reused * measured.reused_writes
    reads = fetched * measured.reads + reused * measured.reused_reads
    index = fetched * measured.index_bytes
    rows = [
        ("users, days, units of quota a day", f"{world.users:,}, {world.days}, {world.quota:,}"),
        ("videos in libraries", f"{fetched + reused:,}"),
        ("fetched from YouTube", f"{fetched:,} ({100 * fetched / max(1, fetched + reused):.0f} %)"),
        ("jobs begun, and their median and longest wait for quota (days)", _waits(waits)),
        ("units of quota on the busiest day", f"{max(day.units for day in days):,}"),
        ("fetched on the busiest day, a second", f"{busiest:,}, {busiest / 86_400:.1f}"),
        (
            "requests to YouTube, and bytes",
            f"{fetched * measured.requests_to_youtube / 1e6:.1f} M,"
            f" {fetched * measured.bytes_from_youtube / 1e9:.0f} GB",
        ),
        ("processor hours of the functions", f"{fetched * measured.processor_ms / 3.6e6:.0f}"),
        ("Firestore: writes, reads", f"{writes / 1e6:.1f} M, {reads / 1e6:.1f} M"),
        ("Firestore: kept", f"{fetched * measured.stored_bytes / 1e9:.0f} GB"),
        ("Pub/Sub: messages", f"{2 * fetched / 1e6:.1f} M"),
        ("Elasticsearch: index, shards of 40 GB", f"{index / 1e9:.0f} GB, {math.ceil(index / 40e9)}"),
    ]
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def _waits(waits: list[int]) -> str:
    if not waits:
        return "none"
    return f"{len(waits):,}, {waits[len(waits) // 2]}, {waits[-1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--quota", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    world = World(options.users, options.days, options.quota)
    print(report(world, simulate(world, random.Random(options.seed)), Measured()))


if __name__ == "__main__":
    main()
