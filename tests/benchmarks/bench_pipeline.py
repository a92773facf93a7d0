"""How fast and how cheap indexing is: every row against its limit, Celery and a plain build in the same run.

    ./emulators.sh bench [--videos 1000] [--large 5000] [--no-peer]

Local runs of its own, at the end two side by side (5 GB). The stand-in YouTube takes 0.5 s a request, 0.1 s
for a page of the Data API, and has videos of real length (2,100 words in the median, some of 50,000), made
before a clock starts. A limit follows from waiting alone: two requests a video.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from youtube_transcript_api import YouTubeTranscriptApi

from infra.local.servers.tools import Missing
from infra.local.standin import generate
from infra.pipeline import load_pipeline
from shared import config
from shared.egress import Session, player_key
from shared.partial_answers import PartialAnswers
from tests.benchmarks import bench_celery, bench_plain, starts, usage
from tests.benchmarks.table import Table
from tests.stack import Stack

#: Seconds of a request to YouTube, and of a page of the Data API.
REQUEST, PAGE = 0.5, 0.1
_LATENCIES = {"watch": REQUEST, "player": REQUEST, "timedtext": REQUEST, "data_api": PAGE}
#: Requests a video, ours and the unmodified library's.
OURS, STOCK = 2, 3
_JOB_SECONDS = 900
#: Videos of a job that are left when its end is near.
_LAST = 50
#: Videos of the job whose first one is waited for.
_FIRST = 200
#: Videos after which an address is trusted to bear what there is.
_TRUSTED = 400
#: Of Celery's time, to reach: 24 of 39.2 s, 14 of 19.7 s, and 70 of five times that, which is what it took on
#: the machine that the goals are from. How quick machines are differs by more than the goals leave.
_SHARES = {50: 0.61, 200: 0.71}
#: Milliseconds a video of all processes: half of the 35 that a plain build was reckoned to take.
_PROCESSOR = 17.5
#: What is not a function.
_SERVERS = ("elasticsearch", "pubsub", "firestore", "youtube", "delivery", "gateway")
#: Videos that the unmodified library fetches to see what it costs.
_SAMPLE = 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="./emulators.sh bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=int, default=1000, help="of the jobs that are compared (1000)")
    parser.add_argument("--large", type=int, default=5000, help="of the large job; 0: none (5000)")
    parser.add_argument("--no-peer", action="store_true", help="without Celery and the plain build")
    options = parser.parse_args()
    table = Table()
    table.head()
    started = {each.name: starts.seconds(each) for each in load_pipeline(config.load()).functions}
    slowest = max(started, key=lambda name: started[name])
    table.add(f"a function answers after its start ({slowest})", started[slowest], "s", 1.5)
    with _run(50) as stack:
        seconds = {50: _at_fifty(stack, table, options.videos)}
        celery = {} if options.no_peer else _peer(stack, table, options.videos)
    with _run(200) as stack:
        seconds[200], larger = _at_two_hundred(stack, table, options.videos, options.large)
    for concurrency, took in celery.items():
        share, goal = seconds[concurrency] / took, _SHARES[concurrency]
        table.add(f"ours against Celery's time, {concurrency} at once", share, "", goal)
        if larger and concurrency == 200:
            share = larger / took * options.videos / options.large
            table.add(f"ours against Celery's pace, {options.large:,} videos, 200 at once", share, "", goal)
    for concurrency in () if options.no_peer else (50, 200):
        with _run(concurrency) as ours, _run(concurrency) as theirs:
            _plain(ours, theirs, table, options.videos, concurrency)
    return 0


@contextmanager
def _run(concurrency: int) -> Iterator[Stack]:
    """A run whose processes have done their work once, and whose address has earned YouTube's trust.

    What is measured is neither their start nor how carefully a new address begins (docs/decisions/blocks.md).
    """
    # Without failpoints: looking for one at each boundary is a test's cost.
    stack = Stack(FETCH_CONCURRENCY=str(concurrency), FAILPOINTS_DIR="")
    try:
        stack.start()
        stack.finish(stack.index(f"PLgen-{_TRUSTED}-warm-short", "warm"), "warm", timeout=_JOB_SECONDS)
        stack.standin.latency(**_LATENCIES)
        stack.finish(stack.index(f"PLgen-{2 * concurrency}-warmer", "warm"), "warm", timeout=_JOB_SECONDS)
        stack.search("the first one asked", "warm")
        yield stack
    finally:
        stack.stop()


def _at_fifty(stack: Stack, table: Table, videos: int) -> float:
    """Seconds until the last of ``videos`` is searchable."""
    playlist, limit = f"PLgen-{videos}-bench", OURS * REQUEST * videos / 50
    _prepare(stack, playlist)
    (took, job), spent = _spent(stack, playlist)
    table.add(f"{videos:,} videos, 50 at once, until the last is searchable", took, "s", 1.2 * limit, limit)
    in_flight = stack.standin.stats()["in_flight"]["videos"]["peak"]
    table.add("videos at YouTube at once, at most", in_flight, "", 50, 50)
    table.add("processor a video, 50 at once", _costs(table, spent, videos), "ms", _PROCESSOR)
    _memory(stack, table, f"with {videos:,} videos done")
    _again(stack, table, playlist, videos)
    # After some seconds in which nothing was written, as for who begins.
    table.add("the first video is searchable", _first(stack), "s", 3, PAGE * 3 + OURS * REQUEST)
    _bytes(stack, table, job["job_id"])
    _posts(stack, table)
    return took


def _at_two_hundred(stack: Stack, table: Table, videos: int, large: int) -> tuple[float, float | None]:
    """Seconds until the last of ``videos`` is searchable, and the last of ``large``."""
    limit = OURS * REQUEST * videos / 200
    _prepare(stack, f"PLgen-{videos}-bench")
    (took, _), spent = _spent(stack, f"PLgen-{videos}-bench")
    table.add(f"{videos:,} videos, 200 at once, until the last is searchable", took, "s", 2.8 * limit, limit)
    table.add("processor a video, 200 at once", _costs(table, spent, videos), "ms", _PROCESSOR)
    small, larger = _largest(stack), None
    if large:
        limit = OURS * REQUEST * large / 200
        _prepare(stack, f"PLgen-{large}-large")
        larger, _ = _job(stack, f"PLgen-{large}-large", "demo")
        table.add(f"{large:,} videos, 200 at once", larger, "s", 2.8 * limit, limit)
        name, megabytes = _largest(stack)
        sizes = f"{megabytes:.0f} / {small[1]:.0f} MB {name}"
        table.note("largest function, after that job and before", sizes)
    return took, larger


def _prepare(stack: Stack, playlist: str) -> None:
    """Has made what is said in its videos.

    Making it is no work of ours. Celery, which gets the same videos later, finds it made, too.
    """
    stack.standin.prepare(_videos(playlist))


def _videos(playlist: str) -> Sequence[str]:
    listed = generate.playlist(playlist)
    assert listed is not None, playlist
    return listed.video_ids


def _job(stack: Stack, playlist: str, user: str, interval: float = 1) -> tuple[float, dict[str, Any]]:
    """Seconds from the POST to the last video searchable; the job. ``interval``: until its end is near."""
    stack.token(user)
    begun = time.monotonic()
    job_id = stack.index(playlist, user)
    job: dict[str, Any] = {}

    def over() -> bool:
        job.update(stack.job(job_id, user))
        return job["state"] in ("done", "failed", "cancelled")

    def nearly() -> bool:
        return over() or (job["total"] is not None and job["counts"]["indexed"] >= job["total"] - _LAST)

    # Asking is work too: a page does it once a second. The end is looked for more closely.
    stack.wait_for(nearly, _JOB_SECONDS, lambda: f"the job comes near its end; it is {job}", interval)
    stack.wait_for(over, _JOB_SECONDS, lambda: f"the job ends; it is {job}", interval=0.2)
    took = time.monotonic() - begun
    searchable = stack.search("", user, playlist=playlist, limit=1)["total"]
    if job["state"] != "done" or searchable != job["total"]:
        sys.exit(f"expected all to be searchable, found {searchable} of {job}")
    return took, job


def _spent(stack: Stack, playlist: str) -> tuple[tuple[float, dict[str, Any]], dict[str, float]]:
    """As :func:`_job`, and the processor seconds of each component."""
    return usage.spent(partial(usage.pids, stack), partial(_job, stack, playlist, "demo"))


def _first(stack: Stack) -> float:
    """Seconds from the POST to the first video searchable. By a job of its own: looking is work, too."""
    playlist, user = f"PLgen-{_FIRST}-first", "first"
    _prepare(stack, playlist)
    stack.token(user)
    begun = time.monotonic()
    job_id = stack.index(playlist, user)
    stack.wait_for(
        lambda: stack.search("", user, playlist=playlist, limit=1)["total"],
        60,
        lambda: f"a video is found; the job is {stack.job(job_id, user)}",
    )
    took = time.monotonic() - begun
    job = stack.finish(job_id, user)
    if job["state"] != "done":
        sys.exit(f"expected the job of the first video to be done, found {job}")
    return took


def _again(stack: Stack, table: Table, playlist: str, videos: int) -> None:
    """A second user, and the first one when nothing has changed."""
    stack.standin.reset("stats")
    # Three seconds are too short to be looked at once a second.
    took, _ = _job(stack, playlist, "second", interval=0.2)
    table.add(f"a second user, the same {videos:,}", took, "s", 5)
    endpoints = stack.standin.stats()["endpoints"]
    asked = sum(endpoints[name]["requests"] for name in ("watch", "player", "timedtext"))
    table.add("requests to YouTube for that", asked, "", 0)
    delivered = stack.log("delivery").count('"function": "fetcher"')
    took, _ = _job(stack, playlist, "demo", interval=0.2)
    table.add(f"nothing changed since the last time, {videos:,}", took, "s", 3, PAGE * videos / 50)
    messages = stack.log("delivery").count('"function": "fetcher"') - delivered
    table.add("messages for that", messages, "", 0)


def _bytes(stack: Stack, table: Table, job_id: str) -> None:
    """The same videos by the unmodified library, and with the key kept and partial answers of the player."""
    playlist = stack.get(f"/api/jobs/{job_id}/videos").json()
    sample = [each["video_id"] for each in playlist["videos"][:_SAMPLE]]

    def received(*, stock: bool) -> float:
        total, session = 0, Session(stack.standin.url, None if stock else PartialAnswers())
        for video_id in sample:
            if stock:
                player_key.forget()
            session.begin()
            next(iter(YouTubeTranscriptApi(http_client=session).list(video_id))).fetch()
            total += session.received
        return total / len(sample) / 1000

    stock, ours = received(stock=True), received(stock=False)
    table.note("bytes from YouTube a video, ours and the library's", f"{ours:.0f} / {stock:.0f} KB")
    table.add("ours against the library's", ours / stock, "", round(1 / 6, 3))


def _posts(stack: Stack, table: Table) -> None:
    """POST /api/index while 50 fetches run."""
    _prepare(stack, "PLgen-3000-busy")
    job_id = stack.index("PLgen-3000-busy", "busy")

    def running() -> bool:
        return bool(stack.standin.stats()["in_flight"]["videos"]["current"] >= 45)

    stack.wait_for(running, 60, "some fifty fetches run")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {stack.token('posting')}"
    times = []
    for number in range(40):
        begun = time.perf_counter()
        body = {"playlist": f"PLgen-1-post{number}-short"}
        answer = session.post(f"{stack.url}/api/index", json=body, timeout=30)
        times.append(1000 * (time.perf_counter() - begun))
        if answer.status_code not in (202, 429):
            sys.exit(f"expected 202, found {answer.status_code}: {answer.text}")
    stack.post(f"/api/jobs/{job_id}/cancel", "busy")
    table.note("POST answered while 50 fetches run, median", f"{statistics.median(times):.0f} ms")
    table.add("POST answered while 50 fetches run, p95", sorted(times)[int(len(times) * 0.95) - 1], "ms", 100)


def _peer(stack: Stack, table: Table, videos: int) -> dict[int, float]:
    """The same videos by the unmodified library in Celery's green threads: seconds, by how many at once."""
    ids, seconds = _videos(f"PLgen-{videos}-bench"), dict[int, float]()
    for concurrency in (50, 200):
        try:
            took, spent = bench_celery.seconds(stack, ids, concurrency)
        except Missing as error:
            table.note("Celery, Redis, gevent", str(error))
            break
        seconds[concurrency] = took
        limit = STOCK * REQUEST * len(ids) / concurrency
        table.note(f"Celery, Redis and gevent: {videos:,} videos, {concurrency} at once", f"{took:.1f} s")
        table.note("  limit of the library's three requests", f"{limit:g} s")
        table.note("  its worker and Redis, processor a video", f"{1000 * spent / len(ids):.1f} ms")
    return seconds


def _plain(ours: Stack, theirs: Stack, table: Table, videos: int, concurrency: int) -> None:
    """The same videos by the same pipeline, written plainly; listing them is not counted there.

    In turn, and each round the other way round: how quick a processor is changes within minutes, too.
    """
    total = {"ours": defaultdict[str, float](float), "plain": defaultdict[str, float](float)}
    with bench_plain.peer(theirs, _videos("PLgen-50-plain"), concurrency) as plain:
        for number, turn in enumerate((("ours", "plain"), ("plain", "ours"))):
            playlist = f"PLgen-{videos}-round{number}"
            for stack in (ours, theirs):
                _prepare(stack, playlist)
            for whose in turn:
                if whose == "ours":
                    _, spent = _spent(ours, playlist)
                else:
                    took, spent = plain(playlist, _videos(playlist))
                    table.note(f"written plainly: {videos:,} videos, {concurrency} at once", f"{took:.1f} s")
                for name, seconds in spent.items():
                    total[whose][name] += seconds
    plainly = _costs(table, total["plain"], 2 * videos)
    table.note(f"processor a video, {concurrency} at once, written plainly", f"{plainly:.1f} ms")
    mine = _costs(table, total["ours"], 2 * videos)
    table.add(f"processor a video, {concurrency} at once, in turn with that", mine, "ms", _PROCESSOR)
    table.add(f"ours against the plain one, {concurrency} at once", mine / plainly, "", 0.5)


def _costs(table: Table, spent: Mapping[str, float], videos: int) -> float:
    """A row for each component; milliseconds a video, all together."""
    for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1]):
        if 1000 * seconds / videos >= 0.1:
            table.note(f"  processor a video: {name}", f"{1000 * seconds / videos:.1f} ms")
    return 1000 * sum(spent.values()) / videos


def _memory(stack: Stack, table: Table, when: str) -> None:
    total = sum(usage.megabytes(stack).values())
    table.add(f"memory of the whole run, {when}", total, "MB", 2500)
    name, megabytes = _largest(stack)
    table.add(f"memory of the largest function ({name})", megabytes, "MB", 150)


def _largest(stack: Stack) -> tuple[str, float]:
    """The function that takes most memory, in MB."""
    sizes = usage.megabytes(stack)
    return max(((name, sizes[name]) for name in sizes if name not in _SERVERS), key=lambda pair: pair[1])


if __name__ == "__main__":
    sys.exit(main())
