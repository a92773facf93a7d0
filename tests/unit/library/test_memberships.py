"""What the end of a job says of its source, in a database in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import cast

import pytest

from shared import clock
from shared.library.memberships import Memberships, membership_path
from shared.library.packing import pack_ids
from shared.library.refreshes import Again, Refresh, Waiting, refresh_from, refresh_path
from shared.search.index.writer import SearchIndex
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

USER, SOURCE = "ann", "collection-0123456789abcdef"
OLD, NEW = "video000old", "video000new"


class _Index:
    def __init__(self) -> None:
        self.copies = 0

    def write_membership(self, *_: object) -> None:
        self.copies += 1

    def count(self, video_ids: Collection[str]) -> int:
        return len(video_ids)


class Library:
    """A source of two videos. ``old``: one of them waits for its captions."""

    def __init__(self, time: StoppedClock) -> None:
        self.time, self.db, self.index = time, InMemory(), _Index()
        self.memberships = Memberships(self.db, cast(SearchIndex, self.index))
        data = {"title": "Talks", "updated_at": time(), "video_ids": pack_ids([OLD, NEW])}
        self.db[membership_path(USER, SOURCE)] = data
        self.old = Again(time() + timedelta(hours=30), not_yet=True)
        self.end("job1", {OLD: self.old})

    def end(self, job_id: str, waiting: Waiting, only: Sequence[str] | None = None) -> None:
        self.memberships.finish(USER, SOURCE, job_id, waiting, lambda ids: list(ids), only=only)

    def plan(self) -> Refresh:
        found = refresh_from(self.db.read(refresh_path(USER, SOURCE))[0])
        assert found is not None
        return found


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    time = StoppedClock()
    monkeypatch.setattr(clock, "now", time)
    return Library(time)


@pytest.mark.parametrize("only", [[NEW], []])
def test_a_job_of_new_videos_says_nothing_of_the_others(library: Library, only: list[str]) -> None:
    before, copies = library.plan(), library.index.copies
    for number in range(5):
        library.time.forward(hours=5)
        new = {each: Again(library.time() + timedelta(hours=1)) for each in only}
        library.end(f"new{number}", new, only)
        plan = library.plan()
        assert plan.waiting == {OLD: library.old, **new}
        assert plan.slot_at == before.slot_at, "it is listed to its end when it was planned"
        assert library.db[membership_path(USER, SOURCE)]["job_id"] == f"new{number}"
    assert library.index.copies == copies + 5, "new videos can be found"


def test_a_job_of_everything_says_what_waits_and_when_it_is_listed_next(library: Library) -> None:
    slot_at = library.plan().slot_at
    assert slot_at is not None
    library.time.forward(days=2)
    library.end("job2", {})
    assert library.plan().waiting == {}
    following = library.plan().slot_at
    assert following is not None
    assert following > library.time()


def test_what_was_taken_out_is_not_waited_for(library: Library) -> None:
    path = membership_path(USER, SOURCE)
    library.db[path] = library.db[path] | {"video_ids": pack_ids([NEW])}
    soon = Again(library.time() + timedelta(hours=1))
    library.end("job2", {NEW: soon, "video0taken": soon}, [NEW])
    assert library.plan().waiting == {NEW: soon}
