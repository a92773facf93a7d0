"""What a call of the scheduler does about what it finds, in a database in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from shared import clock
from shared.config import Config
from shared.gcp.pubsub import Topics
from shared.library import refreshes
from shared.library.memberships import Memberships, membership_path
from shared.library.packing import pack_ids
from shared.library.refreshes import Again, Refresh, refresh_from, refresh_path
from shared.oauth.grants import Grants
from shared.pipeline.refresh import Refreshing
from shared.search.index.writer import SearchIndex
from shared.youtube.data_api import DataApi
from shared.youtube.resources import FirstPage
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

#: Sources, by the order of their turn.
FIRST, SECOND = "PLfirst", "PLsecond"


class YouTube:
    """Has a new first page of each playlist. ``asked``: called with its id, before the answer."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.asked: Callable[[str], object] = lambda _: None

    def first_page(self, playlist_id: str, *_: object, **__: object) -> FirstPage:
        self.pages.append(playlist_id)
        self.asked(playlist_id)
        return FirstPage(etag=f"new of {playlist_id}", items=(), next_token=None)


class _Topics:
    def __init__(self) -> None:
        self.published: list[Any] = []

    def publish(self, _: str, messages: list[Any]) -> None:
        self.published += messages


class _Grants:
    """``token``: of everybody; None if nobody has signed in with Google."""

    token: str | None = None

    def access_token(self, _: str) -> str | None:
        return self.token

    def state(self, _: str) -> str | None:
        return self.token and "ok"


class Town:
    """Libraries with sources that are due, and whoever refreshes them."""

    def __init__(self, time: StoppedClock) -> None:
        self.time, self.db, self.youtube, self.topics = time, InMemory(), YouTube(), _Topics()
        self.grants = _Grants()
        self.refreshing = Refreshing(
            Config(),
            self.db,
            cast(Topics, self.topics),
            cast(DataApi, self.youtube),
            cast(Grants, self.grants),
        )

    def hold(self, playlist_id: str, user: str = "ann", **fields: Any) -> None:
        """A source whose slot was an hour ago. ``fields``: of :class:`Refresh`, as they are stored."""
        slot_at = self.time() - timedelta(hours=1)
        membership = {"title": playlist_id, "updated_at": slot_at, "video_ids": pack_ids(["video000001"])}
        self.db[membership_path(user, playlist_id)] = membership
        known = {"user_id": user, "playlist_id": playlist_id, "videos": 1}
        self.db[refresh_path(user, playlist_id)] = known | {"slot_at": slot_at, "due_at": slot_at} | fields

    def plan(self, playlist_id: str, user: str = "ann") -> Refresh:
        found = refresh_from(self.db.read(refresh_path(user, playlist_id))[0])
        assert found is not None
        return found

    def listed(self) -> list[str]:
        """The sources for which jobs were handed out."""
        return [message.playlist_id for message in self.topics.published]


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    time = StoppedClock()
    monkeypatch.setattr(clock, "now", time)
    return Town(time)


def test_a_source_that_cannot_be_read_does_not_stop_the_others(town: Town) -> None:
    town.hold(FIRST)
    town.hold(SECOND)
    town.db[membership_path("ann", FIRST)] = {"title": "x", "updated_at": town.time(), "added": b"nonsense"}
    done = town.refreshing.run()
    assert (done.troubles, done.jobs, town.listed()) == (1, 1, [SECOND])
    assert town.plan(FIRST).due_at == town.time() + timedelta(minutes=10), "it is looked at again"


def test_what_a_person_chooses_while_youtube_is_asked_stays(town: Town) -> None:
    town.hold(FIRST)
    library = Memberships(town.db, cast(SearchIndex, None))
    town.youtube.asked = lambda _: library.choose("ann", FIRST, "off")
    assert town.refreshing.run().jobs == 0
    plan = town.plan(FIRST)
    assert (plan.chosen, plan.slot_at, plan.due_at) == ("off", None, None)


def test_what_a_job_finds_out_while_youtube_is_asked_stays(town: Town) -> None:
    waits = {"video000001": Again(town.time() + timedelta(hours=2), not_yet=True)}
    town.hold(FIRST)

    def end_job(playlist_id: str) -> None:
        snapshot = town.db.read(refresh_path("ann", playlist_id))[0]
        commit = town.db.commit()
        refreshes.put(commit, snapshot, "ann", playlist_id, waiting=waits)
        commit.run()

    town.youtube.asked = end_job
    town.refreshing.run()
    assert town.plan(FIRST).waiting == waits
    town.time.forward(minutes=11)
    town.youtube.asked = lambda _: None
    town.refreshing.run()
    assert town.listed() == [FIRST], "it is looked at once more"
    assert town.plan(FIRST).waiting == waits


def test_a_private_source_is_refreshed_in_its_owners_name(town: Town) -> None:
    """Asking so writes the document of the source, which is no change of it."""
    town.hold(FIRST)
    path = membership_path("ann", FIRST)
    town.db[path] = town.db[path] | {"privacy": "private"}
    town.grants.token = "token of ann"
    assert town.refreshing.run().jobs == 1
