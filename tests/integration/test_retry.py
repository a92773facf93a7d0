"""Retrying and cancelling jobs, with the real Firestore."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from shared.errors import Busy, NotFound
from shared.messages import VideoMessage
from shared.pipeline.ledger import NewEntry
from tests.integration.world import World, at_once, ids


def test_a_retry_gives_failed_videos_another_round(world: World) -> None:
    videos = ids(150)
    job = world.running(videos)
    failed = set(videos[::3])
    at_once([partial(world.settle, job, each, "failed" if each in failed else "indexed") for each in videos])
    assert world.job(job.job_id).state == "done"
    world.topics.forget()
    world.retry.retry(world.job(job.job_id))
    now = world.job(job.job_id)
    assert (now.state, now.finished_at, now.error) == ("running", None, None)
    counts = world.check(job.job_id).states
    assert (counts["pending"], counts["indexed"], counts["failed"]) == (50, 100, 0)
    assert Counter(world.topics.videos()) == Counter(failed)
    messages = [message for _, message in world.topics.published if isinstance(message, VideoMessage)]
    assert {message.round for message in messages} == {1}
    # The job is the active one of its playlist again.
    assert world.jobs.start(job.user_id, job.playlist_id) == (world.job(job.job_id), False)
    at_once([partial(world.settle, now, each, "indexed") for each in failed])
    assert world.check(job.job_id).states["indexed"] == 150
    assert world.job(job.job_id).state == "done"


def test_concurrent_retries_begin_one_round(world: World) -> None:
    videos = ids(120)
    job = world.running(videos)
    at_once([partial(world.settle, job, each, "failed") for each in videos])
    done = world.job(job.job_id)
    at_once([lambda: world.retry.retry(done)] * 4)
    assert world.check(job.job_id).states["pending"] == 120
    assert {entry.round for entry in world.entries(job.job_id).values()} == {1}
    assert world.job(job.job_id).state == "running"


def test_bytes_of_failed_attempts_are_counted_once_over_all_rounds(world: World) -> None:
    job = world.running(ids(1))
    video_id = "video-00000"
    for spent in (10, 20):
        entry = world.entry(job, video_id)
        world.ledger.note_attempt(job.job_id, entry, reason="busy", youtube_bytes=spent)
    entry = world.entry(job, video_id)
    assert (entry.attempts, entry.youtube_bytes, entry.reason) == (2, 30, "busy")
    world.dead_letter(job, video_id)
    assert world.check(job.job_id).youtube_bytes == 30
    world.retry.retry(world.job(job.job_id))
    assert world.check(job.job_id).youtube_bytes == 30
    world.settle(job, video_id, "indexed", spent=5)
    assert world.check(job.job_id).youtube_bytes == 35


def test_a_retry_has_to_wait_for_a_newer_job_of_the_same_playlist(world: World) -> None:
    job = world.running(ids(1))
    world.settle(job, "video-00000", "failed")
    newer, new = world.jobs.start(job.user_id, job.playlist_id)
    assert new
    with pytest.raises(Busy, match="another job"):
        world.retry.retry(world.job(job.job_id))
    assert world.entry(job, "video-00000").state == "failed"
    assert world.jobs.start(job.user_id, job.playlist_id)[0].job_id == newer.job_id
    world.jobs.cancel(newer.job_id)
    world.retry.retry(world.job(job.job_id))
    assert world.job(job.job_id).state == "running"


def test_a_job_that_is_planned_again_keeps_the_shards_of_its_counters(world: World) -> None:
    """The playlist became shorter between a planning that was cancelled and its retry."""
    job = world.jobs.begin_planning(world.new_job(), "A playlist", 140)
    world.enter(job, [NewEntry(each, each, 0) for each in ids(60)])
    world.jobs.cancel(job.job_id)
    world.topics.forget()
    world.retry.retry(world.job(job.job_id))
    assert (world.job(job.job_id).state, world.topics.playlists()) == ("queued", 1)
    job = world.jobs.begin_planning(world.job(job.job_id), "A playlist", 10)
    assert job.shards == 3
    world.jobs.seal(job.job_id)
    assert world.check(job.job_id).states["pending"] == 60
    at_once([partial(world.settle, job, each, "indexed") for each in ids(60)])
    assert world.job(job.job_id).state == "done"
    world.check(job.job_id)


# -- cancelling --------------------------------------------------------------------------------------


def test_a_cancelled_job_keeps_its_counts_and_can_be_retried(world: World) -> None:
    videos = ids(20)
    job = world.running(videos)
    for video_id in videos[:5]:
        world.settle(job, video_id, "indexed")
    world.jobs.cancel(job.job_id)
    cancelled = world.job(job.job_id)
    assert (cancelled.state, cancelled.active) == ("cancelled", False)
    assert world.check(job.job_id).states["pending"] == 15
    world.completion.complete_if_settled(job.job_id)
    world.jobs.cancel(job.job_id)
    assert world.job(job.job_id) == cancelled
    world.topics.forget()
    world.retry.retry(cancelled)
    assert Counter(world.topics.videos()) == Counter(videos[5:])
    at_once([partial(world.settle, job, each, "indexed") for each in videos])
    assert world.job(job.job_id).state == "done"
    world.check(job.job_id)


def test_a_job_that_is_cancelled_while_its_last_videos_settle_ends_one_way_or_the_other(
    world: World,
) -> None:
    for _ in range(5):
        job = world.running(ids(4))
        settlements = [partial(world.settle, job, each, "indexed") for each in ids(4)]
        at_once([*settlements, partial(world.jobs.cancel, job.job_id)])
        world.completion.complete_if_settled(job.job_id)
        assert world.job(job.job_id).state in ("done", "cancelled")
        world.check(job.job_id)
        assert world.jobs.start(job.user_id, job.playlist_id)[1], "a job that is over keeps others out"


def test_removing_a_playlist_cancels_its_active_job_and_no_other(world: World) -> None:
    job = world.running(ids(2))
    other = world.new_job(user=job.user_id)
    world.remove(job)
    with pytest.raises(NotFound):
        world.remove(replace(job, playlist_id="PLnothing"))
    assert world.job(job.job_id).state == "cancelled"
    assert world.job(other.job_id).state == "queued"
