"""What a call of the scheduler does about what it finds, in a database in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from shared import clock
from shared.config import Config, ConfigError
from shared.errors import GrantExpired, KeyRefused, NotVisible
from shared.gcp.pubsub import Topics
from shared.gcp.room import Room
from shared.library import refreshes
from shared.library.memberships import Memberships, membership_path
from shared.library.packing import pack_ids
from shared.library.refreshes import Again, Refresh, refresh_from, refresh_path
from shared.oauth.grants import Grants
from shared.pipeline.jobs import job_path
from shared.pipeline.refresh import Refreshed, Refreshing
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

    expired = False

    def access_token(self, _: str) -> str | None:
        if self.expired:
            raise GrantExpired
        return self.token

    def expire(self, *_: object) -> None:
        pass

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
            lambda user_id: True,
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

    def work_on(self, playlist_id: str, **fields: Any) -> None:
        """A job that is active. ``fields``: of the job, as they are stored."""
        known = {"user_id": "ann", "playlist_id": playlist_id, "state": "running", "created_at": self.time()}
        self.db[job_path("busy")] = known | fields
        if "video_ids" not in fields:
            self.db[f"active_jobs/ann:{playlist_id}"] = {"job_id": "busy"}

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


@pytest.mark.parametrize("error", [KeyRefused("Set a valid key."), ConfigError("YOUTUBE_API_KEY")])
def test_trouble_with_the_key_puts_nothing_off(town: Town, error: Exception) -> None:
    def refuse(_: str) -> None:
        raise error

    town.hold(FIRST)
    town.hold(SECOND)
    before = town.plan(FIRST), town.plan(SECOND)
    town.youtube.asked = refuse
    assert town.refreshing.run().troubles == 1
    assert len(town.youtube.pages) == 1, "the answer would be the same"
    after = town.plan(FIRST), town.plan(SECOND)
    assert [each.slot_at for each in after] == [each.slot_at for each in before]
    assert [each.due_at for each in after] == [each.due_at for each in before]
    assert after[0].late
    # It is mended.
    town.youtube.asked = lambda _: None
    assert town.refreshing.run().jobs == 2
    assert town.plan(FIRST).late is None


def test_what_needs_a_new_grant_comes_within_a_day_of_it(town: Town) -> None:
    town.hold(FIRST, chosen="weekly")
    path = membership_path("ann", FIRST)
    town.db[path] = town.db[path] | {"privacy": "private"}
    town.grants.expired = True
    assert town.refreshing.run().units == 0, "nothing was asked for"
    assert town.plan(FIRST).late
    town.grants.expired, town.grants.token = False, "token of ann"
    town.time.forward(days=1)
    assert town.refreshing.run().jobs == 1


def test_a_job_of_some_videos_does_not_take_the_place_of_a_listing(town: Town) -> None:
    town.hold(FIRST)
    town.work_on(FIRST, video_ids=pack_ids(["video000001"]))
    assert town.refreshing.run().jobs == 1
    assert town.listed() == [FIRST]


def test_a_job_of_new_videos_is_waited_for(town: Town) -> None:
    town.hold(FIRST)
    before = town.plan(FIRST)
    town.work_on(FIRST, new_only=True)
    done = town.refreshing.run()
    assert (done.jobs, done.units) == (0, 0)
    assert town.plan(FIRST).slot_at == before.slot_at
    town.db.commit().delete(job_path("busy")).run()
    town.time.forward(minutes=11)
    assert town.refreshing.run().jobs == 1


def test_a_listing_that_goes_on_is_the_refresh(town: Town) -> None:
    town.hold(FIRST)
    town.work_on(FIRST)
    assert town.refreshing.run().jobs == 0
    slot_at = town.plan(FIRST).slot_at
    assert slot_at is not None
    assert slot_at > town.time()


@pytest.mark.parametrize(("visible", "jobs"), [(True, 1), (False, 0)])
def test_what_others_do_not_see_any_more_costs_two_units_unless_its_owner_sees_it(
    town: Town, visible: bool, jobs: int
) -> None:
    def hide(_: str) -> None:
        if len(town.youtube.pages) == 1 or not visible:
            raise NotVisible("YouTube knows no such playlist.")

    town.hold(FIRST, videos=100)
    town.youtube.asked, town.grants.token = hide, "token of ann"
    done = town.refreshing.run()
    assert done.jobs == jobs
    assert len(town.youtube.pages) == 2
    assert visible or done.units == 2
    assert bool(town.plan(FIRST).late) is not visible


def test_without_room_for_more_nothing_is_asked_for_and_everything_stays_due(
    town: Town, tmp_path: Path
) -> None:
    town.hold(FIRST)
    full, before = tmp_path / "full", town.plan(FIRST)
    full.write_text("The library is full.")
    town.db.room = Room(full)
    assert town.refreshing.run() == Refreshed()
    assert (town.youtube.pages, town.plan(FIRST)) == ([], before)
    full.unlink()
    town.refreshing.run()
    assert town.listed() == [FIRST]
