"""What a month costs: figures that the benchmarks have measured, what people do, and list prices.

The functions are billed for the seconds in which they answer at least one request. Here no two requests share
a second, except at the fetcher and at the embedder, so the real bill is lower.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30 * 86_400
_GB = 1e9
#: GB of the largest disk that the deployment makes (elasticsearch_disk_gb).
LARGEST_DISK = 2_000
_SEARCH_TF = Path(__file__).parents[2] / "infra" / "terraform" / "search.tf"


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs of one video. docs/performance.md says what was measured, and with which command."""

    #: Without the captions: the player's partial answer, the requests, and the heads of answers.
    bytes_beyond_captions: float = 2_000
    bytes_of_captions: float = 17_000
    requests_to_youtube: float = 2.0
    #: In Elasticsearch: the index of words, and that of passages.
    words_bytes: float = 130_000
    passages_bytes: float = 80_000
    #: In Firestore: transcript, metadata, vectors; and for each place in a library, its ledger entry.
    stored_bytes: float = 17_000 + 2_000 + 30_000
    ledger_bytes: float = 800
    #: Documents written: metadata, ledger entry, claim, transcript; settling, with its counter; and for the
    #: embedder, what is due and the passages.
    writes: float = 6.0 + 3.0
    #: Documents read. Fetcher: job, entry, transcript. Indexer: the same, and the metadata. Embedder: four.
    reads: float = 7.0 + 4.0
    #: For a video that was indexed for another user before: by the planner alone.
    reused_writes: float = 1.0
    reused_reads: float = 3.0
    passages: float = 52.0
    #: Seconds of a processor for a passage. A vCPU is half a core.
    passage_seconds: float = 2 * 0.0062
    #: Estimated, not measured: for how long an instance answers requests for a video.
    indexer_seconds: float = 0.25
    planner_seconds: float = 0.01
    export_seconds: float = 0.04
    export_bytes: float = 14_000


@dataclass(frozen=True, slots=True)
class Habits:
    """What a user does in a month. Nobody has measured this."""

    #: Each with four suggestions and one opened video.
    searches: float = 150
    library_views: float = 20
    #: Seconds for which the page of a user's first job is watched. It asks once a second.
    watched_seconds: float = 300
    #: Looks at a saved search after the library has changed; requests of feed readers.
    saved_looks: float = 6
    feed_requests: float = 36
    #: Calls of tools by language models, of all users together divided by all users.
    mcp_calls: float = 30
    #: Exports of the whole library.
    exports: float = 0.1
    #: Videos a second that YouTube lets one address fetch. It publishes no number.
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars. List prices of one region (us-central1), put together in November 2026."""

    # https://cloud.google.com/run/pricing, billed by request: a second of 1 vCPU and 512 MB.
    second: float = 0.000024 + 0.5 * 0.0000025
    million_requests: float = 0.40
    free_seconds: float = 180_000
    free_requests: float = 2e6
    # https://cloud.google.com/firestore/pricing, one region.
    read: float = 0.03 / 100_000
    write: float = 0.09 / 100_000
    free_reads: float = 50_000 * 30
    free_writes: float = 20_000 * 30
    #: A gigabyte stored, its history of seven days at most once more, and seven daily backups.
    stored: float = 0.15 + 0.15 + 7 * 0.03
    # https://cloud.google.com/pubsub/pricing: a gigabyte published, and delivered.
    pubsub: float = 0.04
    free_pubsub: float = 10
    #: https://cloud.google.com/stackdriver/pricing: a gigabyte of logs.
    logs: float = 0.50
    free_logs: float = 50
    #: https://cloud.google.com/vpc/network-pricing: a gigabyte to people.
    egress: float = 0.12
    #: An address and its gateway; a gigabyte through it.
    address: float = 5.0
    nat: float = 0.045
    #: Of the residential proxies of Webshare, a gigabyte; and the smallest plan.
    proxy: float = 3.5
    smallest_proxy: float = 4.0
    #: A gigabyte of the disk of a search server, and of its snapshots (infra/terraform/outputs.tf).
    disk: float = 0.13
    #: Elastic Cloud: a gigabyte of memory, from the smallest deployment.
    elastic_cloud: float = 95 / 4
    fixed: float = 1.0


@dataclass(frozen=True, slots=True)
class Month:
    """Thirty days. ``users``, ``places`` (in libraries) and ``stored`` (different videos): at the end.

    ``jobs``: first ones and those of refreshes. ``looks``: at first pages of sources.
    """

    users: int
    places: int
    stored: int
    arrivals: int
    fetched: int
    reused: int
    jobs: int
    looks: int


@dataclass(frozen=True, slots=True)
class Machine:
    """``memory`` in GB, ``cost`` a month in US dollars."""

    name: str
    memory: int
    cost: int


@dataclass(frozen=True, slots=True)
class Servers:
    """Search servers that hold the index.

    ``memory`` and ``disk``: GB of all. The disks have the room that a rebuild needs.
    """

    machine: Machine
    number: int
    memory: float
    index: float
    disk: float


def machines() -> list[Machine]:
    """The types of machines and their prices, from the deployment, the cheapest first."""
    found = re.findall(r"(e2-[a-z0-9-]+)\s*= \{ memory = (\d+), cost = (\d+) \}", _SEARCH_TF.read_text())
    made = [Machine(name, int(memory), int(cost)) for name, memory, cost in found]
    return sorted(made, key=lambda machine: machine.cost)


def servers(stored: float, measured: Measured) -> Servers:
    """As few as possible, and the cheapest of these.

    Elastic's rule for what is searched often: a gigabyte of memory for 30 of index. Three more for itself.
    """
    index = stored * (measured.words_bytes + measured.passages_bytes) / _GB
    disk, most = max(20.0, 2 * index), max(machine.memory for machine in machines())
    number = math.ceil(max(disk / LARGEST_DISK, index / 30 / (most - 3)))
    memory = max(4.0, 3 + index / number / 30)
    machine = next(each for each in machines() if each.memory >= memory)
    return Servers(machine, number, number * memory, index, disk)


def seconds(month: Month, habits: Habits, measured: Measured) -> dict[str, float]:
    """The seconds for which each function is billed. ``web``: search, library, jobs and account, too."""
    users, videos = month.users, month.fetched + month.reused
    return {
        "fetcher": month.fetched / habits.pace,
        "indexer": month.fetched * measured.indexer_seconds,
        "embedder": month.fetched * measured.passages * measured.passage_seconds,
        "planner": videos * measured.planner_seconds + month.jobs * 0.5,
        "refresh": month.looks * 0.2 + SECONDS / 300 * 0.2,
        "sweep": SECONDS / 60 * 0.5,
        "web": users * (habits.searches * 6 * 0.15 + habits.library_views * 5 * 0.1)
        + month.arrivals * habits.watched_seconds * 0.05,
        "keep": users * (habits.saved_looks * 0.15 + habits.feed_requests * 0.05),
        "mcp": users * habits.mcp_calls * 0.3,
        "exports": habits.exports * month.places * measured.export_seconds,
    }


def requests(month: Month, habits: Habits) -> float:
    """All requests to functions."""
    a_user = habits.searches * 6 + habits.library_views * 5 + habits.saved_looks + habits.feed_requests
    pipeline = 3 * month.fetched + month.jobs + SECONDS / 60 + SECONDS / 300
    return pipeline + month.users * (a_user + 2 * habits.mcp_calls) + month.arrivals * habits.watched_seconds


def reads(month: Month, habits: Habits, measured: Measured) -> float:
    """Documents of Firestore. A question reads the session, the user and the library, about seven."""
    active = month.jobs * habits.watched_seconds / SECONDS
    asked = habits.searches * 6 + habits.saved_looks + habits.mcp_calls
    return (
        month.fetched * measured.reads
        + month.reused * measured.reused_reads
        + month.looks * 4
        + month.users * (asked * 7 + habits.library_views * 20 + habits.feed_requests * 3)
        + (month.arrivals * habits.watched_seconds + active * SECONDS / 60) * 22
        + habits.exports * month.places * 2
    )


def writes(month: Month, measured: Measured) -> float:
    return month.fetched * measured.writes + month.reused * measured.reused_writes + month.looks * 2


def stored(month: Month, measured: Measured) -> float:
    """GB in Firestore."""
    return (month.stored * measured.stored_bytes + month.places * measured.ledger_bytes) / _GB


def from_youtube(fetched: int, measured: Measured) -> float:
    """GB for so many videos."""
    return fetched * (measured.bytes_beyond_captions + measured.bytes_of_captions) / _GB


def addresses(month: Month, habits: Habits) -> int:
    """Addresses that fetch all the month."""
    return max(1, math.ceil(month.fetched / habits.pace / SECONDS))


def costs(month: Month, habits: Habits, measured: Measured, prices: Prices) -> dict[str, float]:
    """US dollars by line. The last two take the place of others."""
    spent = seconds(month, habits, measured)
    billed = max(0.0, 1 - prices.free_seconds / sum(spent.values()))
    lines = {f"function {name}": each * prices.second * billed for name, each in spent.items()}
    asked = requests(month, habits)
    lines["requests to functions"] = _beyond(asked, prices.free_requests) / 1e6 * prices.million_requests
    read, written = reads(month, habits, measured), writes(month, measured)
    lines["Firestore: reads"] = _beyond(read, prices.free_reads) * prices.read
    lines["Firestore: writes"] = _beyond(written, prices.free_writes) * prices.write
    lines["Firestore: storage, history, backups"] = _beyond(stored(month, measured), 1) * prices.stored
    messages = 2 * 3 * month.fetched * 1_000 / _GB
    lines["Pub/Sub, Scheduler, Secret Manager, images"] = (
        prices.fixed + _beyond(messages, prices.free_pubsub) * prices.pubsub
    )
    lines["logs"] = _beyond(asked * 1_500 / _GB, prices.free_logs) * prices.logs
    search = servers(month.stored, measured)
    lines["search servers"] = search.number * search.machine.cost
    lines["their disks and snapshots"] = (search.disk + 10 * search.number) * prices.disk
    people = month.users * (habits.searches * 6 * 8_000 + habits.library_views * 60_000)
    exported = habits.exports * month.places * measured.export_bytes
    lines["egress to people"] = _beyond((people + exported) / _GB, 1) * prices.egress
    fetched = from_youtube(month.fetched, measured)
    lines["addresses of the way to YouTube"] = (
        addresses(month, habits) * prices.address + fetched * prices.nat
    )
    lines["sum"] = sum(lines.values())
    lines["a proxy instead of the addresses"] = max(prices.smallest_proxy, fetched * prices.proxy)
    lines["Elastic Cloud instead of the search servers"] = search.memory * prices.elastic_cloud
    return lines


def _beyond(amount: float, free: float) -> float:
    return max(0.0, amount - free)
