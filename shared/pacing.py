"""How fast an address may ask YouTube, learned from what it bears. Pure: no clock, no thread, no I/O.

YouTube lets an address ask so much in so long, says neither number, and then blocks it. So:

- **Concurrency** grows by success. A new address starts with a few videos at once; until it has borne
  :data:`TRUSTED` requests, what is in flight stays so small that a block wastes 3 % of them at most. From
  then on each success allows one more, which doubles it each round trip (TCP's slow start, RFC 5681).
- **Budget**: a block tells how many requests the window bore. The next windows stop just before, and
  beyond what is sure one video at a time feels the way. Every few windows a little more is tried.
- **Window**: a breaker (M. Nygard, "Release It!") that is open lets single probes through after growing
  pauses. The first that passes tells how long the window is at most, the last that failed how
  long at least; bisection narrows it down.

Times are seconds since 1970, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, Literal

#: Videos at once for an address that nobody knows, and requests for each further one.
FIRST_CONCURRENCY, REQUESTS_A_STEP = 7, 60
#: Requests without a block after which the concurrency doubles each round trip.
TRUSTED = 600
#: Player and captions; what a video takes of the budget until it is known to need less.
REQUESTS_A_VIDEO = 2
#: Seconds between probes: the first pause, its growth, and the longest.
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 2.0, 1.7, 900.0
#: Seconds after which a probe that nobody answered for is another's.
PROBE_SECONDS = 30.0
#: A window that bore less tells nothing of a budget: the block of before goes on.
_LEAST_BUDGET = 10
#: Seconds without a request after which an address that was never blocked begins a new count.
_IDLE = 5.0
#: The window's length is known well enough when its bounds are this near each other.
_PRECISION = 0.15
#: Windows without a block until more is tried, and how much more at first.
_CLEAN, _MORE = 6, 0.05

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an address; the same for all its processes.

    ``generation`` grows whenever anything but the counts changes. ``opens_at``: of an open breaker, when
    a probe may go; of a half-open one, when its probe is another's. ``borne``: requests since
    the last block. ``began``, ``spent``: the present window, and requests in it. ``sure``,
    ``limit``: requests a window bears for certain, and at most; None before the first block.
    ``shortest``, ``longest``: bounds of the window's length; ``proven``: the upper one before the present
    window. ``clean``: windows used up without a block.
    """

    generation: int = 0
    state: State = "closed"
    opens_at: float = 0.0
    pause: float = FIRST_PAUSE
    borne: int = 0
    began: float = 0.0
    spent: int = 0
    sure: int | None = None
    limit: int | None = None
    shortest: float = 0.0
    longest: float | None = None
    proven: float | None = None
    clean: int = 0


@dataclass(eq=False, slots=True)
class Ticket:
    """One video at YouTube. ``first``, ``last``: places of its requests among those of the window.

    ``began``, ``sent_at``: when the first and the last of them were sent.
    """

    video_id: str
    generation: int
    probe: bool = False
    sent: int = 0
    counted: int = 0
    first: int = 0
    last: int = 0
    began: float = 0.0
    sent_at: float = 0.0


@dataclass(slots=True)
class Pacer:
    """Lets videos through to YouTube, ``capacity`` at once at most. Not thread-safe."""

    capacity: int
    known: Known = field(default_factory=Known)
    tickets: set[Ticket] = field(default_factory=set)
    _last_sent: float = 0.0
    _passes: int = 0
    #: Videos that alone said what may mean a block, and the place of the request.
    _suspects: dict[str, int] = field(default_factory=dict)
    #: Videos that met a block, and how many others had passed by then.
    _met: dict[str, int] = field(default_factory=dict)

    def admit(self, video_id: str, now: float) -> Ticket | float:
        """A ticket, or when to ask again: ``now`` for "when one of those in flight is back"."""
        known = self.known
        if known.state != "closed":
            if now < known.opens_at:
                return known.opens_at
            self._change(state="half_open", opens_at=now + PROBE_SECONDS)
            return self._ticket(video_id, probe=True)
        self._roll(now)
        if len(self.tickets) >= self.concurrency():
            return now
        if known.limit is not None and self._expected() > max(known.limit, REQUESTS_A_VIDEO):
            if self.tickets:
                return now
            self._rest(now)
            return self.known.opens_at
        return self._ticket(video_id)

    def concurrency(self) -> int:
        """Videos at once, as things are."""
        known = self.known
        if self._suspects:
            return 1
        allowed = FIRST_CONCURRENCY + min(known.borne, TRUSTED) // REQUESTS_A_STEP
        allowed += max(0, known.borne - TRUSTED)
        if known.sure is not None and self._expected() > known.sure:
            allowed = min(allowed, 1 + max(0, known.spent - known.sure) // 10)
        return min(self.capacity, allowed)

    def sending(self, ticket: Ticket, now: float) -> bool:
        """Counts a request that is about to be sent; False if it would be wasted, and is not to be."""
        if self.known.state != "closed" and not (ticket.probe and self.known.state == "half_open"):
            return False
        began = self.known.began if self.known.spent or ticket.probe else now
        self.known = replace(self.known, spent=self.known.spent + 1, began=began)
        ticket.sent += 1
        ticket.last = self.known.spent
        ticket.first, ticket.began = ticket.first or ticket.last, ticket.began or now
        ticket.sent_at = self._last_sent = now
        return True

    def passed(self, ticket: Ticket, now: float) -> None:
        """YouTube answered all that was asked with this ticket, whatever it said of the video."""
        self._passes += 1
        self.known = replace(self.known, borne=self.known.borne + ticket.sent - ticket.counted)
        ticket.counted = ticket.sent
        if any(video != ticket.video_id and place < ticket.first for video, place in self._suspects.items()):
            self._suspects.clear()
        if ticket.probe and self._is_probing(ticket):
            length = ticket.began - self.known.began
            longest = self.known.longest
            if self.known.began:
                longest = length if longest is None else min(longest, length)
            self._change(
                state="closed",
                began=ticket.began,
                spent=ticket.sent,
                longest=longest,
                proven=self.known.proven or longest,
                shortest=min(self.known.shortest, longest or 0.0),
            )

    def blocked(self, ticket: Ticket, now: float, *, weak: bool = False) -> bool:
        """YouTube refused the last request of this ticket. Whether that is of the address.

        ``weak``: it may be of the video. One video alone is no proof then: the others go on
        one by one, and decide. So it is with a video that was refused before while others passed.
        """
        if ticket.probe and self._is_probing(ticket):
            self._probe_failed(ticket, now)
            return True
        if self.known.state != "closed":
            # One of those that were in flight: an earlier request, perhaps.
            sure, limit = self.known.sure, self.known.limit
            if (
                ticket.generation == self.known.generation - 1
                and sure
                and limit
                and sure <= ticket.last <= limit
            ):
                limit = max(_LEAST_BUDGET, ticket.last - 1)
                self.known = replace(self.known, limit=limit, sure=min(sure, limit))
            return True
        if ticket.generation != self.known.generation:
            return True
        video = ticket.video_id
        if len(self._met) > 1000:
            self._met.clear()
        weak = weak or self._passes > self._met.get(video, self._passes)
        self._met[video] = self._passes
        if weak and not set(self._suspects) - {video}:
            self._suspects[video] = ticket.last
            return False
        self._trip(ticket, now)
        return True

    def release(self, ticket: Ticket, now: float) -> None:
        """The ticket is given back. A probe that learned nothing leaves the question open."""
        self.tickets.discard(ticket)
        if ticket.probe and self._is_probing(ticket):
            self._change(state="open", opens_at=now + (self.known.pause if ticket.sent else 0.0))

    def adopt(self, known: Known) -> None:
        """Another process of the same address has moved on: what tickets here say comes too late."""
        self.known = known
        for ticket in self.tickets:
            ticket.generation = -1
        self._suspects.clear()

    def _ticket(self, video_id: str, *, probe: bool = False) -> Ticket:
        ticket = Ticket(video_id, self.known.generation, probe)
        self.tickets.add(ticket)
        return ticket

    def _change(self, **changes: Any) -> None:
        self.known = replace(self.known, generation=self.known.generation + 1, **changes)

    def _is_probing(self, ticket: Ticket) -> bool:
        return self.known.state == "half_open" and ticket.generation == self.known.generation

    def _expected(self) -> int:
        """Requests of the window if one more video is let through."""
        outstanding = sum(max(0, REQUESTS_A_VIDEO - ticket.sent) for ticket in self.tickets)
        return self.known.spent + outstanding + REQUESTS_A_VIDEO

    def _roll(self, now: float) -> None:
        """A window that is over has been forgotten by YouTube, too."""
        known = self.known
        if known.longest is not None:
            over = known.spent > 0 and now >= _after(known.began, known.longest)
        else:
            over = known.limit is None and known.spent > 0 and now >= self._last_sent + _IDLE
        if over and not self.tickets:
            self._change(began=now, spent=0)

    def _rest(self, now: float) -> None:
        """The window's budget is used up, and was borne: until its end no request would pass."""
        known = self.known
        clean, limit = known.clean + 1, known.limit or 0
        if clean >= _CLEAN:
            limit = ceil(limit * (1 + min(1.0, _MORE * 2 ** (clean - _CLEAN)))) + 1
        self._change(
            state="open",
            opens_at=self._next_probe(now),
            sure=known.limit,
            limit=limit,
            clean=clean,
            proven=known.longest,
        )

    def _next_probe(self, now: float) -> float:
        known = self.known
        if known.longest is None:
            return now + known.pause
        unsure = known.longest - known.shortest
        length = known.longest - (unsure / 2 if unsure > _PRECISION * known.longest else 0.0)
        return min(max(now, _after(known.began, length)), now + LONGEST_PAUSE)

    def _trip(self, ticket: Ticket, now: float) -> None:
        known = self.known
        limit, sure, pause = known.limit, known.sure, known.pause * GROWTH
        early = known.sure is not None and ticket.last <= known.sure
        if ticket.last > _LEAST_BUDGET:
            # What was in flight may have reached YouTube in another order.
            limit, pause = ticket.last - 1, FIRST_PAUSE
            sure = max(1, limit - (len(self.tickets) - 1))
        shortest = max(known.shortest, ticket.sent_at - known.began)
        longest = known.longest if known.longest is not None and shortest < known.longest else None
        if longest is not None and known.proven is not None and longest < known.proven and early:
            # There was something left of the window before, and its end was not where a probe passed.
            shortest, longest, limit, sure = longest, known.proven, known.limit, known.sure
        self._suspects.clear()
        self._change(
            state="open",
            borne=0,
            clean=0,
            limit=limit,
            sure=sure,
            pause=min(pause, LONGEST_PAUSE),
            shortest=shortest,
            longest=longest,
            proven=longest,
        )
        opens_at = _after(known.began, longest) if longest is not None else now + self.known.pause
        self.known = replace(self.known, opens_at=min(max(now, opens_at), now + LONGEST_PAUSE))

    def _probe_failed(self, ticket: Ticket, now: float) -> None:
        known = self.known
        shortest = max(known.shortest, ticket.sent_at - known.began)
        if known.longest is not None and shortest < known.longest:
            self._change(state="open", shortest=shortest)
            opens_at = min(_after(known.began, known.longest), now + LONGEST_PAUSE)
            self.known = replace(self.known, opens_at=max(now, opens_at))
            return
        pause = min(known.pause * GROWTH, LONGEST_PAUSE)
        self._change(state="open", shortest=shortest, longest=None, pause=pause, opens_at=now + pause)


def _after(began: float, length: float) -> float:
    """A little later: between our clock and YouTube's lies the way there."""
    return began + 1.01 * length + 0.05
