"""Fetching again: a person has one video, or a whole playlist, asked for anew."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed, Busy, NotFound, Transient
from shared.transcripts.transcript import Answer
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.own_library import CORRECTED, NO_CAPTIONS, NOT_ASKED, PREMIERE, PRIVATE, Library
from tests.integration.world import SPOKEN, World, answering, at_once, define, fresh_ids, refusing


@pytest.fixture
def library(world: World, youtube: LiveServer) -> Library:
    return Library(world, youtube, fresh_ids(3))


# -- a whole playlist ------------------------------------------------------------------------------


def test_a_refresh_asks_for_nothing_that_is_stored(library: Library) -> None:
    done = library.refresh(NOT_ASKED)
    assert (done.state, library.world.check(done.job_id).reused) == ("done", 3)


def test_a_playlist_is_fetched_again_with_its_metadata(library: Library, youtube: LiveServer) -> None:
    video = library.videos[1]
    youtube.control("playlists", {"videos": [{"id": video, "title": "A better title"}]})
    done = library.again(answering(CORRECTED))
    counts = library.world.check(done.job_id)
    assert (done.state, counts.states["indexed"], counts.reused, counts.youtube_bytes) == ("done", 3, 0, 300)
    assert library.text(video) == ["what was meant"]
    document = library.world.search_index.written[video]
    assert "A better title" in str(document["title"])
    assert "what was meant" in str(document["transcript"])
    # It is the same for everybody, and the next refresh asks for nothing.
    assert library.world.check(library.refresh(NOT_ASKED).job_id).reused == 3


def test_a_message_that_comes_again_does_not_ask_again(library: Library) -> None:
    job = library.again(answering(CORRECTED))
    other = library.start.start(library.user, library.playlist, again=True)[0]
    library.world.topics.forget()
    library.world.plan(other)
    (first, *_) = library.world.topics.videos()
    library.world.fetch(other, first, answering(SPOKEN))
    # The fetcher dies before its message is out. The next delivery hands on what was stored.
    library.world.topics.forget()
    library.world.fetch(other, first, NOT_ASKED)
    assert library.world.topics.videos("transcripts") == [first]
    library.world.index(other, first)
    library.world.index(other, first)
    assert library.world.check(other.job_id).youtube_bytes == 100
    assert library.world.check(job.job_id).youtube_bytes == 300


def test_concurrent_deliveries_ask_once(library: Library) -> None:
    job = library.start.fetch_again(library.user, library.videos[0])[0]
    library.world.plan(job)
    asked: list[str] = []

    def ask(video_id: str) -> Answer:
        asked.append(video_id)
        return CORRECTED

    def deliver() -> None:
        for _ in range(50):
            try:
                library.world.fetch(job, library.videos[0], ask)
            except Transient:
                continue
            return

    at_once([deliver] * 6)
    assert asked == [library.videos[0]]


def test_the_answer_of_another_job_counts_if_it_is_newer(library: Library, youtube: LiveServer) -> None:
    """Two people have the same video fetched again at the same time. YouTube is asked once."""
    world, video = library.world, library.videos[0]
    user, playlist = f"user-{uuid4().hex[:8]}", f"PL{uuid4().hex[:12]}"
    define(youtube, playlist, [video])
    library.run(world.new_job(user, playlist), NOT_ASKED)
    jobs = [library.start.fetch_again(each, video)[0] for each in (library.user, user)]
    for job in jobs:
        world.plan(job)
    world.fetch(jobs[0], video, answering(CORRECTED))
    world.fetch(jobs[1], video, NOT_ASKED)
    for job in jobs:
        world.index(job, video)
    assert [world.check(job.job_id).reused for job in jobs] == [0, 1]


@pytest.mark.parametrize("answer", [NO_CAPTIONS, PRIVATE, PREMIERE], ids=lambda each: each.reason)
def test_a_transcript_is_replaced_by_another_one_only(library: Library, answer: Answer) -> None:
    video = library.videos[0]
    done = library.again(answering(answer))
    assert library.world.check(done.job_id).states["indexed"] == 3
    assert library.text(video) == ["what is said"]
    entry = library.world.entry(done, video)
    assert entry.reason == f"{answer.reason} The transcript that was fetched before is kept."
    assert "what is said" in str(library.world.search_index.written[video]["transcript"])
    # When the captions are back, they are taken.
    library.again(answering(CORRECTED))
    assert library.text(video) == ["what was meant"]
    assert library.world.outcome(video).reason == ""


def test_a_transcript_outlives_attempts_that_fail(library: Library) -> None:
    video = library.videos[0]
    job = library.start.fetch_again(library.user, video)[0]
    library.world.plan(job)
    broken = refusing(AttemptFailed("It cannot be read."))
    for _ in range(7):
        with pytest.raises(AttemptFailed):
            library.world.fetch(job, video, broken)
    library.world.fetch(job, video, broken)
    entry = library.world.entry(job, video)
    assert entry.state == "failed"
    assert entry.reason.endswith("The transcript that was fetched before is kept.")
    assert library.text(video) == ["what is said"]
    # A retry asks once more.
    library.world.retry.retry(library.world.job(job.job_id))
    library.world.fetch(job, video, answering(CORRECTED))
    assert library.text(video) == ["what was meant"]


def test_a_refresh_at_work_is_not_taken_for_fetching_again(library: Library) -> None:
    ordinary = library.start.start(library.user, library.playlist)[0]
    with pytest.raises(Busy, match="being indexed"):
        library.start.start(library.user, library.playlist, again=True)
    library.run(ordinary, NOT_ASKED)
    again, new = library.start.start(library.user, library.playlist, again=True)
    assert new
    # The other way round, everything that is wanted is under way.
    assert library.start.start(library.user, library.playlist)[0].job_id == again.job_id


# -- a single video --------------------------------------------------------------------------------


def test_a_video_is_fetched_again_and_its_playlist_stays_as_it_is(library: Library) -> None:
    video = library.videos[2]
    before = library.world.memberships.read(library.user, library.playlist)
    job, new = library.start.fetch_again(library.user, video)
    assert (new, job.playlist_id, job.video_ids) == (True, library.playlist, (video,))
    assert library.start.fetch_again(library.user, video) == (library.world.job(job.job_id), False)
    # The playlist can be indexed at the same time.
    assert library.start.start(library.user, library.playlist)[1]
    done = library.run(job, answering(CORRECTED))
    assert (done.state, done.total, done.title) == ("done", 1, f"Video {video}")
    assert [library.text(each) for each in library.videos] == [["what is said"]] * 2 + [["what was meant"]]
    assert library.world.memberships.read(library.user, library.playlist) == before
    view = library.world.view(done)
    assert (view["video_id"], view["again"]) == (video, True)


def test_a_planner_of_a_single_video_may_run_twice(library: Library) -> None:
    job = library.start.fetch_again(library.user, library.videos[0])[0]
    at_once([partial(library.world.plan, job)] * 3)
    assert library.world.job(job.job_id).total == 1
    assert library.world.check(job.job_id).states["pending"] == 1


def test_only_videos_of_the_own_library_are_fetched_again(library: Library, world: World) -> None:
    with pytest.raises(NotFound, match="no such video in your library"):
        library.start.fetch_again(f"user-{uuid4().hex[:8]}", library.videos[0])
    world.remove(library.job)
    with pytest.raises(NotFound):
        library.start.fetch_again(library.user, library.videos[0])


# -- over HTTP --------------------------------------------------------------------------------------


def test_fetching_again_over_http(library: Library, functions: HttpFunctions) -> None:
    web, headers = functions.client("index"), bearer(library.world, library.user)

    def post(path: str, body: Any = None) -> Any:
        return web.post(path, json=body, headers=headers)

    answer = post(f"/api/videos/{library.videos[0]}/fetch")
    job_id = answer.get_json()["job_id"]
    assert (answer.status_code, answer.get_json()) == (
        202,
        {"job_id": job_id, "playlist_id": library.playlist, "status_url": f"/api/jobs/{job_id}"},
    )
    assert post("/api/index", {"playlist": library.playlist, "again": True}).status_code == 202
    assert post("/api/videos/nobody-has/fetch").status_code == 404
    for wrong in ("a%20b", "__x__", "%00", "x" * 129):
        assert post(f"/api/videos/{wrong}/fetch").status_code == 400, wrong
    refused = post("/api/index", {"playlist": library.playlist, "again": "yes"})
    assert refused.status_code == 400
    assert "again: expected true or false" in refused.get_json()["detail"]
    assert web.post(f"/api/videos/{library.videos[0]}/fetch").status_code == 401


# -- a playlist that is removed ----------------------------------------------------------------------


def test_jobs_of_single_videos_end_when_their_playlist_is_removed(library: Library) -> None:
    world = library.world
    done = library.run(library.start.fetch_again(library.user, library.videos[0])[0], answering(SPOKEN))
    singles = [library.start.fetch_again(library.user, each)[0] for each in library.videos[:2]]
    world.plan(singles[0])
    whole = library.start.start(library.user, library.playlist)[0]
    others = Library(world, library.youtube, fresh_ids(1))
    kept = others.start.fetch_again(others.user, others.videos[0])[0]
    world.remove(library.job)
    assert {world.job(each.job_id).state for each in (*singles, whole)} == {"cancelled"}
    assert world.job(kept.job_id).active
    world.fetch(singles[0], library.videos[0], NOT_ASKED)
    for job in (done, *singles):
        with pytest.raises(NotFound, match="not in your library any more"):
            world.retry.retry(world.job(job.job_id))
        assert not world.job(job.job_id).active
    world.check(singles[0].job_id)
    with pytest.raises(NotFound):
        world.remove(library.job)
