"""Retrying and cancelling, against the real Firestore emulator."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from shared import dead_letters, jobs, ledger, rounds
from shared.documents import Commit
from shared.errors import Busy
from shared.events import Delivery
from shared.ledger import NewEntry
from shared.messages import VideoMessage
from tests.integration.firestore_support import (
    Seams,
    at_once,
    check,
    dead_letter,
    enter,
    entries_of,
    ids,
    job_of,
    new_job,
    running,
    settle,
)


def test_a_retry_gives_failed_videos_another_round(seams: Seams) -> None:
    videos = ids(150)
    job = running(videos)
    failed = set(videos[::3])
    at_once([partial(settle, job, each, "failed" if each in failed else "indexed") for each in videos])
    assert job_of(job.job_id).state == "done"
    seams.forget()
    rounds.retry(job_of(job.job_id))
    now = job_of(job.job_id)
    assert (now.state, now.finished_at, now.error) == ("running", None, None)
    assert check(job.job_id).states == {
        "pending": 50,
        "indexed": 100,
        "no_transcript": 0,
        "unavailable": 0,
        "failed": 0,
    }
    assert Counter(seams.videos()) == Counter(failed)
    assert {message.round for _, message in seams.published if isinstance(message, VideoMessage)} == {1}
    # The same user and playlist: this job is the active one again.
    assert jobs.start(job.user_id, job.playlist_id) == (job_of(job.job_id), False)
    at_once([partial(settle, now, each, "indexed") for each in failed])
    assert check(job.job_id).states["indexed"] == 150
    assert job_of(job.job_id).state == "done"


def test_retries_pressed_at_once_are_one(seams: Seams) -> None:
    videos = ids(120)
    job = running(videos)
    at_once([partial(settle, job, each, "failed") for each in videos])
    done = job_of(job.job_id)
    at_once([lambda: rounds.retry(done)] * 4)
    assert check(job.job_id).states["pending"] == 120
    assert {entry.round for entry in entries_of(job.job_id).values()} == {1}
    assert job_of(job.job_id).state == "running"


def test_a_late_dead_letter_of_an_earlier_round_settles_nothing(seams: Seams) -> None:
    job = running(ids(2))
    dead_letter(job, "video-00000")
    settle(job, "video-00001", "indexed")
    assert job_of(job.job_id).state == "done"
    rounds.retry(job_of(job.job_id))
    dead_letter(job, "video-00000", 0)
    assert entries_of(job.job_id)["video-00000"].state == "pending"
    assert job_of(job.job_id).state == "running"
    dead_letter(job, "video-00000", 1)
    entry = entries_of(job.job_id)["video-00000"]
    assert entry.state == "failed"
    assert "Given up after 8 attempts." in entry.reason
    assert job_of(job.job_id).state == "done"
    check(job.job_id)


def test_bytes_of_failed_attempts_are_counted_once_over_all_rounds(seams: Seams) -> None:
    job = running(ids(1))
    video_id = "video-00000"
    for spent in (10, 20):
        commit = Commit()
        ledger.note_attempt(
            commit, job.job_id, entries_of(job.job_id)[video_id], reason="busy", youtube_bytes=spent
        )
        commit.run()
    entry = entries_of(job.job_id)[video_id]
    assert (entry.attempts, entry.youtube_bytes, entry.reason) == (2, 30, "busy")
    dead_letter(job, video_id)
    assert check(job.job_id).youtube_bytes == 30
    rounds.retry(job_of(job.job_id))
    assert check(job.job_id).youtube_bytes == 30
    settle(job, video_id, "indexed", spent=5)
    assert check(job.job_id).youtube_bytes == 35


def test_a_dead_letter_of_what_is_settled_or_unknown_changes_nothing(seams: Seams) -> None:
    job = running(ids(2))
    settle(job, "video-00000", "indexed")
    dead_letter(job, "video-00000")
    dead_letter(job, "no-such-video")
    dead_letter(replace(job, job_id="no-such-job"), "video-00000")
    assert entries_of(job.job_id)["video-00000"].state == "indexed"
    check(job.job_id)


def test_retrying_an_old_job_waits_for_the_new_one_of_the_same_playlist(seams: Seams) -> None:
    job = running(ids(1))
    settle(job, "video-00000", "failed")
    newer, new = jobs.start(job.user_id, job.playlist_id)
    assert new
    with pytest.raises(Busy, match="not over yet"):
        rounds.retry(job_of(job.job_id))
    assert entries_of(job.job_id)["video-00000"].state == "failed"
    assert jobs.start(job.user_id, job.playlist_id)[0].job_id == newer.job_id
    jobs.cancel(newer.job_id)
    rounds.retry(job_of(job.job_id))
    assert job_of(job.job_id).state == "running"


def test_planning_again_keeps_the_shards_that_entries_were_counted_in(seams: Seams) -> None:
    """The playlist grew, or shrank, between a cancelled planning and its retry."""
    job = jobs.begin_planning(new_job(), "A playlist", 140)
    enter(job, [NewEntry(each, each, 0) for each in ids(60)])
    jobs.cancel(job.job_id)
    seams.forget()
    rounds.retry(job_of(job.job_id))
    assert (job_of(job.job_id).state, seams.playlists()) == ("queued", 1)
    job = jobs.begin_planning(job_of(job.job_id), "A playlist", 10)
    assert job.shards == 3
    jobs.seal(job.job_id)
    assert check(job.job_id).states["pending"] == 60
    at_once([partial(settle, job, each, "indexed") for each in ids(60)])
    assert job_of(job.job_id).state == "done"
    check(job.job_id)


def test_a_cancelled_job_keeps_its_counts_and_can_go_on(seams: Seams) -> None:
    videos = ids(20)
    job = running(videos)
    for video_id in videos[:5]:
        settle(job, video_id, "indexed")
    jobs.cancel(job.job_id)
    cancelled = job_of(job.job_id)
    assert (cancelled.state, cancelled.active) == ("cancelled", False)
    assert check(job.job_id).states["pending"] == 15
    assert not jobs.finish_if_settled(job.job_id) or job_of(job.job_id).state == "cancelled"
    jobs.cancel(job.job_id)
    seams.forget()
    rounds.retry(cancelled)
    assert Counter(seams.videos()) == Counter(videos[5:])
    at_once([partial(settle, job, each, "indexed") for each in videos])
    assert job_of(job.job_id).state == "done"
    check(job.job_id)


def test_cancelling_while_the_last_videos_settle_ends_it_one_way_or_the_other(seams: Seams) -> None:
    for _ in range(5):
        job = running(ids(4))
        at_once(
            [partial(settle, job, each, "indexed") for each in ids(4)] + [partial(jobs.cancel, job.job_id)]
        )
        jobs.finish_if_settled(job.job_id)
        assert job_of(job.job_id).state in ("done", "cancelled")
        check(job.job_id)
        assert jobs.start(job.user_id, job.playlist_id)[1], "no pointer of a job that is over is left"


def test_a_removed_playlist_cancels_its_active_job_only(seams: Seams) -> None:
    job = running(ids(2))
    other = new_job(user=job.user_id)
    jobs.cancel_active(job.user_id, job.playlist_id)
    jobs.cancel_active(job.user_id, "PLnothing")
    assert job_of(job.job_id).state == "cancelled"
    assert job_of(other.job_id).state == "queued"


def test_a_late_dead_letter_of_the_planner_does_not_fail_a_job_that_runs(seams: Seams) -> None:
    job = running(ids(2))
    data = f'{{"playlist_id": "{job.playlist_id}", "job_id": "{job.job_id}"}}'.encode()
    attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "8"}
    dead_letters.settle(Delivery("1", data, attributes, None))
    jobs.note(job.job_id, "YouTube asks for patience. It is tried again.")
    assert (job_of(job.job_id).state, job_of(job.job_id).error) == ("running", None)
    waiting = new_job()
    data = f'{{"playlist_id": "{waiting.playlist_id}", "job_id": "{waiting.job_id}"}}'.encode()
    jobs.note(waiting.job_id, "YouTube asks for patience. It is tried again.")
    dead_letters.settle(Delivery("1", data, attributes, None))
    failed = job_of(waiting.job_id)
    assert (failed.state, failed.error) == (
        "failed",
        "YouTube asks for patience. Given up after 8 attempts.",
    )
