"""An address at YouTube and the workers that ask from it, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.known import Known
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


@dataclass(frozen=True)
class Load:
    """What a busy machine does to the times.

    Each step is ``late`` seconds late, on average: often less, at times much more, so that requests
    overtake each other on their way. Every ``between`` seconds or so nothing happens for about
    ``stall`` seconds, and then everything at once in any order.
    """

    late: float = 0.0
    stall: float = 0.0
    between: float = 8.0


CALM, BUSY, OVERLOADED = Load(), Load(0.05, 0.3), Load(0.15, 0.8)


@dataclass
class _Machine:
    load: Load
    rng: random.Random
    #: The present stall, or the one that comes.
    begins: float
    ends: float = 0.0

    def late(self) -> float:
        return self.rng.expovariate(1 / self.load.late) if self.load.late else 0.0

    def awake(self, at: float) -> float:
        """When that happens which is due ``at``."""
        while self.load.stall and at >= self.ends:
            self.begins = max(self.begins, self.ends) + self.rng.expovariate(1 / self.load.between)
            self.ends = self.begins + self.rng.expovariate(1 / self.load.stall)
        return at if not self.load.stall or at < self.begins else self.ends + 0.1 * self.rng.random()


@dataclass
class Processes:
    """Pacers of one address that agree once a second, and at once when they move, as shared.gate has it.

    ``starts``: of each, the seconds until it takes part.
    """

    capacity: int
    starts: tuple[float, ...]
    document: Known = field(default_factory=Known)

    def __post_init__(self) -> None:
        self._pacers = [Pacer(self.capacity) for _ in self.starts]
        self._looked_at = [float("-inf")] * len(self.starts)
        self._of: dict[Ticket, int] = {}
        self._turn = 0

    def _exchange(self, number: int, now: float) -> None:
        pacer = self._pacers[number]
        self.document = pacer.told = pacer.exchange(self.document)
        self._looked_at[number] = now

    def admit(self, video_id: str, now: float) -> Ticket | float:
        whens = []
        for number in sorted(
            range(len(self.starts)), key=lambda each: (each - self._turn) % len(self.starts)
        ):
            if now < _START + self.starts[number]:
                continue
            if now - self._looked_at[number] >= 1:
                self._exchange(number, now)
            pacer = self._pacers[number]
            before = pacer.known.generation
            admitted = pacer.admit(video_id, now)
            if pacer.known.generation != before:
                self._exchange(number, now)
            if isinstance(admitted, float):
                whens.append(admitted)
            elif admitted.generation != pacer.known.generation:
                pacer.release(admitted, now)
                whens.append(now)
            else:
                self._of[admitted], self._turn = number, number + 1
                return admitted
        return min(whens)

    def sending(self, ticket: Ticket, now: float) -> bool:
        return self._pacers[self._of[ticket]].sending(ticket, now)

    def passed(self, ticket: Ticket, now: float) -> None:
        pacer = self._pacers[self._of[ticket]]
        before = pacer.known.generation
        pacer.passed(ticket, now)
        if pacer.known.generation != before:
            self._exchange(self._of[ticket], now)

    def blocked(self, ticket: Ticket, now: float, *, weak: bool = False) -> bool:
        pacer = self._pacers[self._of[ticket]]
        before = pacer.known.generation
        of_address = pacer.blocked(ticket, now, weak=weak)
        if pacer.known.generation != before:
            self._exchange(self._of[ticket], now)
        return of_address

    def release(self, ticket: Ticket, now: float) -> None:
        self._pacers[self._of.pop(ticket)].release(ticket, now)


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
    pacer: Pacer | Processes,
    latency: float = 0.1,
    jitter: float = 0.2,
    overhead: float = 0.02,
    workers: int = 20,
    seed: int = 1,
    start: float = _START,
    load: Load = CALM,
) -> Run:
    """Of each video the player is asked, and then the captions; ``workers`` videos at once.

    ``overhead``: seconds a worker needs beside YouTube. What is refused goes back into the queue.
    """
    rng = random.Random(seed)
    machine = _Machine(load, random.Random(seed), start)
    queue = deque(range(videos))
    seen: set[int] = set()
    events: list[tuple[float, int, Iterator[float]]] = []
    numbers = itertools.count()
    done: set[int] = set()
    busy = counted = 0
    clock = start

    def way() -> float:
        return latency * (1 + jitter * rng.random()) / 2

    def fetch(ticket: Ticket, video: int) -> Iterator[float]:
        nonlocal counted
        for endpoint in ("player", "captions"):
            yield machine.late()
            if not pacer.sending(ticket, clock):
                queue.append(video)
                return
            yield 0.001 + way() * 0.2 + machine.late()
            passes = address.ask(video, endpoint, clock, seen)
            yield way() * 1.8 + machine.late()
            if not passes:
                counted += not pacer.blocked(ticket, clock, weak=address.kind == "rate_limited")
                queue.append(video)
                return
        pacer.passed(ticket, clock)
        done.add(video)

    def work(ticket: Ticket, video: int) -> Iterator[float]:
        nonlocal busy
        yield overhead * rng.random()
        yield from fetch(ticket, video)
        pacer.release(ticket, clock)
        yield overhead * rng.random()
        busy -= 1

    def begin(process: Iterator[float]) -> None:
        heapq.heappush(events, (clock, next(numbers), process))

    def dispatch() -> Iterator[float]:
        nonlocal busy
        while True:
            admitted = pacer.admit(str(queue[0]), clock) if queue and busy < workers else clock
            if isinstance(admitted, float):
                yield min(max(0.005, admitted - clock + 0.001), 1.0)
            else:
                busy += 1
                begin(work(admitted, queue.popleft()))

    begin(dispatch())
    while len(done) < videos:
        clock, _, each = heapq.heappop(events)
        wait = next(each, None)
        if wait is not None:
            heapq.heappush(events, (machine.awake(clock + wait), next(numbers), each))
        assert clock < start + 100_000, "it never ends"
    return Run(clock - start, address.requests, address.refused, counted, len(done))


def at_a_fixed_rate(address: Address, videos: int, rate: float, *, latency: float = 0.1) -> Run:
    """``rate`` videos a second, whatever happens. What is refused goes to the end of the queue."""
    queue = deque(range(videos))
    seen: set[int] = set()
    asked: list[tuple[float, int, str]] = []
    clock = turn = _START
    done = 0
    while done < videos:
        if queue and (not asked or turn <= asked[0][0]):
            clock, turn = turn, turn + 1 / rate
            heapq.heappush(asked, (clock, queue.popleft(), "player"))
        clock, video, endpoint = heapq.heappop(asked)
        turn = max(turn, clock)
        if not address.ask(video, endpoint, clock, seen):
            queue.append(video)
        elif endpoint == "player":
            heapq.heappush(asked, (clock + latency, video, "captions"))
        else:
            done += 1
    return Run(clock - _START, address.requests, address.refused, 0, done)
