"""What a call of the scheduler does about what it finds, in a database in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from shared import clock
from shared.config import Config
from shared.gcp.pubsub import Topics
from shared.library.memberships import membership_path
from shared.library.packing import pack_ids
from shared.library.refreshes import Refresh, refresh_from, refresh_path
from shared.oauth.grants import Grants
from shared.pipeline.refresh import Refreshing
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


class Town:
    """Libraries with sources that are due, and whoever refreshes them."""

    def __init__(self, time: StoppedClock) -> None:
        self.time, self.db, self.youtube, self.topics = time, InMemory(), YouTube(), _Topics()
        self.refreshing = Refreshing(
            Config(),
            self.db,
            cast(Topics, self.topics),
            cast(DataApi, self.youtube),
            cast(Grants, None),
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
