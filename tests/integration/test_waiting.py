"""Jobs that wait for a quota, or for a server that does not answer, with the real Firestore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from time import sleep
from uuid import uuid4

from infra.local.fake_youtube.live_server import LiveServer
from shared import clock
from shared.errors import Transient
from shared.pipeline.jobs import Job
from shared.transcripts.transcript import Answer
from tests.integration.recorders import RecordingIndex
from tests.integration.world import DELIVERY, Clock, World, ids


def test_a_job_that_is_over_waits_for_nothing(world: World) -> None:
    cancelled, failed = world.new_job(), world.new_job()
    for job in (cancelled, failed):
        until = clock.now() + timedelta(hours=3)
        world.jobs.note_waiting(job.job_id, "The daily quota is used up.", until)
        assert world.job(job.job_id).blocked_until is not None
    world.jobs.cancel(cancelled.job_id)
    world.jobs.fail(failed.job_id, "It is private.")
    for job in (cancelled, failed):
        assert world.job(job.job_id).blocked_until is None
        # A retry does not wait for the quota either, even if its message is lost.
        world.retry.retry(world.job(job.job_id))
        assert world.sweep(job, messages_lost=True).planned_again == 1


def published_after(wait: timedelta, job: Job, world: World, clock: Clock) -> int:
    """Firestore's own clock says when a document was written. So the time of the test starts there."""
    clock.ahead = wait
    return world.sweep(job).videos_published


def test_the_pauses_between_vain_sweeps_of_a_job_double(world: World, clock_of_test: Clock) -> None:
    job = world.running(ids(3))
    for factor in (1, 2, 4, 8, 16, 16):
        wait = world.stalled_after * factor
        assert published_after(wait - timedelta(seconds=30), job, world, clock_of_test) == 0
        assert published_after(wait, job, world, clock_of_test) == 3


def test_the_pauses_start_again_when_a_job_has_moved(world: World, clock_of_test: Clock) -> None:
    stalled = world.stalled_after
    job = world.running(ids(3))
    for factor in (1, 2, 4):
        assert published_after(stalled * factor, job, world, clock_of_test) == 3
    world.settle(job, "video-00000", "indexed")
    assert published_after(stalled - timedelta(seconds=30), job, world, clock_of_test) == 0
    assert published_after(stalled, job, world, clock_of_test) == 2
    assert published_after(stalled, job, world, clock_of_test) == 0
    assert published_after(stalled * 2, job, world, clock_of_test) == 2


class HangingIndex(RecordingIndex):
    """A search index whose calls take their whole timeout. ``calls`` counts them."""

    def write_membership(
        self, user_id: str, playlist_id: str, video_ids: Sequence[str], version: int
    ) -> None:
        self._hang("write_membership")

    def fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        self._hang("fingerprints")
        return {}

    def _hang(self, name: str) -> None:
        self.calls[name] += 1
        sleep(0.3)
        raise Transient("The search index did not answer.")


def test_a_search_index_that_hangs_does_not_hold_up_the_listing(youtube: LiveServer, world: World) -> None:
    playlist_id = f"PLgen-150-{uuid4().hex[:6]}"
    world.plan(world.new_job(playlist=playlist_id))
    for video_id in world.topics.videos():
        world.store(video_id, Answer("no_transcript", reason="The video has no captions."))
    world.topics.forget()
    world.search_index = HangingIndex()
    job = world.new_job(playlist=playlist_id)
    world.planner(membership_every=0).plan(job.message, DELIVERY)
    assert len(world.topics.videos()) == 150
    # There are three pages. The index is asked with the first one, and written with the first and at the end.
    assert world.search_index.calls == {"fingerprints": 1, "write_membership": 2}
