"""Random faults of all kinds at once: whatever happens, jobs end with exact counts.

Each seed is one job of 120 videos. The seed decides what is done to it; when that happens depends on the
machine. The suite has five seeds; ``--fault-seeds 50`` runs more, and ``--fault-seeds 7:8`` runs one of them.
The jobs overlap on one stack.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.faults.arming import Failpoints
from tests.faults.test_boundaries import EXPECTED
from tests.invariants import asked, check, ids_of, ledger, of_one_asking
from tests.stack import Stack

#: Videos at YouTube at the same time (FETCH_CONCURRENCY). A fetcher that dies has asked for so many in vain.
_AT_YOUTUBE = 50
_KILLED = ("planner", "fetcher", "indexer")
#: Errors of YouTube that concern one video and pass. Those that concern an address are in test_blocks.py.
_ERRORS = (
    ("5xx", "player"), ("garbage", "player"), ("reset", "player"), ("empty", "player"),
    ("5xx", "timedtext"), ("empty", "timedtext"), ("truncated", "timedtext"), ("cut", "timedtext"),
)  # fmt: skip


@dataclass
class _Run:
    """The playlist of one seed, and its job. ``done``: what was done to it, in order."""

    seed: int
    stack: Stack
    failpoints: Failpoints
    done: list[str] = field(default_factory=list)
    job_id: str = ""
    fetcher_deaths: int = 0

    def __post_init__(self) -> None:
        self.choose = random.Random(self.seed)
        self.playlist = f"PLgen-120-random{self.seed}-short-mixed"
        self.videos = ids_of(self.playlist)

    def begin(self) -> None:
        for kind, endpoint in self.choose.sample(_ERRORS, 3):
            self._note(f"YouTube: {kind} of {endpoint}")
            rule: dict[str, Any] = {"rate": 0.15, "seed": self.seed, "times": 1, "sticky": True}
            self.stack.fake_youtube.fault(kind, endpoints=[endpoint], videos=self.videos, **rule)
        seconds = self.choose.uniform(0, 0.15)
        self._note(f"YouTube: {seconds:.2f} s")
        self.stack.fake_youtube.latency(player={"seconds": seconds, "jitter": 0.1}, timedtext=seconds)
        self.job_id = self.stack.index(self.playlist)

    def disturb(self) -> None:
        """Does all of it, while the job runs."""
        work: list[Callable[[], None]] = [self._duplicate, self._duplicate]
        work += [partial(self._kill, name) for name in _KILLED if self.choose.random() < 0.6]
        if self.choose.random() < 0.4:
            work.append(partial(self._restart, "delivery"))
        # Not at random, so that five seeds kill each server once.
        server = (None, "pubsub", None, "elasticsearch", None)[self.seed % 5]
        if server:
            work.append(partial(self._restart, server))
        self.choose.shuffle(work)
        for number, act in enumerate(work):
            self._wait_for(number * 70 // len(work))
            act()
        self._wait_for(80)

    def _wait_for(self, settled: int) -> None:
        """Waits until so many videos are settled, but not for long: a fault may hold them up."""

        def far_enough() -> bool:
            counts = self.stack.job(self.job_id)["counts"]
            return bool(sum(counts.values()) - counts["pending"] >= settled)

        try:
            self.stack.wait_for(far_enough, 10, "")
        except AssertionError:
            self._note(f"fewer than {settled} videos are settled")

    def _duplicate(self) -> None:
        """Publishes messages again, in any order, also of videos that were not fetched yet."""
        some = self.choose.sample(self.videos, 30)
        messages = [
            (topic, {"job_id": self.job_id, "video_id": each})
            for each in some
            for topic in ("videos", "transcripts")
        ]
        messages += [("playlists", {"playlist_id": self.playlist, "job_id": self.job_id})]
        self.choose.shuffle(messages)
        self._note(f"{len(messages)} messages are published again")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda message: self.stack.publish(*message), messages))

    def _kill(self, function: str) -> None:
        boundary = f"{self.choose.choice(('before', 'after'))} {self.choose.choice(EXPECTED[function])}"
        self._note(f"{function} dies {boundary}")
        self.fetcher_deaths += function == "fetcher"
        self.failpoints.arm(function, boundary)

    def _restart(self, name: str) -> None:
        self._note(f"{name} is killed")
        self.stack.wait_until_back({name: self.stack.kill(name)})

    def _note(self, what: str) -> None:
        self.done.append(what)

    def verify(self) -> None:
        self.stack.finish(self.job_id, timeout=240)
        check(self.stack, self.job_id, self.videos)
        failed = ledger(self.stack, self.job_id, state="failed")
        assert failed == {}, Counter(video["reason"] for video in failed.values())


@pytest.fixture
def failpoints(stack: Stack) -> Iterator[Failpoints]:
    stack.fake_youtube.reset("stats", "faults", "latency")
    made = Failpoints(stack, *_KILLED)
    yield made
    made.disarm()
    stack.fake_youtube.reset("faults", "latency")


@pytest.mark.timeout(0)
def test_whatever_happens_counts_are_exact_and_few_requests_are_repeated(
    stack: Stack, failpoints: Failpoints, request: pytest.FixtureRequest
) -> None:
    runs = []
    first, _, end = request.config.getoption("--fault-seeds").rpartition(":")
    for seed in range(int(first or 0), int(end)):
        run = _Run(seed, stack, failpoints)
        runs.append(run)
        run.begin()
        run.disturb()
    failpoints.disarm()
    for run in runs:
        try:
            run.verify()
        except AssertionError as error:
            raise AssertionError(f"seed {run.seed}: {'; '.join(run.done)}") from error
    # Each video is asked for once, and again after each error and each death of a fetcher that was asking.
    # Messages that are repeated, and other processes that are restarted, cost no request.
    once = sum(sum(of_one_asking(run.videos).values()) for run in runs)
    videos = [video_id for run in runs for video_id in run.videos]
    struck = sum(stack.fake_youtube.stats()["faults"].values())
    deaths = sum(run.fetcher_deaths for run in runs)
    requests = sum(asked(stack, videos).values())
    assert requests <= once + struck + _AT_YOUTUBE * deaths, (requests, once, struck, deaths)
