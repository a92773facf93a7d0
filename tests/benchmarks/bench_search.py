"""Measures how well and how fast phrases are found, compared to a nested document per caption line.

    python -m tests.benchmarks.bench_search [--videos 2000] [--phrases 500]

It starts a whole local run of its own. Our design is measured at the HTTP function: `GET /api/search` with
authentication, library, facets and moments. The other design is measured at Elasticsearch, without any of
these. Both search each phrase in turn, so that other load of the machine slows both.

The transcripts are generated and have real lengths. The phrases are 4 to 6 words of them, and half of the
phrases continue on the next caption line. Found: the video is among the first ten hits. Right: a moment
begins in the second of the line in which the phrase begins.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from elasticsearch import Elasticsearch

from shared.config import Config
from shared.gcp.firestore import Firestore
from shared.search.server import SearchServer
from tests.benchmarks import search_corpus
from tests.benchmarks.search_corpus import Asked
from tests.stack import Stack

_USER = "bench"
_COMMON = ("people", "you know", "the time", "time", "think about", "and there")
_TYPED = ("th", "peo", "you k", "the ti", "thi", "harbour", "ti", "and th")
#: The bounds of 95th percentiles. Those of searches are multiples of the peer's phrases, and that of
#: suggestions is in milliseconds.
_PHRASE_LIMIT, _COMMON_LIMIT, _SUGGEST_LIMIT = 1, 2, 50
#: Seconds of each of a video's two requests to YouTube while searches and fetches are measured together.
_LATENCY = 1.0

#: A search: phrase → video id → seconds of its moments.
Design = Callable[[str], dict[str, set[int]]]


@dataclass(slots=True)
class Score:
    asked: int = 0
    found: int = 0
    right: int = 0

    def line(self) -> str:
        found, right = (100 * number / self.asked for number in (self.found, self.right))
        return f"found {found:5.1f} %, right second {right:5.1f} %"


@dataclass(slots=True)
class Measured:
    """The measurements of a design. ``times``: milliseconds. ``scores``: by :attr:`Asked.crosses`."""

    design: Design
    times: list[float] = field(default_factory=list)
    scores: dict[bool, Score] = field(default_factory=lambda: {False: Score(), True: Score()})

    def ask(self, each: Asked) -> None:
        begun = time.perf_counter()
        answer = self.design(each.text)
        self.times.append((time.perf_counter() - begun) * 1000)
        score = self.scores[each.crosses]
        score.asked += 1
        score.found += each.video_id in answer
        score.right += each.second in answer.get(each.video_id, set())


class Function:
    """The running function `search`, called like the gateway calls it."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"http://127.0.0.1:{stack.components()['search']['port']}"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {stack.token(_USER)}"

    def get(self, path: str, q: str) -> dict[str, Any]:
        answer = self._session.get(self._url + path, params={"q": q}, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def phrase(self, text: str) -> dict[str, set[int]]:
        hits = self.get("/api/search", f'"{text}"')["hits"]
        return {hit["video_id"]: {int(moment["start"]) for moment in hit["moments"]} for hit in hits}

    def times(self, path: str, queries: Sequence[str]) -> list[float]:
        """Milliseconds of each query. The first five are sent twice, to warm up."""
        times = []
        for number, q in enumerate([*queries[:5], *queries]):
            begun = time.perf_counter()
            self.get(path, q)
            if number >= 5:
                times.append((time.perf_counter() - begun) * 1000)
        return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=2000)
    parser.add_argument("--phrases", type=int, default=500)
    options = parser.parse_args()
    stack = Stack()
    try:
        stack.start()
        _run(stack, options.videos, options.phrases)
    finally:
        stack.stop()


def _run(stack: Stack, videos: int, phrases: int) -> None:
    config = Config(elasticsearch_url=stack.elasticsearch, firestore_emulator_host=stack.firestore)
    # Google's client reads the address of the emulator from the environment only.
    os.environ["FIRESTORE_EMULATOR_HOST"] = stack.firestore
    server = SearchServer(config)
    found = search_corpus.videos(videos)
    words = [sum(len(line.text.split()) for line in each.lines) for each in found]
    print(
        f"{len(found):,} videos, {sum(words):,} words,"
        f" median {statistics.median(words):,.0f}, most {max(words):,}"
    )
    search_corpus.index(server, Firestore(config), found, _USER)
    search_corpus.index_nested(server.client, found)
    rng = random.Random(4)
    asked = [search_corpus.phrase(rng, rng.choice(found), bool(number % 2)) for number in range(phrases)]
    function = Function(stack)
    designs = {
        "whole text": Measured(function.phrase),
        "nested lines": Measured(partial(_nested, server.client)),
    }
    for each in asked[:20]:
        for measured in designs.values():
            measured.design(each.text)
    for each in asked:
        for measured in designs.values():
            measured.ask(each)
    for name, measured in designs.items():
        crossing, within = measured.scores[True], measured.scores[False]
        print(
            f"{name:12}  in one line: {within.line()}   crossing: {crossing.line()}"
            f"   {_quantiles(measured.times)}"
        )
    ours, peers = (_p95(measured.times) for measured in designs.values())
    print(f"phrases: p95 is {ours / peers:.2f} of the peer's (limit {_PHRASE_LIMIT})")
    two = [" ".join(each.text.split()[:2]) for each in asked[:100]]
    for name, queries in (("common words", _COMMON * 20), ("the first two words of phrases", two)):
        times = function.times("/api/search", queries)
        print(
            f"{name}, highlights and facets: {_quantiles(times)},"
            f" p95 is {_p95(times) / peers:.2f} of the peer's phrases (limit {_COMMON_LIMIT})"
        )
    times = function.times("/api/suggest", _TYPED * 15)
    print(f"suggestions: {_quantiles(times)}, p95 is {_p95(times) / _SUGGEST_LIMIT:.2f} of the limit")
    _beside_fetches(stack, function, [f'"{each.text}"' for each in asked[:100]])


def _beside_fetches(stack: Stack, function: Function, queries: Sequence[str]) -> None:
    """The same searches while nothing else runs, and while videos are fetched and indexed."""
    stack.finish(stack.index("PLgen-400-trusted-short", "fetching"), "fetching", timeout=600)
    quiet = function.times("/api/search", queries)
    stack.fake_youtube.latency(player=_LATENCY, timedtext=_LATENCY)
    begun = time.monotonic()
    job_id = stack.index("PLgen-3000-beside", "fetching")

    def settled() -> int:
        counts = stack.job(job_id, "fetching")["counts"]
        return sum(number for state, number in counts.items() if state != "pending")

    stack.wait_for(lambda: settled() > 50, 120, "fetching is under way")
    before, begun = settled(), time.monotonic()
    busy = function.times("/api/search", queries)
    rate = (settled() - before) / (time.monotonic() - begun)
    job = stack.job(job_id, "fetching")
    stack.post(f"/api/jobs/{job_id}/cancel", "fetching")
    print(
        f"beside fetches ({rate:.0f} videos/s, so {rate * 2 * _LATENCY:.0f} or more waiting for YouTube at a"
        f" time; the job was {job['state']}): quiet {_quantiles(quiet)}; busy {_quantiles(busy)};"
        f" ratio p50 {statistics.median(busy) / statistics.median(quiet):.2f},"
        f" p95 {_p95(busy) / _p95(quiet):.2f} (limit 2)"
    )


def _nested(client: Elasticsearch, phrase: str) -> dict[str, set[int]]:
    """Nested lines with inner hits, and the full text, which finds phrases over two lines."""
    inner = {"size": 5, "highlight": {"fields": {"lines.text": {}}}}
    lines = {
        "nested": {
            "path": "lines",
            "query": {"match_phrase": {"lines.text": phrase}},
            "inner_hits": inner,
            "score_mode": "max",
        }
    }
    answer = client.search(
        index=search_corpus.NESTED,
        query={"bool": {"should": [lines, {"match_phrase": {"full": phrase}}]}},
        highlight={"fields": {"full": {}}},
        source=False,
        size=10,
    )
    return {
        hit["_id"]: {int(line["_source"]["start"]) for line in hit["inner_hits"]["lines"]["hits"]["hits"]}
        for hit in answer["hits"]["hits"]
    }


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.95) - 1]


def _quantiles(times: Sequence[float]) -> str:
    return f"p50 {statistics.median(times):.0f} ms, p95 {_p95(times):.0f} ms"


if __name__ == "__main__":
    main()
