"""An address at YouTube and the workers that ask from it, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from shared.pacing import Pacer, Ticket

_START = 1_000_000.0


@dataclass
class Address:
    """So many requests (or videos) a window that begins with a request, then blocked until its end.

    As infra/local/standin/addresses.py. ``budget`` None: it bears everything.
    """

    budget: int | None
    window: float = 10.0
    kind: str = "429"
    unit: str = "requests"
    began: float = float("-inf")
    spent: int = 0
    requests: int = 0
    refused: int = 0

    def ask(self, video: int, endpoint: str, now: float, seen: set[int]) -> bool:
        self.requests += 1
        if self.budget is None:
            return True
        if now >= self.began + self.window:
            self.began, self.spent = now, 0
            seen.clear()
        if self.unit == "videos":
            if video in seen:
                return True
            passes = len(seen) < self.budget
            if passes:
                seen.add(video)
        else:
            self.spent += 1
            passes = self.spent <= self.budget
        if not passes and (self.kind == "429" or endpoint == "player"):
            self.refused += 1
            return False
        return True


@dataclass
class Run:
    """How it went. ``counted``: refusals that were laid to a video and not to the address."""

    seconds: float
    requests: int
    refused: int
    counted: int
    done: int


def simulate(
    address: Address,
    videos: int,
    *,
    pacer: Pacer,
    latency: float = 0.1,
    jitter: float = 0.2,
    overhead: float = 0.02,
    workers: int = 20,
    seed: int = 1,
    start: float = _START,
) -> Run:
    """``workers`` take videos from a queue and ask the player, then the captions, of each.

    ``overhead``: seconds a worker needs beside YouTube. What is refused goes back into the queue.
    """
    rng = random.Random(seed)
    queue = deque(range(videos))
    seen: set[int] = set()
    events: list[tuple[float, int, Iterator[float]]] = []
    numbers = itertools.count()
    done: set[int] = set()
    counted = 0
    clock = start

    def way() -> float:
        return latency * (1 + jitter * rng.random()) / 2

    def fetch(ticket: Ticket, video: int) -> Iterator[float]:
        nonlocal counted
        for endpoint in ("player", "captions"):
            if not pacer.sending(ticket, clock):
                queue.append(video)
                pacer.release(ticket, clock)
                return
            yield 0.001 + way() * 0.2
            passes = address.ask(video, endpoint, clock, seen)
            yield way() * 1.8
            if not passes:
                counted += not pacer.blocked(ticket, clock, weak=address.kind == "rate_limited")
                queue.append(video)
                pacer.release(ticket, clock)
                return
        pacer.passed(ticket, clock)
        pacer.release(ticket, clock)
        done.add(video)

    def worker() -> Iterator[float]:
        while len(done) < videos:
            if not queue:
                yield 0.01
                continue
            admitted = pacer.admit(str(queue[0]), clock)
            if isinstance(admitted, float):
                yield max(0.02, min(1.0, admitted - clock + 0.001))
                continue
            video = queue.popleft()
            yield overhead * rng.random()
            yield from fetch(admitted, video)
            yield overhead * rng.random()

    for _ in range(workers):
        heapq.heappush(events, (start + 0.01 * rng.random(), next(numbers), worker()))
    while events and len(done) < videos:
        clock, _, each = heapq.heappop(events)
        wait = next(each, None)
        if wait is not None:
            heapq.heappush(events, (clock + wait, next(numbers), each))
        assert clock < start + 100_000, "it never ends"
    return Run(clock - start, address.requests, address.refused, counted, len(done))
