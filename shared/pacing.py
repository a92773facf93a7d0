"""How fast an address may ask YouTube, learned from what it bears. Pure: no clock, no thread, no I/O.

YouTube lets an address ask so much in so long, says neither number, and then blocks it. So:

- **Concurrency** grows by success. What is in flight when an address is blocked for the first time is wasted:
  so a new one starts with a few videos at once and is given one more now and then. Once it has borne
  :data:`TRUSTED` requests, each success allows one more, which doubles it each round trip (TCP's slow
  start, RFC 5681).
- **Limit**: a block tells how many requests the window bore. From then on no ``length`` seconds see more of
  them, wherever YouTube's windows begin, and near the limit videos go one by one. A request counts until
  ``length`` seconds after its *answer*: so no window of YouTube's that is not longer gets more, whatever
  is late, overtaken or stuck on its way. After a while without a block a little more is tried.
- **Length**: a breaker (M. Nygard, "Release It!") that is open lets single probes through after growing
  pauses. The first that passes tells how long the window is at most.

Times are seconds since 1970, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from shared.known import FIRST_PAUSE, IDLE, Answered, Known, merged

#: Videos at once for an address that nobody knows, and requests for each further one.
FIRST_CONCURRENCY, REQUESTS_A_STEP = 6, 120
#: Requests without a block after which the concurrency doubles each round trip.
TRUSTED = 600
#: Player and captions; what a video takes of the budget until it is known to need less.
REQUESTS_A_VIDEO = 2
#: Near the limit, requests that are left (or beyond it) for each further video at once.
_NEAR = 3
#: Requests borne since the last block until more than the limit is tried, and until that doubles it.
_PROVEN, _DOUBLES = 300, 600
#: The part of a used up limit that has to be free again before requests go on.
_FREE = 0.2
#: How the pauses between probes grow, and the seconds of the longest.
GROWTH, LONGEST_PAUSE = 1.5, 900.0
#: The part of the length after which it is tried whether the window is over already.
_SHORTER = 0.85
#: Seconds after which a probe that nobody answered for is another's.
PROBE_SECONDS = 30.0
#: A window that bore less tells nothing of a budget: the block of before goes on.
_LEAST_BUDGET = 10
#: A block before this part of the limit says that the address is not what it was.
_EARLY = 0.9


@dataclass(eq=False, slots=True)
class Ticket:
    """One video at YouTube. ``began``, ``sent_at``: when its first and its last request were sent.

    ``place``: of the last one, among all that its window may have counted.
    """

    video_id: str
    generation: int
    probe: bool = False
    sent: int = 0
    counted: int = 0
    place: int = 0
    began: float = 0.0
    sent_at: float = 0.0


@dataclass(slots=True)
class Pacer:
    """Lets videos through to YouTube, ``capacity`` at once at most. Not thread-safe."""

    capacity: int
    known: Known = field(default_factory=Known)
    tickets: set[Ticket] = field(default_factory=set)
    #: What the other processes knew last, and had been told from here.
    told: Known | None = None
    _passes: int = 0
    #: Videos that alone said what may mean a block.
    _suspects: dict[str, Ticket] = field(default_factory=dict)
    #: Videos that met a block, and how many others had passed by then.
    _met: dict[str, int] = field(default_factory=dict)

    def admit(self, video_id: str, now: float) -> Ticket | float:
        """A ticket, or when to ask again: ``now`` for "when one of those in flight is back"."""
        known = self.known
        if known.state != "closed":
            if now < known.opens_at:
                return known.opens_at
            if known.blocked_at:
                self._change(state="half_open", opens_at=now + PROBE_SECONDS)
                return self._ticket(video_id, probe=True)
            self._change(state="closed")
        self._begin_anew(now)
        if len(self.tickets) >= self.concurrency(now):
            return now
        if known.limit is not None:
            outstanding = sum(max(0, REQUESTS_A_VIDEO - ticket.sent) for ticket in self.tickets)
            if self.known.recent(now) + outstanding + REQUESTS_A_VIDEO > self._allowed(known.limit):
                if not self.tickets:
                    self._rest(known.limit, now)
                return max(now, self.known.opens_at)
        return self._ticket(video_id)

    def concurrency(self, now: float) -> int:
        """Videos at once, as things are."""
        known = self.known
        if self._suspects:
            return 1
        most = FIRST_CONCURRENCY + min(known.borne, TRUSTED) // REQUESTS_A_STEP
        most += max(0, known.borne - TRUSTED)
        if known.limit is not None:
            most = min(most, 1 + abs(known.limit - known.recent(now)) // _NEAR)
        return min(self.capacity, most)

    def sending(self, ticket: Ticket, now: float) -> bool:
        """Counts a request that is about to be sent; False if it would be wasted, and is not to be."""
        if self.known.blocked_at and not (ticket.probe and self.known.state == "half_open"):
            return False
        began = self.known.began if self.known.spent or ticket.probe else now
        self.known = replace(self.known, spent=self.known.spent + 1, began=began, last=now)
        ticket.sent += 1
        ticket.began, ticket.sent_at = ticket.began or now, now
        ticket.place = self.known.recent(now)
        return True

    def passed(self, ticket: Ticket, now: float) -> None:
        """YouTube answered all that was asked with this ticket, whatever it said of the video."""
        self._passes += 1
        self.known = replace(self.known, borne=self.known.borne + ticket.sent - ticket.counted)
        ticket.counted = ticket.sent
        others = (each for video, each in self._suspects.items() if video != ticket.video_id)
        if any(each.sent_at <= ticket.began for each in others):
            self._suspects.clear()
        if ticket.probe and self._is_probing(ticket):
            # The window was over when the first request was answered: before the second was sent.
            length = (ticket.sent_at if ticket.sent > 1 else now) - self.known.since
            self._change(
                state="closed",
                answered=(),
                began=ticket.began,
                spent=ticket.sent,
                length=min(length, self.known.length or length),
                blocked_at=0.0,
            )

    def blocked(self, ticket: Ticket, now: float, *, weak: bool = False) -> bool:
        """YouTube refused the last request of this ticket. Whether that is of the address.

        ``weak``: it may be of the video. One video alone is no proof then: the others go on
        one by one, and decide. So it is with a video that was refused before while others passed.
        """
        known = self.known
        if ticket.probe and self._is_probing(ticket):
            self._probe_failed(ticket, now)
            return True
        if known.blocked_at:
            # One of those that were in flight: an earlier request, perhaps.
            if ticket.generation == known.generation - 1 and known.limit is not None:
                limit = min(known.limit, max(_LEAST_BUDGET, ticket.place - 1))
                self.known = replace(known, limit=limit)
            return True
        if ticket.sent_at < known.began:
            # It was of a window that is over.
            return True
        video = ticket.video_id
        if len(self._met) > 1000:
            self._met.clear()
        weak = weak or self._passes > self._met.get(video, self._passes)
        self._met[video] = self._passes
        if weak and not set(self._suspects) - {video}:
            self._suspects[video] = ticket
            return False
        self._trip(ticket, now)
        return True

    def release(self, ticket: Ticket, now: float) -> None:
        """The ticket is given back. A probe that learned nothing leaves the question open."""
        self.tickets.discard(ticket)
        if ticket.sent:
            answered = self.known.spent - sum(other.sent for other in self.tickets)
            entry = Answered(now, ticket.began, answered)
            self.known = replace(self.known, last=now).noted(*self.known.answered, entry)
        if ticket.probe and self._is_probing(ticket):
            self._change(state="open", opens_at=now + (self.known.pause if ticket.sent else 0.0))

    def exchange(self, there: Known) -> Known:
        """Takes over what other processes of the address know; what they are to be told.

        Once they are, it is what was ``told``. If they have moved, tickets here say too late what they say.
        """
        told = self.told or Known()
        self.known, self.told = merged(told, self.known, there), there
        if there.generation != told.generation:
            for ticket in self.tickets:
                ticket.generation = -1
            self._suspects.clear()
        return self.known

    def _ticket(self, video_id: str, *, probe: bool = False) -> Ticket:
        ticket = Ticket(video_id, self.known.generation, probe)
        self.tickets.add(ticket)
        return ticket

    def _change(self, **changes: Any) -> None:
        self.known = replace(self.known, generation=self.known.generation + 1, **changes)

    def _is_probing(self, ticket: Ticket) -> bool:
        return self.known.state == "half_open" and ticket.generation == self.known.generation

    def _begin_anew(self, now: float) -> None:
        """A window that is over has been forgotten by YouTube, too."""
        known = self.known
        if known.spent and not self.tickets and now >= known.last + (known.length or IDLE):
            self._change(began=now, spent=0, answered=())

    def _allowed(self, limit: int) -> int:
        """Requests in any ``length`` seconds; a limit that was kept to for long is felt for anew."""
        return int(limit * 2 ** min(10.0, max(0, self.known.borne - _PROVEN) / _DOUBLES))

    def _rest(self, limit: int, now: float) -> None:
        """All that is allowed was asked, and borne: until some of it is free again none would pass."""
        # A suspect that nobody has contradicted was refused by the address, perhaps.
        less = min((each.place - 1 for each in self._suspects.values()), default=limit)
        self._suspects.clear()
        length = self.known.length or self.known.pause
        used = self._allowed(limit) - max(REQUESTS_A_VIDEO, int(limit * _FREE))
        free = (each.at for each in self.known.answered if self.known.spent - each.requests <= used)
        self._change(
            state="open",
            opens_at=min(max(now, next(free, now) + length), now + LONGEST_PAUSE),
            limit=max(_LEAST_BUDGET, min(less, limit)),
        )

    def _trip(self, ticket: Ticket, now: float) -> None:
        known = self.known
        limit, length, pause = known.limit, known.length, known.pause * GROWTH
        place = min(each.place for each in (ticket, *self._suspects.values()))
        since = known.began
        if length is not None and ticket.sent_at - length > known.began:
            counted = [each.began for each in known.answered if each.at > ticket.sent_at - length]
            since = min([ticket.began, *counted, *(each.began for each in self.tickets if each.sent)])
            since = max(since, ticket.sent_at - length)
        if place > _LEAST_BUDGET:
            if limit is not None and place < _EARLY * limit:
                length = None
            limit, pause = place - 1, FIRST_PAUSE
        self._suspects.clear()
        pause = min(pause, LONGEST_PAUSE)
        opens_at = now + pause if length is None else max(now, since + _SHORTER * length)
        self._change(
            state="open",
            borne=0,
            limit=limit,
            length=length,
            pause=pause,
            blocked_at=ticket.sent_at,
            since=since,
            opens_at=min(opens_at, now + LONGEST_PAUSE),
        )

    def _probe_failed(self, ticket: Ticket, now: float) -> None:
        known = self.known
        length, pause = known.length, min(known.pause * GROWTH, LONGEST_PAUSE)
        if length is not None and ticket.sent_at < known.since + length:
            opens_at = min(known.since + length, now + LONGEST_PAUSE)
            self._change(state="open", opens_at=max(now, opens_at))
            return
        if length is not None and ticket.sent_at > known.blocked_at + length:
            length = None
        self._change(state="open", length=length, pause=pause, opens_at=now + pause)
