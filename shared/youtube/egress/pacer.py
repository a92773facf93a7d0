"""How fast one process may ask YouTube from its address. Pure: no clock, no thread, no I/O.

YouTube lets an address send so many requests in so many seconds, says neither number, and then refuses
every request for a while. The pacer works like TCP's congestion control (RFC 5681):

1. **Slow start.** All that is in flight at the first block is wasted. So a new address starts with a few
   videos at once. Each video that passes allows one more, so their number doubles each time all have passed.
2. **Breaker** (M. Nygard, "Release It!"). A block opens the breaker for all processes of the address. After a
   pause exactly one probe goes. If it is refused, the next pause is longer; if it passes, the breaker closes.
3. **Rate.** The requests that succeeded before the block, divided by the seconds until the probe passed, are
   a rate that the address allows. A token bucket keeps all processes a little below it. Each success
   raises the rate a little, until the next block sets it again.

Times are seconds since 1970, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from shared.youtube.egress.window import FIRST_PAUSE, Window, merge

#: Videos at once for a new address.
FIRST_CONCURRENCY = 8
#: Requests that succeeded without any block after which a new process needs no slow start. Budgets that
#: users report are smaller.
TRUSTED = 600
#: Player and captions. The bucket is charged for both when a video starts.
REQUESTS_PER_VIDEO = 2
#: Requests that the bucket saves up while nobody asks.
_BURST = 4
#: The part of the measured rate that an address gets after a block.
_MARGIN = 0.9
#: Successes that double the rate: each one adds as much.
_DOUBLES = 600
#: The part of the rate that is left after a block at least. It is measured too low if little was asked for.
_LARGEST_DECREASE = 0.5
#: Requests a second that every address gets: slower than that, waiting costs more than some refused probes.
_SLOWEST = 0.1
#: A count that bore fewer requests says nothing of the rate, and the block before it goes on.
_LEAST_BUDGET = 10
#: Requests a second of an address whose first block says nothing of the rate.
_CAREFUL = 2.0
#: Seconds without a success after which an address that was never blocked begins to count anew.
_REST = 5.0
#: By how much each pause is longer than the one before, and the seconds of the longest.
_PAUSE_GROWTH, LONGEST_PAUSE = 1.5, 900.0
#: Seconds after which a probe counts as lost, and another process may probe.
PROBE_SECONDS = 30.0


@dataclass(eq=False, slots=True)
class Ticket:
    """One attempt at one video. ``sent``: its requests so far; ``began``: when the first one was sent."""

    video_id: str
    generation: int
    probe: bool = False
    sent: int = 0
    began: float = 0.0


@dataclass(slots=True)
class Pacer:
    """Admits videos to YouTube, at most ``capacity`` at once. Not thread-safe."""

    capacity: int
    window: Window = field(default_factory=Window)
    tickets: set[Ticket] = field(default_factory=set)
    #: The window that the other processes and this one last agreed on.
    last_synced: Window | None = None
    #: When the bucket has tokens for the next video.
    _turn_at: float = float("-inf")
    #: The video that was refused last in words that nobody knows, if nothing has passed since; and until when
    #: nobody is admitted because of two such videos.
    _doubted: str | None = None
    _paused_until: float = float("-inf")
    #: The one video whose refusal may be its own fault, and when it was refused.
    _suspect: tuple[str, float] | None = None
    #: Videos that passed in this process; and for each refused video, how many had passed by then.
    _passed: int = 0
    _refused: dict[str, int] = field(default_factory=dict)

    def admit(self, video_id: str, now: float) -> Ticket | float:
        """A ticket, or the time to ask again. ``now`` means: when another video gives its ticket back."""
        window = self.window
        if window.state != "closed":
            if now < window.opens_at:
                return window.opens_at
            self._move(state="half_open", opens_at=now + PROBE_SECONDS)
            return self._ticket(video_id, probe=True)
        rested = not self.tickets and now > max(window.began, window.last_success) + _REST
        if window.rate is None and (rested or not window.began):
            self._move(began=now, succeeded_before=window.succeeded)
        if len(self.tickets) >= self.concurrency():
            return now
        if now < self._paused_until:
            return self._paused_until
        rate = self._rate()
        if rate is not None:
            if now < self._turn_at:
                return self._turn_at
            self._turn_at = max(self._turn_at, now - _BURST / rate) + REQUESTS_PER_VIDEO / rate
        return self._ticket(video_id)

    def concurrency(self) -> int:
        """Videos at once, as things are."""
        if self._suspect or self.window.state != "closed":
            return 1
        rate, succeeded = self._rate(), self.window.succeeded
        if rate is not None:
            most = 1 + int(rate)  # as many as start within two seconds
        elif succeeded >= TRUSTED:
            most = self.capacity
        else:
            # Only videos of this process: together, the processes of an address then grow no faster than one.
            # An operator may delete the document: then they are forgotten, too.
            most = FIRST_CONCURRENCY + min(self._passed, succeeded)
        return min(self.capacity, most)

    def _rate(self) -> float | None:
        """Requests a second now, for all processes together; None without a limit."""
        window = self.window
        return None if window.rate is None else window.rate * (1 + window.counted / _DOUBLES)

    def may_send(self, ticket: Ticket, now: float, *, repeats_refused: bool = False) -> bool:
        """Notes that a request is about to be sent. False if it must not be, because it would be refused.

        ``repeats_refused``: it repeats a request that YouTube has perhaps refused. That one is no success.
        """
        if self.window.state != "closed" and not self._is_probing(ticket):
            return False
        if ticket.sent and not repeats_refused:
            # The request before this one was answered, or the video would have no second one.
            self._count_success(now)
        ticket.sent += 1
        ticket.began = ticket.began or now
        return True

    def succeeded(self, ticket: Ticket, now: float) -> None:
        """YouTube answered the last request of this ticket, whatever it said of the video."""
        self._passed += 1
        self._doubted, self._paused_until = None, float("-inf")
        self._refused.pop(ticket.video_id, None)
        if self._suspect and ticket.video_id != self._suspect[0] and ticket.began > self._suspect[1]:
            self._suspect = None
        if self._is_probing(ticket):
            self._close(ticket)
        self._count_success(now)

    def refused(self, ticket: Ticket, now: float, *, weak: bool = False, unknown: bool = False) -> bool:
        """YouTube refused the last request of this ticket. Returns whether it refused the address.

        A ``weak`` refusal may be of the video alone: the other videos then go one at a time, and a second
        refused video decides, unless it was refused before, while others passed. A refusal that is not weak
        counts as weak for such a video.

        An ``unknown`` refusal never opens the breaker: a few such videos would keep all others waiting, and
        spoil the rate. Two of them with no success in between only make the others wait a little, and then go
        one at a time. It says nothing if other videos have passed since this video was first refused.
        """
        video = ticket.video_id
        own = self._refused.get(video, self._passed) < self._passed
        if len(self._refused) > 1000:
            self._refused.clear()
        if weak or unknown:
            self._refused.setdefault(video, self._passed)
        if unknown:
            if not own:
                if self._doubted not in (None, video):
                    self._suspect, self._paused_until = (video, now), now + FIRST_PAUSE
                self._doubted = video
            return False
        if weak and own:
            self._suspect = self._suspect or (video, now)
            return False
        if self._is_probing(ticket):
            self._open(now, self.window.pause * _PAUSE_GROWTH)
            return True
        if ticket.generation != self.window.generation:
            return True  # sent before the breaker moved: says nothing new
        if not weak:
            self._refused[video] = self._passed
        if (weak or own) and (self._suspect is None or self._suspect[0] == video):
            self._suspect = video, now
            return False
        bore_little = self.window.counted < _LEAST_BUDGET
        self._open(now, self.window.pause * _PAUSE_GROWTH if bore_little else FIRST_PAUSE)
        return True

    def release(self, ticket: Ticket, now: float) -> None:
        """Takes the ticket back. After a probe without an answer the breaker is open again."""
        self.tickets.discard(ticket)
        rate = self._rate()
        if rate is not None:
            self._turn_at += (ticket.sent - REQUESTS_PER_VIDEO) / rate
        if self._is_probing(ticket):
            self._move(state="open", opens_at=now + (self.window.pause if ticket.sent else 0.0))

    def sync(self, there: Window) -> Window:
        """Merges the other processes' view into this one; returns what to write for them.

        The caller sets :attr:`last_synced` to it once it is written. The bucket pays for their requests, too.
        """
        last = self.last_synced or Window()
        self.window, self.last_synced = merge(last, self.window, there), there
        rate = self._rate()
        if rate is not None:
            self._turn_at += (there.succeeded - last.succeeded) / rate
        if there.generation != last.generation:
            self._suspect = None
            for ticket in self.tickets:
                ticket.generation = -1  # no answer to it may move the breaker
        return self.window

    def _count_success(self, now: float) -> None:
        self.window = replace(self.window, succeeded=self.window.succeeded + 1, last_success=now)

    def _ticket(self, video_id: str, *, probe: bool = False) -> Ticket:
        ticket = Ticket(video_id, self.window.generation, probe)
        self.tickets.add(ticket)
        return ticket

    def _is_probing(self, ticket: Ticket) -> bool:
        window = self.window
        return ticket.probe and window.state == "half_open" and ticket.generation == window.generation

    def _open(self, now: float, pause: float) -> None:
        self._suspect = None
        pause = min(pause, LONGEST_PAUSE)
        self._move(state="open", pause=pause, opens_at=now + pause)

    def _close(self, probe: Ticket) -> None:
        window, rate = self.window, self._rate()
        of_probe = probe.sent - 1  # its earlier requests: they are of the new count
        if window.counted >= _LEAST_BUDGET:
            seconds = max(FIRST_PAUSE, probe.began - window.began)
            measured = _MARGIN * (window.counted - of_probe) / seconds
            rate = max(measured, _SLOWEST, _LARGEST_DECREASE * (rate or 0.0))
        elif rate is None:
            rate = _CAREFUL
        before = window.succeeded - of_probe
        self._move(state="closed", rate=rate, began=probe.began, succeeded_before=before)

    def _move(self, **changes: Any) -> None:
        self.window = replace(self.window, generation=self.window.generation + 1, **changes)
