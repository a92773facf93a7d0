"""The share of each user: how many videos they may have fetched again on one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed, TooMany
from shared.pipeline.quotas import Quota
from shared.transcripts.transcript import Answer
from tests.integration.own_library import CORRECTED, NOT_ASKED, Library
from tests.integration.world import SPOKEN, Clock, World, answering, at_once, define, fresh_ids, refusing


@pytest.fixture
def library(world: World, youtube: LiveServer) -> Library:
    return Library(world, youtube, fresh_ids(3))


def test_nobody_has_more_videos_fetched_again_than_their_share(
    library: Library, clock_of_test: Clock
) -> None:
    world = library.world
    world.config = replace(world.config, fetch_again_per_day=5)
    # Noon, so that the day does not end during this test.
    now = clock_of_test()
    clock_of_test.ahead += now.replace(hour=12, minute=0, second=0) + timedelta(days=1) - now
    library.again(answering(SPOKEN))
    with pytest.raises(TooMany, match=r"2 are left today, and these are 3\."):
        library.start.start(library.user, library.playlist, again=True)
    for video in library.videos[:2]:
        library.start.fetch_again(library.user, video)
    # A job that is under way costs nothing more.
    library.start.fetch_again(library.user, library.videos[0])
    with pytest.raises(TooMany) as raised:
        library.start.fetch_again(library.user, library.videos[2])
    assert raised.value.retry_after is not None
    assert 11 * 3600 < raised.value.retry_after <= 12 * 3600
    # An ordinary refresh is not concerned.
    library.refresh(NOT_ASKED)
    clock_of_test.forward(hours=12)
    library.start.fetch_again(library.user, library.videos[2])


def test_concurrent_requests_do_not_exceed_the_share(library: Library) -> None:
    library.world.config = replace(library.world.config, fetch_again_per_day=2)
    start = library.start

    def attempt(video_id: str) -> bool:
        try:
            return start.fetch_again(library.user, video_id)[1]
        except TooMany:
            return False

    assert sum(at_once([partial(attempt, video) for video in library.videos])) == 2


def test_a_playlist_that_has_grown_is_fetched_again_as_far_as_it_was_charged(
    library: Library, youtube: LiveServer
) -> None:
    """The new videos are stored already, because others have them. They are not asked for again."""
    world = library.world
    world.config = replace(world.config, fetch_again_per_day=3)
    added = fresh_ids(60)
    for video in added:
        world.store(video)
    define(youtube, library.playlist, [*added, *library.videos])
    job = library.start.start(library.user, library.playlist, again=True)[0]
    asked: list[str] = []

    def ask(video_id: str) -> Answer:
        asked.append(video_id)
        return CORRECTED

    # Each message comes twice. By the time of the first one, the new videos are in the library.
    world.topics.forget()
    world.plan(job)
    held = world.memberships.read(library.user, library.playlist)
    assert held is not None
    assert set(added) < set(held.video_ids)
    for video in world.topics.videos() * 2:
        world.fetch(job, video, ask)
    for video in world.topics.videos("transcripts"):
        world.index(job, video)
    counts = world.check(job.job_id)
    assert sorted(asked) == sorted(library.videos)
    assert (world.job(job.job_id).state, counts.states["indexed"], counts.reused) == ("done", 63, 60)
    with pytest.raises(TooMany, match="0 are left today, and these are 1"):
        library.start.fetch_again(library.user, library.videos[0])


def test_a_job_that_is_continued_fetches_no_more_again_than_it_was_charged_for(
    library: Library, youtube: LiveServer
) -> None:
    """Between its cancellation and its retry, another job brings more videos into the library."""
    world = library.world
    world.config = replace(world.config, fetch_again_per_day=3)
    job = library.start.start(library.user, library.playlist, again=True)[0]
    world.jobs.cancel(job.job_id)
    (added,) = fresh_ids(1)
    define(youtube, library.playlist, [*library.videos, added])
    library.refresh(answering(SPOKEN))
    world.retry.retry(world.job(job.job_id), Quota.for_user(library.user, world.config))
    library.run(world.job(job.job_id), answering(CORRECTED))
    assert [library.text(each) for each in (*library.videos, added)] == [["what was meant"]] * 3 + [
        ["what is said"]
    ]
    assert world.check(job.job_id).reused == 1


def test_a_retry_of_videos_that_are_fetched_again_is_charged(library: Library) -> None:
    world, broken = library.world, refusing(AttemptFailed("It cannot be read."))
    world.config = replace(world.config, fetch_again_per_day=5)
    quota = Quota.for_user(library.user, world.config)
    job = library.start.start(library.user, library.playlist, again=True)[0]
    world.plan(job)
    for video in library.videos[:2]:
        for _ in range(7):
            with pytest.raises(AttemptFailed):
                world.fetch(job, video, broken)
        world.fetch(job, video, broken)
    world.fetch(job, library.videos[2], answering(CORRECTED))
    world.index(job, library.videos[2])
    done = world.job(job.job_id)
    assert (done.state, world.check(job.job_id).states["failed"]) == ("done", 2)
    # Three are charged. Two more are possible, and then none.
    world.retry.retry(done, quota)
    for video in library.videos[:2]:
        for _ in range(2):
            world.fetch(job, video, answering(CORRECTED))
        world.index(job, video)
    assert world.check(job.job_id).states["indexed"] == 3
    with pytest.raises(TooMany, match="0 are left today"):
        library.start.fetch_again(library.user, library.videos[0])


@pytest.mark.parametrize("of", ["playlist", "video"])
def test_failed_videos_are_not_fetched_again_beyond_the_share(library: Library, of: str) -> None:
    world, video = library.world, library.videos[0]
    world.config = replace(world.config, fetch_again_per_day=3 if of == "playlist" else 1)
    if of == "playlist":
        job = library.start.start(library.user, library.playlist, again=True)[0]
    else:
        job = library.start.fetch_again(library.user, video)[0]
    world.plan(job)
    for each in world.topics.videos():
        world.dead_letter(job, each)
    before = world.check(job.job_id)
    with pytest.raises(TooMany):
        world.retry.retry(world.job(job.job_id), Quota.for_user(library.user, world.config))
    assert world.check(job.job_id) == before
    assert world.job(job.job_id).state == "done"


@pytest.mark.parametrize("share", [1, 2])
def test_a_playlist_that_is_larger_than_the_share_is_told_what_to_do(library: Library, share: int) -> None:
    library.world.config = replace(library.world.config, fetch_again_per_day=share)
    with pytest.raises(TooMany) as raised:
        library.start.start(library.user, library.playlist, again=True)
    said = str(raised.value)
    assert f"These are 3 videos, more than the {share} that you can have fetched again in a day." in said
    assert "Fetch single videos again, or ask the operator to raise FETCH_AGAIN_PER_DAY." in said
    assert "midnight" not in said
    assert raised.value.retry_after is None
    # Nothing is charged.
    assert library.start.fetch_again(library.user, library.videos[0])[1]


def test_a_playlist_that_is_not_in_the_library_is_indexed_as_usual(
    library: Library, youtube: LiveServer
) -> None:
    playlist, user = f"PL{uuid4().hex[:12]}", f"user-{uuid4().hex[:8]}"
    define(youtube, playlist, library.videos)
    job, new = library.start.start(user, playlist, again=True)
    assert (new, job.again) == (True, False)
    # Also while it is being indexed for the first time.
    assert library.start.start(user, playlist, again=True) == (library.world.job(job.job_id), False)
    assert library.world.check(library.run(job, NOT_ASKED).job_id).reused == 3
