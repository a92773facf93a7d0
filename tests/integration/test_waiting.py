"""Jobs that wait, for a quota or for a server that is away: against the real Firestore emulator."""

from __future__ import annotations

from datetime import timedelta
from time import sleep
from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import clock, jobs, library, planner, search_index, store
from shared.errors import Transient
from shared.jobs import Job
from shared.rounds import retry
from tests.integration.firestore_support import (
    Clock,
    Seams,
    entries_of,
    ids,
    job_of,
    new_job,
    plan,
    running,
    stalled,
    sweep_one,
)


def test_a_job_that_is_over_waits_for_nothing(seams: Seams) -> None:
    cancelled, failed = new_job(), new_job()
    for job in (cancelled, failed):
        jobs.note(job.job_id, "The daily quota is used up.", clock.now() + timedelta(hours=3))
        assert job_of(job.job_id).blocked_until is not None
    jobs.cancel(cancelled.job_id)
    jobs.fail(failed.job_id, "It is private.")
    for job in (cancelled, failed):
        assert job_of(job.job_id).blocked_until is None
        # Tried again, it does not wait for the quota of then, also when its message is lost.
        retry(job_of(job.job_id))
        assert sweep_one(job, messages_lost=True).planned_again == 1


def _published_after(wait: timedelta, job: Job, clock_of_test: Clock) -> int:
    """Firestore notes when it was written by its own clock: a wait counts from there."""
    clock_of_test.ahead = wait
    return sweep_one(job).videos_published


def test_while_nothing_moves_messages_are_published_again_less_and_less_often(
    seams: Seams, clock_of_test: Clock
) -> None:
    job = running(ids(3))
    for times in (1, 2, 4, 8, 16, 16):
        assert _published_after(stalled() * times - timedelta(seconds=30), job, clock_of_test) == 0
        assert _published_after(stalled() * times, job, clock_of_test) == 3


def test_a_job_that_has_moved_is_as_good_as_new(seams: Seams, clock_of_test: Clock) -> None:
    job = running(ids(3))
    for times in (1, 2, 4):
        assert _published_after(stalled() * times, job, clock_of_test) == 3
    jobs.settle(job, entries_of(job.job_id)["video-00000"], "indexed")
    assert _published_after(stalled() - timedelta(seconds=30), job, clock_of_test) == 0
    assert _published_after(stalled(), job, clock_of_test) == 2
    assert _published_after(stalled(), job, clock_of_test) == 0
    assert _published_after(stalled() * 2, job, clock_of_test) == 2


def test_an_elasticsearch_that_hangs_does_not_hold_up_the_listing(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist_id = f"PLgen-150-{uuid4().hex[:6]}"
    plan(new_job(playlist=playlist_id))
    for video_id in seams.videos():
        store.save(video_id, None, job_id="earlier", youtube_bytes=0, reason="The video has no captions.")
    seams.forget()
    seams.broken = {"fingerprints"}
    writings: list[object] = []

    def hanging(*arguments: object) -> None:
        writings.append(arguments)
        sleep(0.3)
        raise Transient("Elasticsearch does not answer.")

    monkeypatch.setattr(search_index, "write_library", hanging)
    monkeypatch.setattr(planner, "_MEMBERSHIP_EVERY", 0.0)
    job = new_job(playlist=playlist_id)
    plan(job)
    assert len(seams.videos()) == 150
    # Three pages: asked with the first of them, and written with the first and at the end.
    assert (seams.calls["fingerprints"], len(writings)) == (1, 2)


def test_a_playlist_is_removed_also_while_elasticsearch_is_away(seams: Seams) -> None:
    library.put("somebody", "PLx", "A playlist", None, ["a"])
    seams.broken = {"delete_library"}
    library.remove("somebody", "PLx")
    assert library.playlists("somebody") == []
    assert seams.calls["delete_library"] == 1
