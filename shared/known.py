"""What is known of an address, by all its processes together. Pure: no clock, no thread, no I/O.

Each process counts by itself, and now and then all of them agree (:func:`merged`) through one document.
Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

#: Seconds until the first probe.
FIRST_PAUSE = 2.0
#: Seconds without a request after which an address that was never blocked begins a new count.
IDLE = 5.0
#: How finely a ``length`` is remembered.
_PARTS = 40
_TIMES = ("opens_at", "began", "last", "blocked_at", "since")

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Answered:
    """By ``at``, so many of the ``requests`` that Known.spent counts had been answered, at least.

    ``began``: those among them that had not been by the entry before were not sent earlier.
    """

    at: float
    began: float
    requests: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an address; the same for all its processes.

    ``generation`` grows whenever anything but the counts changes. ``opens_at``: of an open breaker, when
    a probe may go; of a half-open one, when its probe is another's. ``borne``: requests since
    the last block. ``spent``: requests since ``began``, when the address was fresh: no window was under
    way; ``last``: when the latest of them was sent or answered; ``answered``: when those of the last
    ``length`` seconds were. ``limit``: requests that any ``length`` seconds
    bear; None before the first block. ``blocked_at``: when the present block was met, 0 without one;
    ``since``: the window that it belongs to did not begin before.
    """

    generation: int = 0
    state: State = "closed"
    opens_at: float = 0.0
    pause: float = FIRST_PAUSE
    borne: int = 0
    began: float = 0.0
    spent: int = 0
    last: float = 0.0
    answered: tuple[Answered, ...] = ()
    limit: int | None = None
    length: float | None = None
    blocked_at: float = 0.0
    since: float = 0.0

    def recent(self, now: float) -> int:
        """Requests that a window that is under way may have counted: all that were not answered before it."""
        return self.spent - (0 if self.length is None else self.by(now - self.length))

    def by(self, at: float) -> int:
        """Requests that had been answered by then."""
        return max((each.requests for each in self.answered if each.at <= at), default=0)

    def noted(self, *entries: Answered) -> Known:
        """With these, in the order of time. What is close together counts as answered with its latest."""
        if self.length is None:
            return self
        kept: list[Answered] = []
        oldest, width = entries[-1].at - self.length, self.length / _PARTS
        for each in entries:
            if kept and each.at <= oldest:
                kept.clear()
            if kept and kept[-1].at // width == each.at // width:
                before = kept.pop()
                began, requests = min(before.began, each.began), max(before.requests, each.requests)
                kept.append(Answered(each.at, began, requests))
            else:
                kept.append(each)
        return replace(self, answered=tuple(kept))


def merged(told: Known, here: Known, there: Known) -> Known:
    """What is known ``here`` and ``there`` together; ``told`` is what both knew before.

    Who has moved since then leads, and it is there if both have. The other's requests are added.
    """
    leads = here.generation != told.generation and there.generation == told.generation
    leader, other = (here, there) if leads else (there, here)
    moved = leader.generation != told.generation
    # Of the other's requests, those that the leader counts already, or that were over before its count began.
    early = leader.began - (leader.length or IDLE)
    over = other.spent if other.last <= early else other.by(early)
    counted = min(other.spent, max(over, told.spent if other.began == told.began else 0))
    same = other.began == leader.began
    entries = [
        replace(
            each,
            requests=max(
                leader.by(each.at) + max(0, other.by(each.at) - counted), other.by(each.at) if same else 0
            ),
        )
        for each in sorted((*leader.answered, *other.answered), key=lambda each: each.at)
    ]
    fresh = [each.began for each in (leader, other) if each.spent]
    together = replace(
        leader,
        # A block in between has ended that count.
        borne=leader.borne + (max(0, other.borne - told.borne) if leader.borne >= told.borne else 0),
        spent=leader.spent + other.spent - counted,
        began=leader.began if moved else min(fresh, default=leader.began),
        last=max(leader.last, other.last),
        # What was in flight at a block may have met it earlier; nothing else changes a limit in passing.
        limit=leader.limit if moved else _less(leader.limit, other.limit),
    )
    return together.noted(*entries) if entries else together


def _less(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def known_of(data: Mapping[str, Any] | None) -> Known:
    """What a document says; nothing is known without one."""
    if not data:
        return Known()
    fields = {name: data[name] for name in asdict(Known()) if name in data}
    fields |= {name: data[name].timestamp() for name in _TIMES if name in data}
    return Known(**fields | {"answered": tuple(Answered(**each) for each in data.get("answered", ()))})


def fields_of(known: Known) -> dict[str, Any]:
    """As a document says it."""
    times = {name: datetime.fromtimestamp(getattr(known, name), UTC) for name in _TIMES}
    return asdict(known) | times
