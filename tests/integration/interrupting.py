"""What somebody else does while a planner is at work, at a moment that is always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest

from shared import planner
from shared.jobs import Job
from shared.ledger import NewEntry


def at_the_second_page(patch: pytest.MonkeyPatch, act: Callable[[], None], moment: str) -> None:
    """Has it done "before" or "after" the second page is entered; the first is in the library by then."""
    enter, pages = planner._enter, count(1)

    def interrupted(job: Job, entries: Sequence[NewEntry]) -> bool:
        second = next(pages) == 2
        if second and moment == "before":
            act()
        still = enter(job, entries)
        if second and moment == "after":
            act()
        return still

    patch.setattr(planner, "_enter", interrupted)
    patch.setattr(planner, "_MEMBERSHIP_EVERY", 0.0)
    patch.setattr(planner, "_MEMBERSHIP_PAUSE", 0)
