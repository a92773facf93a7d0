"""Measures a library of 20,000 videos on one machine: memory, saves, the library page, a start of the run.

    python -m tests.benchmarks.bench_large [--playlists 4] [--videos 5000] [--state DIR] [--embedder off]

It starts a local run of its own and indexes generated playlists of real lengths, from a YouTube that answers
at once. Each row has a bound that a person would accept. With ``--state`` the library stays in that
directory, and the next call measures it without indexing it again.

While a video waits for the embedder, a processor is busy with that. So search by meaning is off, unless
``--embedder use`` is given; then the measurements wait until everything is embedded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from infra.local.persistence import Exports
from infra.local.servers.heap import most_used_mb
from infra.local.state_dir import StateDir
from tests.benchmarks import usage
from tests.benchmarks.table import Table
from tests.stack import Stack

_USER = "bench"
#: Seconds that a person waits for a start, a stop, and a save; megabytes of everything together.
_START, _STOP, _SAVE, _MEMORY = 60, 30, 30, 4096
#: Milliseconds of what a page asks for, and of a request while the library is saved.
_PAGE, _STALLED = 300, 1000
#: Seconds until all playlists have been looked at again, for each 1,000 videos.
_AGAIN = 3
#: Seconds in which 5,000 videos are exported as JSON Lines.
_EXPORT = 300
_JOB_SECONDS = 7200
_EMBEDDING_SECONDS = 14_400
#: What the library page asks for, all at once.
_LIBRARY = ("/api/me", "/api/playlists", "/api/jobs", "/api/searches")
_WORDS = ("time", "harbour", "the time", '"in the middle of"', "people", "think about", "morning", "quiet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--playlists", type=int, default=4)
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--state", type=Path, help="keep the library in this directory")
    parser.add_argument("--embedder", default="off")
    options = parser.parse_args()
    playlists = [f"PLgen-{options.videos}-large{number}" for number in range(options.playlists)]
    stack = Stack(options.state, EMBEDDER=options.embedder, FAILPOINTS_DIR="", FETCH_CONCURRENCY="200")
    table = Table()
    try:
        stack.start()
        table.head()
        _fill(stack, table, playlists)
        _measure(stack, table, playlists)
    finally:
        stack.down()
        if options.state is None:
            shutil.rmtree(stack.state.root, ignore_errors=True)


def _fill(stack: Stack, table: Table, playlists: Sequence[str]) -> None:
    """Indexes what is not in the library yet."""
    begun = time.monotonic()
    known = {each["playlist_id"] for each in _get(stack, "/api/playlists")["playlists"] if each["indexed"]}
    missing = [each for each in playlists if each not in known]
    with _peak(stack) as peak:
        for playlist in missing:
            _done(stack, [stack.index(playlist, _USER)])
            table.note(f"{playlist} is indexed, after", f"{time.monotonic() - begun:.0f} s")
    if missing:
        for query in _WORDS[:2]:
            stack.post("/api/searches", _USER, json={"title": query, "query": f"q={query}"})
        table.note("memory of the whole run while it indexes", f"{max(peak):.0f} MB")
    stack.wait_for(
        lambda: _get(stack, "/api/health")["by_meaning"] in ("off", "ok"),
        _EMBEDDING_SECONDS,
        "all is embedded",
    )


def _measure(stack: Stack, table: Table, playlists: Sequence[str]) -> None:
    _memory(stack, table, "after indexing or loading")
    _restart(stack, table)
    _memory(stack, table, "after a start")
    _pages(stack, table, playlists)
    _saves(stack, table)
    begun = time.monotonic()
    _done(stack, [stack.index(playlist, _USER) for playlist in playlists])
    videos = sum(each["video_count"] for each in _get(stack, "/api/playlists")["playlists"])
    table.add("all indexed again, nothing has changed", time.monotonic() - begun, "s", _AGAIN * videos / 1000)
    _export(stack, table, playlists[0])
    _memory(stack, table, "at the end")


def _restart(stack: Stack, table: Table) -> None:
    begun = time.monotonic()
    stack.down()
    table.add("stop", time.monotonic() - begun, "s", _STOP)
    begun = time.monotonic()
    printed = stack.start()
    table.add("start", time.monotonic() - begun, "s", _START)
    # Other programs of the machine make a start longer, but its processor time only a little.
    spent = {name: usage.seconds(pid) for name, pid in usage.pids(stack).items()}
    slowest = sorted(spent, key=lambda each: -spent[each])[:3]
    parts = ", ".join(f"{name} {spent[name]:.0f}" for name in slowest)
    table.note("… processor time", f"{sum(spent.values()):.0f} s")
    print(f"{parts} s; load of the machine {os.getloadavg()[0]:.0f}\n{printed}")


def _memory(stack: Stack, table: Table, when: str) -> None:
    parts, mapped = usage.megabytes(stack), usage.mapped_megabytes(stack)
    parts["elasticsearch"] -= mapped["elasticsearch"]
    table.add(f"memory of the whole run, {when}", sum(parts.values()), "MB", _MEMORY)
    table.note("… besides: files of the search index", f"{mapped['elasticsearch']:.0f} MB")
    functions = 0.0
    for name, megabytes in sorted(parts.items(), key=lambda each: -each[1]):
        if megabytes > 100:
            table.note(f"… {name}", f"{megabytes:.0f} MB")
        else:
            functions += megabytes
    table.note("… all others", f"{functions:.0f} MB")
    table.note(
        "… the most that its documents took, saving included", f"{most_used_mb(stack.state.gc_log)} MB"
    )


def _pages(stack: Stack, table: Table, playlists: Sequence[str]) -> None:
    """What the page asks for when it shows the library, a search, a playlist, and a job."""
    for path in _LIBRARY:
        _row(table, f"GET {path}", _times(lambda path=path: _get(stack, path)))  # type: ignore[misc]
    with ThreadPoolExecutor(len(_LIBRARY)) as pool:
        library = _times(lambda: list(pool.map(lambda path: _get(stack, path), _LIBRARY)))
    _row(table, "the library page: all of them at once", library)
    words = iter(_WORDS * 5)
    _row(table, "a search with its facets", _times(lambda: stack.search(next(words), _USER), 40))
    _row(table, "the whole library, newest first", _times(lambda: stack.search("", _USER, sort="newest")))
    in_order = {"playlist": playlists[0], "sort": "playlist"}
    _row(table, "a playlist in its order", _times(lambda: stack.search("", _USER, **in_order)))
    job = next(each["job_id"] for each in _get(stack, "/api/jobs")["jobs"])
    _row(table, "a job", _times(lambda: _get(stack, f"/api/jobs/{job}")))
    _row(table, "… its videos, each page", list(_job_pages(stack, job)))
    _row(table, "… its failed videos", _times(lambda: _get(stack, f"/api/jobs/{job}/videos?state=failed")))


def _job_pages(stack: Stack, job: str) -> Iterator[float]:
    """Milliseconds of each page of a job's videos, to the last one."""
    cursor: str | None = ""
    while cursor is not None:
        begun = time.perf_counter()
        cursor = _get(stack, f"/api/jobs/{job}/videos", cursor=cursor)["cursor"]
        yield 1000 * (time.perf_counter() - begun)


def _saves(stack: Stack, table: Table) -> None:
    """Saves the emulator's documents beside the saves of the run, while requests go on."""
    beside = StateDir(stack.state.root / "beside")
    beside.data.mkdir(parents=True, exist_ok=True)
    exports = Exports(beside, "yts-local", stack.firestore)
    quiet = _times(lambda: _get(stack, "/api/playlists"))
    took: list[float] = []

    def save() -> None:
        begun = time.monotonic()
        asyncio.run(exports.save())
        took.append(time.monotonic() - begun)

    saving, during = threading.Thread(target=save), list[float]()
    saving.start()
    while saving.is_alive():
        during += _times(lambda: _get(stack, "/api/playlists"), 1)
    latest = exports.latest()
    assert latest is not None, "a save that raised nothing is whole"
    size = sum(path.stat().st_size for path in latest.parent.rglob("*") if path.is_file())
    shutil.rmtree(beside.root)
    table.add("a save of the documents", took[0], "s", _SAVE)
    table.note("… bytes", f"{size / 1e6:.0f} MB")
    table.note("… GET /api/playlists before it, median", f"{statistics.median(quiet):.0f} ms")
    table.note("… meanwhile, median", f"{statistics.median(during):.0f} ms")
    table.add("… meanwhile, the longest", max(during), "ms", _STALLED)


def _export(stack: Stack, table: Table, playlist: str) -> None:
    headers = {"Authorization": f"Bearer {stack.token(_USER)}"}
    asked, begun, lines = {"format": "jsonl", "playlist": playlist}, time.monotonic(), 0
    with requests.get(
        f"{stack.url}/api/export", params=asked, headers=headers, stream=True, timeout=120
    ) as answer:
        answer.raise_for_status()
        lines = sum(piece.count(b"\n") for piece in answer.iter_content(65_536))
    table.add(f"export of one playlist, {lines:,} videos", time.monotonic() - begun, "s", _EXPORT)


def _done(stack: Stack, jobs: Sequence[str]) -> None:
    for job in jobs:
        end = stack.finish(job, _USER, timeout=_JOB_SECONDS)
        if end["state"] != "done" or end["counts"]["failed"]:
            raise SystemExit(f"expected a job that is done, found {end}\n{stack.troubles()}")


@contextmanager
def _peak(stack: Stack) -> Iterator[list[float]]:
    """The memory of the run, every ten seconds."""
    found, ended = [sum(usage.megabytes(stack).values())], threading.Event()

    def watch() -> None:
        while not ended.wait(10):
            found.append(sum(usage.megabytes(stack).values()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _get(stack: Stack, path: str, **parameters: str) -> dict[str, Any]:
    answer = stack.get(path, _USER, params=parameters, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def _times(work: Callable[[], object], number: int = 20) -> list[float]:
    """Milliseconds of each call."""
    times = []
    for _ in range(number):
        begun = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begun))
    return times


def _row(table: Table, work: str, times: Sequence[float]) -> None:
    """The first one is slower: processes and caches are cold after a start. It counts for the maximum."""
    ordered = sorted(times[1:] or times)
    p95 = ordered[max(round(len(ordered) * 0.95) - 1, 0)]
    table.add(f"{work}: p95", p95, "ms", _PAGE)
    table.note("… the first, the median", f"{times[0]:.0f}, {statistics.median(times):.0f} ms")


if __name__ == "__main__":
    main()
