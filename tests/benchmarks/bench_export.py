"""Measures the export of a library: seconds, bytes, the memory of the function, and searches meanwhile.

    python -m tests.benchmarks.bench_export [--videos 5000]

It starts a local run of its own, with generated videos of real length, half of them in each of two playlists.
Each form is exported from one playlist and then from the whole library. The memory of the process must not
grow with the number of videos.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import requests

from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.search.server import SearchServer
from tests.benchmarks import search_corpus
from tests.benchmarks.table import Table
from tests.stack import Stack

_USER = "bench"
#: Seconds in which 5,000 videos are exported, and megabytes that twice the videos may need more.
_SECONDS, _GROWTH = 300, 8
_PHRASE = '"in the middle of"'


class Memory:
    """The most memory of the function `search`, in megabytes, while it is watched."""

    def __init__(self, stack: Stack) -> None:
        pid = stack.components()["search"]["pid"]
        self._family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        self.peak = 0.0

    def now(self) -> float:
        return float(sum(each.memory_full_info().uss for each in self._family) / 1e6)

    @contextmanager
    def watched(self) -> Iterator[None]:
        self.peak = self.now()
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.05):
                self.peak = max(self.peak, self.now())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=int, default=5000)
    number = parser.parse_args().videos
    stack = Stack(FAILPOINTS_DIR="")
    try:
        stack.start()
        _fill(stack, number)
        _measure(stack, number)
    finally:
        stack.stop()


def _fill(stack: Stack, number: int) -> None:
    os.environ["FIRESTORE_EMULATOR_HOST"] = stack.firestore
    config = Config(
        elasticsearch_url=stack.elasticsearch,
        google_cloud_project="yts-local",
        firestore_emulator_host=stack.firestore,
    )
    db = Firestore(config)
    search_corpus.index(SearchServer(config), db, search_corpus.videos(number), _USER)
    db.close()


def _measure(stack: Stack, number: int) -> None:
    memory, table = Memory(stack), Table()
    table.head()
    table.note("memory of the function, idle", f"{memory.now():.0f} MB")
    for form in ("markdown", "srt", "jsonl"):
        peaks = []
        for playlist, videos in (("PLbench1", number // 2), ("", number)):
            with memory.watched():
                begun = time.monotonic()
                size = _export(stack, form, playlist)
                took = time.monotonic() - begun
            peaks.append(memory.peak)
            name = f"{form}, {videos:,} videos"
            table.add(name, took, "s", _SECONDS * videos / 5000)
            table.note("… bytes", f"{size / 1e6:.0f} MB")
            table.note("… most memory of the function", f"{memory.peak:.0f} MB")
        table.add("… more memory for twice the videos", peaks[1] - peaks[0], "MB", _GROWTH)
    # Just before, because other programs of the machine count as much.
    alone = statistics.median(_searches(stack, 40))
    thread = threading.Thread(target=_export, args=(stack, "markdown", ""))
    thread.start()
    meanwhile = []
    while thread.is_alive():
        meanwhile += _searches(stack, 1)
    table.note("a search, median, alone", f"{alone:.0f} ms")
    table.note("… while an export runs", f"{statistics.median(meanwhile):.0f} ms")


def _export(stack: Stack, form: str, playlist: str) -> int:
    """The bytes of a whole export, of a playlist or of the library."""
    asked = {"format": form, **({"playlist": playlist} if playlist else {})}
    headers = {"Authorization": f"Bearer {stack.token(_USER)}"}
    size = 0
    url = f"{stack.url}/api/export"
    with requests.get(url, params=asked, headers=headers, stream=True, timeout=120) as answer:
        answer.raise_for_status()
        for piece in answer.iter_content(65_536):
            size += len(piece)
    return size


def _searches(stack: Stack, number: int) -> list[float]:
    """Milliseconds of each search."""
    times = []
    for _ in range(number):
        begun = time.perf_counter()
        stack.search(_PHRASE, _USER)
        times.append(1000 * (time.perf_counter() - begun))
    return times


if __name__ == "__main__":
    main()
