"""What a refresh notices: videos that could not be watched before, and videos that are gone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.transcripts.store import TranscriptStore
from shared.transcripts.transcript import Answer
from shared.transcripts.videos import video_path
from shared.youtube.data_api import DataApi
from tests.integration.own_library import NO_CAPTIONS, NOT_ASKED, PREMIERE, PRIVATE, RESTRICTED, Library
from tests.integration.world import SPOKEN, Clock, World, answering, define, described, fresh_ids


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


def test_a_video_that_videos_list_never_describes_does_not_become_gone(
    world: World, youtube: LiveServer, clock_of_test: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, other = fresh_ids(2)
    list_videos = DataApi.videos
    monkeypatch.setattr(
        DataApi, "videos", lambda self, ids: list_videos(self, [each for each in ids if each != kept])
    )
    library = Library(world, youtube, [kept, other])
    titles = {each.video_id: each.title for each in world.videos.read([kept, other]).values()}
    for run in (library.refresh, library.again):
        clock_of_test.forward(days=2)
        done = run(answering(SPOKEN))
        assert world.check(done.job_id).states["indexed"] == 2
        assert "gone" not in world.search_index.written[kept]
    done = library.run(library.start.fetch_again(library.user, kept)[0], answering(SPOKEN))
    assert world.check(done.job_id).states["indexed"] == 1
    assert {each.video_id: each.title for each in world.videos.read([kept, other]).values()} == titles


@pytest.mark.parametrize(
    ("stored", "listed"),
    [
        ({"duration_seconds": 60}, True),
        # A live stream.
        ({"duration_seconds": 0}, True),
        # Only a playlist has told us about it.
        ({"duration_seconds": None}, False),
        ({"duration_seconds": 60, "listed": False}, False),
        ({"duration_seconds": None, "listed": True}, True),
    ],
)
def test_metadata_of_an_older_version_counts_as_listed_if_videos_list_gave_it(
    world: World, stored: dict[str, Any], listed: bool
) -> None:
    (video_id,) = fresh_ids(1)
    world.videos.save([described(video_id)])
    data = dict(world.db.read(video_path(video_id))[0].data or {})
    del data["listed"]
    world.db.commit().set(video_path(video_id), {**data, **stored}).run()
    assert world.videos.read([video_id])[video_id].listed is listed


def test_a_video_with_metadata_of_an_older_version_becomes_gone(
    library: Library, youtube: LiveServer, clock_of_test: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, video = library.world, library.videos[0]
    data = dict(world.db.read(video_path(video))[0].data or {})
    del data["listed"]
    world.db.commit().set(video_path(video), data).run()
    monkeypatch.setattr(DataApi, "videos", lambda self, ids: ())
    clock_of_test.forward(days=2)
    done = library.run(library.start.fetch_again(library.user, video)[0], NOT_ASKED)
    assert world.check(done.job_id).states["unavailable"] == 1
    assert world.search_index.written[video]["gone"] is True


GONE = {
    "private": PRIVATE,
    "deleted": Answer("unavailable", reason="This video has been removed by the uploader."),
    "terminated": Answer("unavailable", reason="The account of this video has been terminated."),
}


@pytest.mark.parametrize("verdict", GONE.values(), ids=GONE)
@pytest.mark.parametrize("before", [NO_CAPTIONS, RESTRICTED, PREMIERE], ids=lambda each: each.reason)
def test_a_video_that_the_player_calls_gone_is_marked_and_kept(
    library: Library, before: Answer, verdict: Answer
) -> None:
    world = library.world
    library.videos = fresh_ids(1)
    define(library.youtube, library.playlist, list(library.videos))
    (video,) = library.videos
    library.refresh(answering(before))
    assert "gone" not in world.search_index.written[video]
    done = library.run(library.start.fetch_again(library.user, video)[0], answering(verdict))
    entry = world.entry(done, video)
    assert (done.state, entry.state, entry.reason) == ("done", "unavailable", verdict.reason)
    assert world.check(done.job_id).states["unavailable"] == 1
    document = world.search_index.written[video]
    assert (document["gone"], document["reason"]) == (True, verdict.reason)
    assert video in itertools.chain(*world.transcripts.every_transcript()), "a reindex would drop it"
    # It is settled from the store, also when another message comes, and is asked for later than tomorrow.
    world.search_index.calls.clear()
    refreshed = library.refresh(NOT_ASKED)
    assert (world.entry(refreshed, video).state, world.check(refreshed.job_id).reused) == ("unavailable", 1)
    assert world.search_index.calls["write"] == 0
    # A second verdict leaves the mark, and a video that is back loses it.
    library.run(library.start.fetch_again(library.user, video)[0], answering(verdict))
    assert world.search_index.written[video]["gone"] is True
    library.run(library.start.fetch_again(library.user, video)[0], answering(SPOKEN))
    assert "gone" not in world.search_index.written[video]


@pytest.mark.parametrize("verdict", GONE.values(), ids=GONE)
def test_a_video_that_was_never_found_is_not_found_when_it_is_gone(library: Library, verdict: Answer) -> None:
    (video,) = library.videos = fresh_ids(1)
    define(library.youtube, library.playlist, list(library.videos))
    for run in (library.refresh, library.again):
        done = run(answering(verdict))
        assert library.world.entry(done, video).state == "unavailable"
        assert video not in library.world.search_index.written
        assert video not in itertools.chain(*library.world.transcripts.every_transcript())


def test_the_lines_of_videos_are_read_only_if_they_have_to_be_marked(
    library: Library, youtube: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, gone = library.world, set(library.videos[:2])
    youtube.control("playlists", {"videos": [{"id": each, "status": "private"} for each in gone]})
    read, whole = TranscriptStore.read, set[str]()

    def watched(store: TranscriptStore, video_ids: Any, *, lines: bool = False) -> Any:
        whole.update(video_ids if lines else ())
        return read(store, video_ids, lines=lines)

    monkeypatch.setattr(TranscriptStore, "read", watched)
    library.refresh(NOT_ASKED)
    assert whole == gone
    whole.clear()
    done = library.refresh(NOT_ASKED)
    assert whole == set()
    assert world.check(done.job_id).states["unavailable"] == 2


# -- how many videos are found ---------------------------------------------------------------------


def test_the_number_of_videos_is_that_of_those_that_can_be_found(library: Library) -> None:
    world = library.world

    def number() -> int:
        held = world.memberships.read(library.user, library.playlist)
        assert held is not None
        return held.indexed_videos

    assert number() == 3
    # All of them fail when they are fetched again. They are found as before.
    job = library.start.start(library.user, library.playlist, again=True)[0]
    world.plan(job)
    for video in library.videos:
        world.dead_letter(job, video)
    assert world.check(job.job_id).states["failed"] == 3
    assert (world.job(job.job_id).state, number()) == ("done", 3)
    # A restricted video is found by its title, and counts. A private one that was never found does not.
    restricted, private = fresh_ids(2)
    answers = dict(zip((restricted, private), (RESTRICTED, PRIVATE), strict=True))
    define(library.youtube, library.playlist, [*library.videos, restricted, private])
    library.refresh(lambda video_id: answers.get(video_id, SPOKEN))
    assert number() == 4
