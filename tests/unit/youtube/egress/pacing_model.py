"""A simulation of an address at YouTube and of the processes that ask from it."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.youtube.egress.pacer import Pacer, Ticket
from shared.youtube.egress.window import Window

NOW = 1_000_000.0


@dataclass
class Address:
    """It may send ``budget`` requests (or videos) in a window, and is then refused until the window ends.

    A window begins with a request (see infra/local/fake_youtube/traffic/addresses.py). With budget None,
    nothing is refused.
    """

    budget: int | None
    window: float = 10.0
    kind: str = "429"
    unit: str = "requests"
    _began: float = float("-inf")
    _spent: int = 0
    _seen: set[int] = field(default_factory=set)

    def ask(self, video: int, endpoint: str, now: float) -> bool:
        if now >= self._began + self.window:
            self._began, self._spent = now, 0
            self._seen.clear()
        if self.budget is None or (self.unit == "videos" and video in self._seen):
            return True
        self._spent += 1
        if self._spent > self.budget and (self.kind == "429" or endpoint == "player"):
            return False
        self._seen.add(video)
        return True


@dataclass(frozen=True)
class Load:
    """What a busy machine does to the times.

    Each step is ``late`` seconds late on average, so that requests overtake each other. About every
    eight seconds nothing happens for about ``stall`` seconds, and then everything in any order.
    """

    late: float = 0.0
    stall: float = 0.0


CALM, BUSY, OVERLOADED = Load(), Load(0.05, 0.3), Load(0.15, 0.8)


@dataclass
class Processes:
    """Pacers of one address, synced as the breaker does it: once a second, and when it moves.

    ``starts``: for each process, the seconds until it takes part.
    """

    starts: tuple[float, ...] = (0.0,)
    capacity: int = 50
    document: Window = field(default_factory=Window)

    def __post_init__(self) -> None:
        self._pacers = [Pacer(self.capacity) for _ in self.starts]
        self._synced_at = dict.fromkeys(range(len(self.starts)), float("-inf"))
        self._of: dict[Ticket, int] = {}
        self._turns = 0

    @property
    def workers(self) -> int:
        """A few more than may be at YouTube at once: those wait for their turn."""
        return len(self.starts) * self.capacity + 4

    def _sync_if_due(self, number: int, now: float) -> None:
        pacer = self._pacers[number]
        moved = pacer.last_synced is None or pacer.last_synced.generation != pacer.window.generation
        if moved or now - self._synced_at[number] >= 1:
            self.document = pacer.last_synced = pacer.sync(self.document)
            self._synced_at[number] = now

    def admit(self, video_id: str, now: float) -> Ticket | float:
        count, times = len(self.starts), []
        for number in (each % count for each in range(self._turns, self._turns + count)):
            if now < NOW + self.starts[number]:
                continue
            self._sync_if_due(number, now)
            pacer = self._pacers[number]
            admitted = pacer.admit(video_id, now)
            self._sync_if_due(number, now)
            if isinstance(admitted, float):
                times.append(admitted)
            elif admitted.generation != pacer.window.generation:
                pacer.release(admitted, now)  # another process was first
                times.append(now)
            else:
                self._of[admitted], self._turns = number, number + 1
                return admitted
        return min(times)

    def may_send(self, ticket: Ticket, now: float) -> bool:
        return self._pacers[self._of[ticket]].may_send(ticket, now)

    def succeeded(self, ticket: Ticket, now: float) -> None:
        self._pacers[self._of[ticket]].succeeded(ticket, now)
        self._sync_if_due(self._of[ticket], now)

    def refused(self, ticket: Ticket, now: float, *, weak: bool) -> bool:
        of_address = self._pacers[self._of[ticket]].refused(ticket, now, weak=weak)
        self._sync_if_due(self._of[ticket], now)
        return of_address

    def release(self, ticket: Ticket, now: float) -> None:
        self._pacers[self._of.pop(ticket)].release(ticket, now)


@dataclass
class Part:
    requests: int = 0
    refused: int = 0


@dataclass
class Run:
    """How a simulation went.

    ``first``: requests that were sent before the first block was noticed; ``later``: all others.
    ``of_videos``: refusals that were taken for the video's own fault.
    """

    seconds: float = 0.0
    first: Part = field(default_factory=Part)
    later: Part = field(default_factory=Part)
    of_videos: int = 0

    @property
    def wasted(self) -> float:
        """The part of all requests that was refused."""
        return (self.first.refused + self.later.refused) / (self.first.requests + self.later.requests)


def simulate(
    address: Address,
    videos: int,
    processes: Processes,
    *,
    latency: float = 0.1,
    jitter: float = 0.2,
    overhead: float = 0.02,
    seed: int = 1,
    start: float = NOW,
    load: Load = CALM,
) -> Run:
    """Fetches the videos: of each one the player, and then the captions. A refused video is queued again.

    ``overhead``: seconds a worker needs besides YouTube.
    """
    rng, delays = random.Random(seed), random.Random(seed)
    queue, done, run = deque(range(videos)), set[int](), Run()
    events: list[tuple[float, int, Iterator[float]]] = []
    numbers = itertools.count()
    busy, clock, blocked = 0, start, False
    stall_begins, stall_ends = start, 0.0

    def late() -> float:
        return delays.expovariate(1 / load.late) if load.late else 0.0

    def awake(at: float) -> float:
        """When an event that is due ``at`` happens."""
        nonlocal stall_begins, stall_ends
        while load.stall and at >= stall_ends:
            stall_begins = max(stall_begins, stall_ends) + delays.expovariate(1 / 8)
            stall_ends = stall_begins + delays.expovariate(1 / load.stall)
        return at if not load.stall or at < stall_begins else stall_ends + 0.1 * delays.random()

    def fetch(ticket: Ticket, video: int) -> Iterator[float]:
        nonlocal blocked
        for endpoint in ("player", "captions"):
            yield late()
            if not processes.may_send(ticket, clock):
                queue.append(video)
                return
            part, seconds = run.later if blocked else run.first, latency * (1 + jitter * rng.random())
            yield 0.001 + seconds * 0.1 + late()
            passes = address.ask(video, endpoint, clock)
            part.requests += 1
            yield seconds * 0.9 + late()
            if not passes:
                part.refused += 1
                of_address = processes.refused(ticket, clock, weak=address.kind == "rate_limited")
                blocked = blocked or of_address
                run.of_videos += not of_address
                queue.append(video)
                return
        processes.succeeded(ticket, clock)
        done.add(video)

    def work(ticket: Ticket, video: int) -> Iterator[float]:
        nonlocal busy
        yield overhead * rng.random()
        yield from fetch(ticket, video)
        processes.release(ticket, clock)
        yield overhead * rng.random()
        busy -= 1

    def dispatch() -> Iterator[float]:
        nonlocal busy
        while True:
            waiting = queue and busy < processes.workers
            admitted = processes.admit(str(queue[0]), clock) if waiting else clock
            if isinstance(admitted, float):
                yield min(max(0.005, admitted - clock + 0.001), 1.0)
            else:
                busy += 1
                heapq.heappush(events, (clock, next(numbers), work(admitted, queue.popleft())))

    heapq.heappush(events, (clock, next(numbers), dispatch()))
    while len(done) < videos:
        clock, _, each = heapq.heappop(events)
        wait = next(each, None)
        if wait is not None:
            heapq.heappush(events, (awake(clock + wait), next(numbers), each))
        assert clock < start + 100_000, "it never ends"
    run.seconds = clock - start
    return run
