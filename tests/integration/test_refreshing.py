"""What a refresh notices: videos that could not be watched before, and videos that are gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from tests.integration.own_library import NO_CAPTIONS, NOT_ASKED, PREMIERE, PRIVATE, Library
from tests.integration.world import SPOKEN, Clock, World, answering, define, fresh_ids


@pytest.fixture
def library(world: World, youtube: LiveServer) -> Library:
    return Library(world, youtube, fresh_ids(3))


# -- videos that cannot be watched yet -------------------------------------------------------------


@pytest.fixture
def premiere(world: World, youtube: LiveServer) -> Library:
    library = Library(world, youtube, [])
    library.videos = fresh_ids(2)
    define(youtube, library.playlist, list(library.videos))
    library.refresh(lambda video_id: PREMIERE if video_id == library.videos[0] else SPOKEN)
    return library


def test_a_refresh_asks_anew_about_what_could_not_be_watched_yet(
    premiere: Library, clock_of_test: Clock
) -> None:
    video = premiere.videos[0]
    assert premiere.world.entry(premiere.world.jobs.recent(premiere.user)[0], video).reason == PREMIERE.reason
    # Whoever presses twice does not ask twice.
    assert premiere.world.check(premiere.refresh(NOT_ASKED).job_id).reused == 2
    clock_of_test.forward(seconds=31)
    done = premiere.refresh(answering(SPOKEN))
    assert premiere.world.check(done.job_id).states["indexed"] == 2
    assert premiere.text(video) == ["what is said"]


@pytest.mark.parametrize(("announced", "after"), [(None, 60), (30, 30), (-10, 1)])
def test_a_premiere_is_due_when_it_was_announced(
    world: World, clock_of_test: Clock, announced: int | None, after: int
) -> None:
    """In minutes. Without a time: in an hour."""
    (video_id,) = fresh_ids(1)
    at = None if announced is None else clock_of_test() + timedelta(minutes=announced)
    for _ in range(3):
        outcome = world.store(video_id, replace(PREMIERE, expected_at=at))
    assert outcome.look_again_at is not None
    assert abs(outcome.look_again_at - clock_of_test() - timedelta(minutes=after)) < timedelta(seconds=20)
    # Its captions come some hours after it. If there are none then, it has none.
    for _ in range(4):
        assert world.store(video_id, NO_CAPTIONS).not_yet
    outcome = world.store(video_id, NO_CAPTIONS)
    assert outcome.look_again_at is not None
    assert outcome.look_again_at - clock_of_test() > timedelta(days=2)
    assert not world.outcome(video_id).not_yet
    assert not world.store(video_id, PRIVATE).not_yet


def test_the_time_that_youtube_announces_is_kept(
    world: World, youtube: LiveServer, clock_of_test: Clock
) -> None:
    (video_id,) = fresh_ids(1)
    begins = (clock_of_test() + timedelta(hours=5)).replace(microsecond=0)
    premiere = {"id": video_id, "status": "premiere", "starts_at": begins.isoformat()}
    youtube.control("playlists", {"videos": [premiere]})
    world.fetch(world.running([video_id]), video_id)
    outcome = world.outcome(video_id)
    assert (outcome.kind, outcome.not_yet, outcome.look_again_at) == ("no_transcript", True, begins)


# -- videos that are gone --------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["private", "deleted"])
def test_a_video_that_is_gone_is_marked_and_kept(library: Library, youtube: LiveServer, status: str) -> None:
    video, index = library.videos[0], library.world.search_index
    before = index.written[video]
    youtube.control("playlists", {"videos": [{"id": video, "status": status}]})
    done = library.refresh(NOT_ASKED)
    assert library.world.entry(done, video).state == "unavailable"
    marked = index.written[video]
    assert marked["gone"] is True
    assert (marked["title"], marked["transcript"]) == (before["title"], before["transcript"])
    held = library.world.memberships.read(library.user, library.playlist)
    assert held is not None
    assert video in held.video_ids
    # It is marked once.
    index.calls.clear()
    library.refresh(NOT_ASKED)
    assert index.calls["write"] == 0
    # And it may come back.
    youtube.control("playlists", {"videos": [{"id": video, "status": "ok", "title": "Back again"}]})
    back = library.refresh(NOT_ASKED)
    assert library.world.entry(back, video).state == "indexed"
    assert "gone" not in index.written[video]
    assert "Back again" in str(index.written[video]["title"])


def test_a_video_that_is_gone_is_not_asked_for_again(library: Library, youtube: LiveServer) -> None:
    video = library.videos[0]
    youtube.control("playlists", {"videos": [{"id": video, "status": "deleted"}]})
    done = library.run(library.start.fetch_again(library.user, video)[0], NOT_ASKED)
    entry = library.world.entry(done, video)
    assert (entry.state, entry.reason) == ("unavailable", "YouTube does not show this video any more.")
    assert library.world.search_index.written[video]["gone"] is True
    assert library.text(video) == ["what is said"]


def test_a_mark_is_made_up_for_when_the_index_did_not_take_it(library: Library, youtube: LiveServer) -> None:
    video, index = library.videos[0], library.world.search_index
    youtube.control("playlists", {"videos": [{"id": video, "status": "private"}]})
    index.broken.add("write")
    assert library.refresh(NOT_ASKED).state == "done"
    assert "gone" not in index.written[video]
    index.broken.clear()
    library.refresh(NOT_ASKED)
    assert index.written[video]["gone"] is True
