"""How fast indexing is: each row beside its limit and its bound, and beside Celery and a plain pipeline.

    ./emulators.sh bench [--videos 1000] [--large 5000] [--no-peer]

It starts local runs of its own, at the end two at a time (5 GB). The fake YouTube takes 0.5 s a request
and 0.1 s for a page of the Data API. Its videos have real length (2,100 words in the median, some of 50,000)
and are made before a clock starts. A limit follows from waiting alone: two requests a video.

Bounds on time are shares of Celery's time in the same run, because two-core machines differ in speed by more
than our bounds leave. The address is trusted, except in the rows that say otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Mapping

import requests
from youtube_transcript_api import YouTubeTranscriptApi

from infra.local.servers.tools import Missing
from infra.pipeline import load_pipeline
from shared import config
from shared.youtube import tls
from shared.youtube.captions import Captions
from shared.youtube.partial_answers import PartialAnswers
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session
from tests.benchmarks import bench_celery, bench_plain, run, starts, usage
from tests.benchmarks.run import PAGE, REQUEST
from tests.benchmarks.table import Table
from tests.stack import Stack
from tests.wire import Heads

#: Requests for a video: ours, and the unmodified library's.
OURS, STOCK = 2, 3
#: Videos of the job whose first one is waited for.
_FIRST = 200
#: Our time as a share of Celery's, by videos at once.
_SHARES = {50: 0.75, 200: 0.9}
#: The same on a quick machine: there Celery takes less than so many seconds a video at 50 at once.
_QUICK_SHARES, _QUICK = {50: 0.6, 200: 0.7}, 0.05
#: The time from a new address, as a share of Celery's, by videos at once; and of that from a trusted address.
_NEW_SHARES, _NEW_AGAINST_TRUSTED = {50: 0.8, 200: 1.0}, 1.1
#: An address that blocks early: requests in so many seconds, and the videos of its job.
_BUDGET, _WINDOW, _BLOCKED = 200, 5.0, 400
#: The components that are not functions.
_SERVERS = ("elasticsearch", "pubsub", "firestore", "youtube", "delivery", "gateway")
#: Videos by which the bytes of ours and of the unmodified library are compared.
_SAMPLE = 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="./emulators.sh bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=int, default=1000, help="of the jobs that are compared (1000)")
    parser.add_argument("--large", type=int, default=5000, help="of the large job; 0: none (5000)")
    parser.add_argument("--no-peer", action="store_true", help="without Celery and the plain pipeline")
    options = parser.parse_args()
    table = Table()
    table.head()
    started = {each.name: starts.seconds(each) for each in load_pipeline(config.load()).functions}
    slowest = max(started, key=lambda name: started[name])
    table.add(f"a function answers after its start ({slowest})", started[slowest], "s", 1.5)
    seconds, new = dict[int, float](), dict[int, float]()
    with run.trusted(50) as stack:
        new[50] = _new_address(stack, table, options.videos, 50)
        seconds[50] = _at_fifty(stack, table, options.videos)
        # Once more, because servers become quicker while they work.
        new[50] = (new[50] + _new_address(stack, table, options.videos, 50, "newer")) / 2
        table.add("from a new address against a trusted one", new[50] / seconds[50], "", _NEW_AGAINST_TRUSTED)
        celery = {} if options.no_peer else _celery(stack, table, options.videos)
        # Last, because the fetcher still gets the messages of a job that it cancels.
        _posts(stack, table)
        _blocked_early(stack, table)
    with run.trusted(200) as stack:
        new[200] = _new_address(stack, table, options.videos, 200)
        seconds[200], large = _at_two_hundred(stack, table, options.videos, options.large)
    shares = _QUICK_SHARES if celery.get(50, 0) / options.videos < _QUICK else _SHARES
    for concurrency, took in celery.items():
        share, bound = seconds[concurrency] / took, shares[concurrency]
        table.add(f"ours against Celery's time, {concurrency} at once", share, "", bound)
        share, bound = new[concurrency] / took, _NEW_SHARES[concurrency]
        table.add(f"ours from a new address against Celery's, {concurrency} at once", share, "", bound)
    if large and 200 in celery:
        pace = large / options.large / (celery[200] / options.videos)
        name = f"ours against Celery's pace, {options.large:,} videos, 200 at once"
        table.add(name, pace, "", shares[200])
    for concurrency in () if options.no_peer else (50, 200):
        with run.trusted(concurrency) as ours, run.trusted(concurrency) as theirs:
            _plain(ours, theirs, table, options.videos, concurrency)
    return 0


def _at_fifty(stack: Stack, table: Table, videos: int) -> float:
    """Seconds until the last video is searchable."""
    playlist, limit = f"PLgen-{videos}-bench", OURS * REQUEST * videos / 50
    run.prepare(stack, playlist)
    done, processor = run.job_and_processor(stack, playlist)
    table.note(f"{videos:,} videos, 50 at once, until the last is searchable", f"{done.seconds:.1f} s", limit)
    in_flight = stack.fake_youtube.stats()["in_flight"]["videos"]["peak"]
    table.add("videos at YouTube at once, at most", in_flight, "", 50, 50)
    table.note("processor a video, 50 at once", f"{_processor(table, processor, videos):.1f} ms")
    _memory(stack, table, f"with {videos:,} videos done")
    _again(stack, table, playlist, videos)
    # Nothing was written for some seconds, as for a user's first job.
    first = run.first_video(stack, f"PLgen-{_FIRST}-first", "first")
    table.add("the first video is searchable", first, "s", 3, PAGE * 3 + OURS * REQUEST)
    _bytes(stack, table, done.job_id)
    return done.seconds


def _at_two_hundred(stack: Stack, table: Table, videos: int, large: int) -> tuple[float, float | None]:
    """Seconds until the last of ``videos`` is searchable, and until the last of ``large`` is."""
    limit = OURS * REQUEST / 200
    playlist = f"PLgen-{videos}-bench"
    run.prepare(stack, playlist)
    done, processor = run.job_and_processor(stack, playlist)
    shown = f"{done.seconds:.1f} s"
    table.note(f"{videos:,} videos, 200 at once, until the last is searchable", shown, limit * videos)
    table.note("processor a video, 200 at once", f"{_processor(table, processor, videos):.1f} ms")
    if not large:
        return done.seconds, None
    _, before = _largest(stack)
    playlist = f"PLgen-{large}-large"
    run.prepare(stack, playlist)
    larger = run.job(stack, playlist, "demo").seconds
    table.note(f"{large:,} videos, 200 at once", f"{larger:.1f} s", limit * large)
    name, after = _largest(stack)
    table.note("largest function, before and after that job", f"{before:.0f}, {after:.0f} MB {name}")
    return done.seconds, larger


def _new_address(stack: Stack, table: Table, videos: int, concurrency: int, name: str = "new") -> float:
    """Seconds that the same number of videos takes from an address that nothing is known about."""
    playlist = f"PLgen-{videos}-{name}"
    run.prepare(stack, playlist)
    run.make_address_new(stack)
    seconds = run.job(stack, playlist, "new").seconds
    shown = f"{videos:,} videos from a new address, {concurrency} at once"
    table.note(shown, f"{seconds:.1f} s", OURS * REQUEST * videos / concurrency)
    return seconds


def _blocked_early(stack: Stack, table: Table) -> None:
    """Wasted requests at a new address that YouTube soon blocks, again and again."""
    playlist = f"PLgen-{_BLOCKED}-blocked"
    run.prepare(stack, playlist)
    run.make_address_new(stack)
    stack.fake_youtube.reset("stats")
    stack.fake_youtube.control("addresses", {"address": "*", "requests": _BUDGET, "window": _WINDOW})
    job_id = stack.index(playlist, "blocked")
    stack.wait_for(lambda: run.requests_of(stack).refused, 60, "YouTube refuses a request", interval=0.05)
    # The pause after the first block takes two seconds. All that was in flight has been answered by then.
    time.sleep(2 * REQUEST)
    first = run.requests_of(stack)
    end = stack.finish(job_id, "blocked", timeout=run.JOB_SECONDS)
    if end["state"] != "done" or end["counts"]["indexed"] != _BLOCKED:
        sys.exit(f"expected the job at a blocked address to be done, found {end}")
    total = run.requests_of(stack)
    stack.fake_youtube.reset("addresses")
    # At most 50 of 250, because 50 are in flight.
    name = f"wasted at the first block, {_BUDGET} requests in {_WINDOW:.0f} s, 50 at once"
    table.add(name, 100 * first.refused / first.sent, "%", 20)
    later = 100 * (total.refused - first.refused) / (total.sent - first.sent)
    table.add("wasted afterwards", later, "%", 5)


def _again(stack: Stack, table: Table, playlist: str, videos: int) -> None:
    """The job of a second user, and that of the first one when nothing has changed."""
    stack.fake_youtube.reset("stats")
    # These jobs are too short to be asked about once a second.
    second = run.job(stack, playlist, "second", interval=0.2)
    table.add(f"a second user, the same {videos:,}", second.seconds, "s", 5)
    table.add("requests to YouTube for that", run.requests_of(stack).sent, "", 0)
    delivered = stack.log("delivery").count('"function": "fetcher"')
    same = run.job(stack, playlist, "demo", interval=0.2)
    limit = PAGE * videos / 50
    table.add(f"nothing changed since the last time, {videos:,}", same.seconds, "s", 3, limit)
    messages = stack.log("delivery").count('"function": "fetcher"') - delivered
    table.add("messages for that", messages, "", 0)


def _bytes(stack: Stack, table: Table, job_id: str) -> None:
    """Bytes of the same videos: as we fetch them, and by the unmodified library."""
    listed = stack.get(f"/api/jobs/{job_id}/videos").json()
    sample = [each["video_id"] for each in listed["videos"][:_SAMPLE]]
    context, youtube = tls.make_context(), stack.fake_youtube.url
    captions = Captions(config.Config())

    def library(video_id: str) -> int:
        # The library makes a session for each video, which knows no key.
        session = Session(youtube, PlayerKey(youtube), tls_context=context)
        session.begin()
        next(iter(YouTubeTranscriptApi(http_client=session).list(video_id))).fetch()
        return session.received

    def received(video_id: str) -> int:
        session.begin()
        captions.fetch(video_id, session)
        return session.received

    session = Session(youtube, PlayerKey(youtube), partial_answers=PartialAnswers(), tls_context=context)
    stock = sum(map(library, sample))
    with_key = sum(map(received, sample))
    kilobytes = (f"{total / len(sample) / 1000:.0f}" for total in (with_key, stock))
    table.note("bytes from YouTube a video, ours and the library's", f"{' / '.join(kilobytes)} KB")
    table.add("ours against the library's", with_key / stock, "", round(1 / 6, 3))
    # The session knows the key now, as all do but the first one.
    stack.fake_youtube.reset("stats")
    heads = Heads(session)
    bodies = sum(map(received, sample))
    beyond = bodies + heads.bytes - stack.fake_youtube.stats()["endpoints"]["timedtext"]["bytes"]
    name = "bytes beyond the captions, requests and heads included"
    table.add(name, beyond / len(sample) / 1000, "KB", 5)


def _posts(stack: Stack, table: Table) -> None:
    """POST /api/index while 50 videos are fetched."""
    run.prepare(stack, "PLgen-3000-busy")
    job_id = stack.index("PLgen-3000-busy", "busy")

    def running() -> bool:
        return bool(stack.fake_youtube.stats()["in_flight"]["videos"]["current"] >= 45)

    stack.wait_for(running, 60, "some fifty videos are fetched")
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


def _celery(stack: Stack, table: Table, videos: int) -> dict[int, float]:
    """Seconds that Celery takes for the same videos, by videos at once."""
    ids, seconds = run.videos_of(f"PLgen-{videos}-bench"), dict[int, float]()
    for concurrency in (50, 200):
        try:
            took, spent = bench_celery.seconds(stack, ids, concurrency)
        except Missing as error:
            table.note("Celery, Redis, gevent", str(error))
            break
        seconds[concurrency] = took
        limit = STOCK * REQUEST * len(ids) / concurrency
        name = f"Celery, Redis and gevent: {videos:,} videos, {concurrency} at once"
        table.note(name, f"{took:.1f} s", limit)
        table.note("  its worker and Redis, processor a video", f"{1000 * spent / len(ids):.1f} ms")
    return seconds


def _plain(ours: Stack, theirs: Stack, table: Table, videos: int, concurrency: int) -> None:
    """The same videos by a pipeline that is written plainly. It does not list them.

    Both work in turn, in changing order, because the speed of a processor changes within minutes.
    """
    total = {"ours": defaultdict[str, float](float), "plain": defaultdict[str, float](float)}
    with bench_plain.peer(theirs, run.videos_of("PLgen-50-plain"), concurrency) as plain:
        for number, turns in enumerate((("ours", "plain"), ("plain", "ours"))):
            playlist = f"PLgen-{videos}-round{number}"
            for stack in (ours, theirs):
                run.prepare(stack, playlist)
            for turn in turns:
                if turn == "ours":
                    _, spent = run.job_and_processor(ours, playlist)
                else:
                    took, spent = plain(playlist, run.videos_of(playlist))
                    table.note(f"written plainly: {videos:,} videos, {concurrency} at once", f"{took:.1f} s")
                for name, seconds in spent.items():
                    total[turn][name] += seconds
    plainly = _processor(table, total["plain"], 2 * videos)
    table.note(f"processor a video, {concurrency} at once, written plainly", f"{plainly:.1f} ms")
    mine = _processor(table, total["ours"], 2 * videos)
    table.note(f"processor a video, {concurrency} at once, in turn with that", f"{mine:.1f} ms")
    table.note(f"ours against the plain one, {concurrency} at once", f"{mine / plainly:.2f}")


def _processor(table: Table, spent: Mapping[str, float], videos: int) -> float:
    """Adds a row for each component. Milliseconds a video of all components together."""
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
