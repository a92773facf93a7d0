"""The needs of many users: a simulation day by day, with figures that the benchmarks have measured.

    python -m tests.benchmarks.scale [--users 10000] [--median 1250] [--quota 200000]
    python -m tests.benchmarks.scale --deploying

Users come evenly over the first 90 days; then 30 days pass without new ones. The size of a user's library
is log-normal, and five sources hold it. Its videos are drawn by popularity (Zipf), so some were indexed
for other users before. Each source is refreshed as docs/decisions/refresh.md says, and gains videos. Both
cost units of YouTube's daily quota. When they are used up, first jobs wait for the next day, first come first
served, and sources are looked at less often. ``--deploying`` prints the table of docs/deploying.md.
"""

from __future__ import annotations

import argparse
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tests.benchmarks import scale_costs as costs
from tests.benchmarks.scale_costs import Habits, Measured, Month, Prices

#: Items of a page of the Data API. Each page costs a unit, and so does the metadata of 50 videos.
PAGE = 50
#: Sources of at most so many videos are looked at daily, and others weekly.
DAILY = 200
#: GB of index of a shard, by Elastic's advice.
SHARD = 40
#: Passages of a library that are searched one by one in a tenth of a second or two.
SCANNED = 100_000


@dataclass(slots=True)
class Day:
    """The use of one day. ``waits``: days that each first job has waited for quota.

    ``wanted``: units that refreshing would need to look at each source in time. ``refreshing``: what it got.
    """

    units: int = 0
    wanted: float = 0
    refreshing: float = 0
    looks: float = 0
    jobs: float = 0
    arrivals: int = 0
    fetched: int = 0
    reused: int = 0
    waits: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    users: int
    quota: int
    median: int
    days: int = 90
    after: int = 30
    catalogue: int = 30_000_000
    #: Popularity: the chance of the video of rank r falls with r to this power.
    zipf: float = 0.8
    sigma: float = 1.1
    longest_library: int = 20_000
    sources: int = 5
    #: New videos a week, as a share of a library.
    new_a_week: float = 0.01
    #: Looks that are saved because another user has the same public source.
    shared_looks: float = 0.3

    def libraries(self, number: int, rng: np.random.Generator) -> Sequence[int]:
        sizes = rng.lognormal(math.log(self.median), self.sigma, number)
        return [int(min(self.longest_library, max(10, size))) for size in sizes]

    def videos(self, number: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Ranks of random videos, by the inverse of the (continuous) distribution."""
        power = 1 - self.zipf
        drawn = (rng.random(number) * (self.catalogue**power - 1) + 1) ** (1 / power)
        ranks: npt.NDArray[np.int64] = np.minimum(drawn.astype(np.int64), self.catalogue)
        return ranks

    def first_units(self, size: int) -> int:
        """Of a first job of each source: its title, its pages, the metadata of its videos."""
        return self.sources * (1 + math.ceil(size / self.sources / PAGE)) + math.ceil(size / PAGE)


@dataclass(slots=True)
class Living:
    """What the sources of all present users need a day: looks and units; jobs; and new videos."""

    looks: float = 0
    units: float = 0
    jobs: float = 0
    new: float = 0

    def add(self, size: int, world: World) -> None:
        in_source = size / world.sources
        every = 1 if in_source <= DAILY else 7
        changed = 1 - math.exp(-in_source * world.new_a_week * every / 7)
        listed = 1.0 if every == 7 else changed + (1 - changed) / 7
        looks = world.sources / every
        self.looks += looks * (1 - world.shared_looks)
        self.units += looks * (1 - world.shared_looks + changed)
        self.units += looks * listed * (math.ceil(in_source / PAGE) - 1)
        self.jobs += looks * listed
        self.new += size * world.new_a_week / 7


def simulate(world: World, rng: np.random.Generator) -> list[Day]:
    """The use of each day. First jobs wait for quota in a queue."""
    known = np.zeros(world.catalogue + 1, dtype=bool)
    #: The day on which a user came, and the size of the library.
    queue: deque[tuple[int, int]] = deque()
    living, days, gained = Living(), list[Day](), 0.0
    for today in range(world.days + world.after):
        day = Day(wanted=living.units)
        # As REFRESH_UNITS_PER_DAY: at most half of the quota.
        day.refreshing = min(living.units, world.quota / 2)
        share = day.refreshing / living.units if living.units else 0
        day.looks, day.jobs = living.looks * share, living.jobs * share
        day.units = round(day.refreshing)
        gained += living.new
        videos = int(gained)
        gained -= videos
        if today < world.days:
            coming = world.users * (today + 1) // world.days - world.users * today // world.days
            queue.extend((today, size) for size in world.libraries(coming, rng))
        while queue:
            asked, size = queue[0]
            units = world.first_units(size)
            if day.units + units > world.quota and day.units > round(day.refreshing):
                break
            queue.popleft()
            day.units += units
            day.waits.append(today - asked)
            day.arrivals += 1
            day.jobs += world.sources
            videos += size
            living.add(size, world)
        ranks = np.unique(world.videos(videos, rng))
        new = ranks[~known[ranks]]
        known[new] = True
        day.fetched, day.reused = len(new), videos - len(new)
        days.append(day)
    return days


def month(days: Sequence[Day], end: int) -> Month:
    """The thirty days before the day of this number."""
    before, within = days[:end], days[max(0, end - 30) : end]
    return Month(
        users=sum(day.arrivals for day in before),
        places=sum(day.fetched + day.reused for day in before),
        stored=sum(day.fetched for day in before),
        arrivals=sum(day.arrivals for day in within),
        fetched=sum(day.fetched for day in within),
        reused=sum(day.reused for day in within),
        jobs=round(sum(day.jobs for day in within)),
        looks=round(sum(day.looks for day in within)),
    )


def needs(world: World, days: Sequence[Day], measured: Measured) -> list[tuple[str, str]]:
    """Rows: what all days together need."""
    end, last = month(days, len(days)), days[-1]
    reused = end.places - end.stored
    waits = sorted(wait for day in days for wait in day.waits)
    busiest = max(day.fetched for day in days)
    share = 100 * end.stored / max(1, end.places)
    requests = end.stored * measured.requests_to_youtube / 1e6
    received = costs.from_youtube(end.stored, measured)
    written = (end.stored * measured.writes + reused * measured.reused_writes) / 1e6
    search = costs.servers(end.stored, measured)
    words = end.stored * measured.words_bytes / 1e9
    passages = search.index - words
    late = last.wanted / max(1, last.refreshing)
    return [
        ("units of quota a day; users who could begin", f"{world.quota:,}; {end.users:,} of {world.users:,}"),
        ("wait of a first job for quota, median and longest", _waits(waits)),
        ("units on the busiest day", f"{max(day.units for day in days):,}"),
        ("units a day that refreshing wants at the end", f"{last.wanted:,.0f}"),
        ("a daily source is looked at every", f"{late:.1f} days"),
        ("places in libraries", f"{end.places / 1e6:.1f} M"),
        ("different videos, each fetched once", f"{end.stored / 1e6:.1f} M ({share:.0f} %)"),
        ("fetched on the busiest day; a second", f"{busiest:,}; {busiest / 86_400:.1f}"),
        ("requests to YouTube; bytes", f"{requests:.1f} M; {received:,.0f} GB"),
        ("Firestore: written; stored", f"{written:.0f} M; {costs.stored(end, measured):,.0f} GB"),
        ("index of words; shards of 40 GB", f"{words:,.0f} GB; {math.ceil(words / SHARD)}"),
        ("index of passages; shards of 40 GB", f"{passages:,.0f} GB; {math.ceil(passages / SHARD)}"),
        ("machines of the search", f"{search.number} × {search.machine.name}"),
        ("their disks, with the room that a rebuild needs", f"{search.disk:,.0f} GB"),
    ]


def walls(world: World, days: Sequence[Day], measured: Measured, habits: Habits) -> list[tuple[str, str]]:
    """Rows: the number of users at which each limit is met, if all are as in this world."""
    end, last = month(days, len(days)), days[-1]
    videos = end.stored / max(1, end.users)
    units = last.wanted / max(1, end.users)
    disk = costs.LARGEST_DISK * 1e9 / 2 / (measured.words_bytes + measured.passages_bytes)
    arriving = sum(day.fetched for day in days[: world.days]) / max(1, end.users)
    over = 0.5 * math.erfc(math.log(SCANNED / measured.passages / world.median) / world.sigma / math.sqrt(2))
    return [
        ("5,000 units a day for refreshing", f"{5_000 / units:,.0f} users ({units:.1f} units each)"),
        (
            f"one address at {habits.pace:g} video a second",
            f"{86_400 * habits.pace / arriving:,.0f} new users a day ({arriving:,.0f} videos each)",
        ),
        (
            f"one search server with {costs.LARGEST_DISK:,} GB of disk",
            f"{disk / videos:,.0f} users, {disk / 1e6:.1f} M videos",
        ),
        (
            f"a library of {SCANNED:,} passages is searched by meaning",
            f"{100 * over:.0f} % of users have more",
        ),
    ]


def _waits(waits: Sequence[int]) -> str:
    if not waits:
        return "nobody could begin"
    median, longest = waits[len(waits) // 2], waits[-1]
    return f"{median} and {longest} days" if longest else "none"


def dollars(world: World, days: Sequence[Day], measured: Measured) -> list[tuple[str, str]]:
    """Rows: a month while users come, and one after that."""
    found = [costs.costs(month(days, end), Habits(), measured, Prices()) for end in (world.days, len(days))]
    return [(name, f"{found[0][name]:,.0f}; {found[1][name]:,.0f}") for name in found[0]]


def small(users: int, rng: np.random.Generator) -> dict[str, float]:
    """The month in which few users come, each with 400 videos, in the rows of docs/deploying.md."""
    world = World(users, quota=1_000_000, median=400, sigma=0, days=30, after=0)
    found = costs.costs(month(simulate(world, rng), 30), Habits(), Measured(), Prices())

    def total(*beginnings: str) -> float:
        return sum(each for name, each in found.items() if name.startswith(beginnings))

    return {
        "functions": total("function ", "requests"),
        "Firestore": total("Firestore"),
        "Pub/Sub": total("Pub/Sub"),
        "logs": total("logs"),
        "what people download": total("egress"),
        "search server": total("search servers", "their disks"),
        "address": total("addresses"),
        "sum": found["sum"],
        "proxy": total("a proxy"),
    }


def deploying(seed: int = 1) -> list[tuple[str, str]]:
    """Rows: the costs for 1, 50 and 1,000 users."""
    rng = np.random.default_rng(seed)
    found = [small(users, rng) for users in (1, 50, 1_000)]
    return [(name, " | ".join(f"{each[name]:.0f}" for each in found)) for name in found[0]]


def table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--median", type=int, default=1_250, help="videos of a library")
    parser.add_argument("--quota", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deploying", action="store_true", help="the costs of few users")
    options = parser.parse_args()
    if options.deploying:
        print(table(deploying(options.seed)))
        return
    rng, measured = np.random.default_rng(options.seed), Measured()
    world = World(options.users, options.quota, options.median)
    days = simulate(world, rng)
    for rows in (
        needs(world, days, measured),
        dollars(world, days, measured),
        walls(world, days, measured, Habits()),
    ):
        print(table(rows), end="\n\n")


if __name__ == "__main__":
    main()
