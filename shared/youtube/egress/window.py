"""The state of an address that its processes share. Pure: no clock, no thread, no I/O.

Each process keeps a copy, and about once a second it syncs its copy through one Firestore document.
Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

#: Seconds from a block to its first probe.
FIRST_PAUSE = 2.0
_TIMES = ("opens_at", "last_success", "began")

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Window:
    """One address: its breaker, its learned rate, and a count of requests.

    Attributes:
        generation: grows whenever the breaker moves or the count begins again.
        state: of the breaker. ``closed`` lets requests through, ``open`` none, ``half_open`` one probe.
        opens_at: when the next probe may go; while one is under way, when it counts as lost.
        pause: seconds between a block, or a failed probe, and the next probe.
        succeeded: requests that YouTube has answered, ever. Refused requests are not among them.
        last_success: when the latest of them was answered.
        began: when the present count began: with the probe that ended the last block. Before the first
            block it began with the first request after a rest.
        succeeded_before: ``succeeded`` at that time.
        rate: requests a second that the address was granted at that time; None before its first block.
    """

    generation: int = 0
    state: BreakerState = "closed"
    opens_at: float = 0.0
    pause: float = FIRST_PAUSE
    succeeded: int = 0
    last_success: float = 0.0
    began: float = 0.0
    succeeded_before: int = 0
    rate: float | None = None

    @property
    def counted(self) -> int:
        """Requests that succeeded since the present count began."""
        return self.succeeded - self.succeeded_before


def merge(last_synced: Window, here: Window, there: Window) -> Window:
    """One view from two: ``here`` and ``there`` have both changed since they were ``last_synced``.

    The requests of both sides are added up. The side whose generation changed since then wins everything
    else; if both changed, ``there`` wins.
    """
    only_here = here.generation != last_synced.generation and there.generation == last_synced.generation
    return replace(
        here if only_here else there,
        succeeded=there.succeeded + here.succeeded - last_synced.succeeded,
        last_success=max(here.last_success, there.last_success),
    )


def window_from(data: Mapping[str, Any] | None) -> Window:
    """Reads the fields of a document. A missing document is a new address."""
    data = data or {}
    fields = {name: data[name] for name in asdict(Window()) if name in data}
    fields |= {name: data[name].timestamp() for name in _TIMES if name in data}
    return Window(**fields)


def fields_of(window: Window) -> dict[str, Any]:
    """The fields of a document, with times as Firestore stores them."""
    return asdict(window) | {name: datetime.fromtimestamp(getattr(window, name), UTC) for name in _TIMES}
