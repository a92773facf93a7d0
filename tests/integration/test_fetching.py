"""Fetching and indexing with the real Firestore: YouTube is asked once for each video."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import uuid4

import pytest

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed, Malformed, NotReached, Transient
from shared.gcp.documents import Commit
from shared.gcp.firestore import Firestore
from shared.pipeline.jobs import Job
from shared.transcripts.store import CLAIM
from shared.transcripts.transcript import Answer, Lines, Transcript
from tests.integration.world import SPOKEN, Clock, World, answering, at_once, fresh_ids, refusing

NO_CAPTIONS = Answer("no_transcript", reason="The video has no captions.")
PRIVATE = Answer("unavailable", reason="The video is private.")
#: For videos about which YouTube must not be asked.
NOT_ASKED = refusing(AssertionError("YouTube was asked"))


def test_concurrent_fetchers_ask_once(world: World) -> None:
    """One video in two jobs, each delivered four times at the same time."""
    (video_id,) = fresh_ids(1)
    jobs = [world.running([video_id]), world.running([video_id])]
    asked: list[str] = []

    def ask(asked_for: str) -> Answer:
        asked.append(asked_for)
        return SPOKEN

    def deliver(job: Job) -> None:
        for _ in range(50):
            try:
                world.fetch(job, video_id, ask, spent=1000)
            except Transient:
                continue
            return
        raise AssertionError("the claim never ended")

    at_once([partial(deliver, job) for job in jobs * 4])
    assert asked == [video_id]
    for job in jobs:
        world.index(job, video_id)
    counts = [world.check(job.job_id) for job in jobs]
    assert sorted(each.reused for each in counts) == [0, 1]
    assert sorted(each.youtube_bytes for each in counts) == [0, 1000]


def test_a_claim_of_a_worker_that_died_runs_out(world: World, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    with world.transcripts.claim(video_id, world.stored(video_id)):
        with pytest.raises(Transient, match="Another worker"):
            world.fetch(job, video_id, NOT_ASKED)
        clock_of_test.forward(seconds=CLAIM.total_seconds())
        world.fetch(job, video_id, answering(SPOKEN))
    assert world.topics.videos("transcripts") == [video_id]
    assert world.outcome(video_id).kind == "transcript"


def test_a_fetcher_without_a_way_out_counts_no_attempt(world: World) -> None:
    """After a cold start connecting may take a minute. Eight attempts of the video would be over by then."""
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    for _ in range(10):
        with pytest.raises(NotReached):
            world.fetch(job, video_id, refusing(NotReached("YouTube could not be reached in time.")))
    entry = world.entry(job, video_id)
    assert (entry.state, entry.attempts) == ("pending", 0)
    assert entry.reason == "YouTube could not be reached in time."
    # Once YouTube has been reached, the way out is there, and the next failure counts.
    world.routing._routes[0].reached = True
    with pytest.raises(AttemptFailed):
        world.fetch(job, video_id, refusing(NotReached("YouTube could not be reached in time.")))
    assert world.entry(job, video_id).attempts == 1
    world.fetch(job, video_id, answering(SPOKEN))
    assert world.outcome(video_id).kind == "transcript"


def test_a_failed_attempt_is_noted_and_ends_the_claim(world: World, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    waits: list[timedelta] = []
    for number in range(7):
        before = clock_of_test()
        with pytest.raises(AttemptFailed, match="cannot be read"):
            world.fetch(job, video_id, refusing(AttemptFailed("It cannot be read.")))
        entry = world.entry(job, video_id)
        assert (entry.attempts, entry.reason) == (number + 1, "It cannot be read.")
        assert entry.next_attempt_at is not None
        assert world.stored(video_id).claimed_until is None
        waits.append(entry.next_attempt_at - before)
    assert [round(each.total_seconds()) for each in waits] == [1, 2, 4, 8, 16, 32, 60]
    world.fetch(job, video_id, answering(SPOKEN), spent=50)
    world.index(job, video_id)
    assert world.check(job.job_id).youtube_bytes == 750


def test_a_failed_attempt_counts_although_the_video_has_changed_meanwhile(world: World) -> None:
    """As when it waited long for its turn, and another delivery noted something about it."""
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])

    def ask(asked_for: str) -> Answer:
        world.ledger.note_attempt(job.job_id, world.entry(job, video_id), reason="Another delivery.")
        raise AttemptFailed("It cannot be read.")

    for attempts in (2, 4, 6):
        with pytest.raises(AttemptFailed):
            world.fetch(job, video_id, ask)
        assert world.entry(job, video_id).attempts == attempts
    world.fetch(job, video_id, ask)
    assert world.entry(job, video_id).state == "failed"
    # Nothing is noted about a video that was settled meanwhile.
    world.fetch(job, video_id, NOT_ASKED)


def test_the_eighth_failed_attempt_fails_the_video(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    failing = refusing(AttemptFailed("It cannot be read."))
    for _ in range(7):
        with pytest.raises(AttemptFailed):
            world.fetch(job, video_id, failing, spent=10)
    world.fetch(job, video_id, failing, spent=10)
    entry = world.entry(job, video_id)
    assert (entry.state, entry.reason) == ("failed", "It cannot be read. Given up after 8 attempts.")
    assert world.check(job.job_id).youtube_bytes == 80
    assert world.job(job.job_id).state == "done"


def test_a_video_without_captions_is_rechecked_less_and_less_often(
    world: World, clock_of_test: Clock
) -> None:
    (video_id,) = fresh_ids(1)

    def recheck_at() -> datetime:
        found = world.outcome(video_id).look_again_at
        assert found is not None
        return found

    waits: list[int] = []
    for _ in range(7):
        asked_at = clock_of_test()
        world.fetch(world.running([video_id]), video_id, answering(NO_CAPTIONS))
        waits.append(round((recheck_at() - asked_at) / timedelta(days=1)))
        clock_of_test.forward(days=waits[-1], minutes=-1)
        world.fetch(world.running([video_id]), video_id, NOT_ASKED)
        clock_of_test.forward(minutes=2)
    assert waits == [1, 3, 9, 27, 81, 90, 90]
    # A transcript is never asked for again.
    world.fetch(world.running([video_id]), video_id, answering(SPOKEN))
    clock_of_test.forward(days=1000)
    world.fetch(world.running([video_id]), video_id, NOT_ASKED)


def test_an_unavailable_video_is_settled_without_another_message(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job, other = world.running([video_id]), world.running([video_id])
    world.fetch(job, video_id, answering(PRIVATE), spent=70)
    world.fetch(other, video_id, NOT_ASKED)
    assert world.topics.videos("transcripts") == []
    entry = world.entry(job, video_id)
    assert (entry.state, entry.reason) == ("unavailable", "The video is private.")
    assert (world.check(job.job_id).reused, world.check(job.job_id).youtube_bytes) == (0, 70)
    assert (world.check(other.job_id).reused, world.check(other.job_id).youtube_bytes) == (1, 0)
    assert world.job(other.job_id).state == "done"


def test_messages_of_a_cancelled_job_or_a_settled_video_are_dropped(world: World) -> None:
    settled, pending = fresh_ids(2)
    job = world.running([settled, pending])
    world.settle(job, settled, "failed")
    world.fetch(job, settled, NOT_ASKED)
    world.jobs.cancel(job.job_id)
    world.fetch(job, pending, NOT_ASKED)
    assert world.topics.videos("transcripts") == []


def test_a_message_of_an_unknown_job_is_dropped(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.fetch(replace(job, job_id="no-such-job"), video_id, NOT_ASKED)
    assert world.topics.videos("transcripts") == []


def test_a_message_of_an_unknown_video_is_malformed(world: World) -> None:
    job = world.running(fresh_ids(1))
    with pytest.raises(Malformed, match="has no video"):
        world.fetch(job, "another-video", NOT_ASKED)
    with pytest.raises(Malformed, match="has no video"):
        world.index(job, "another-video")


def test_a_transcript_that_is_too_long_to_store_counts_as_none(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    noise = Random(1).randbytes(1_100_000).hex()  # it can be compressed to half of its length
    transcript = Transcript("en", "English", False, Lines([0], [3500], [noise]))
    world.fetch(job, video_id, answering(Answer("transcript", transcript)), spent=500)
    outcome = world.outcome(video_id)
    assert (outcome.kind, outcome.youtube_bytes) == ("no_transcript", 500)
    assert "too long" in outcome.reason
    assert world.topics.videos("transcripts") == [video_id]


def test_the_whole_way_of_a_video_with_real_requests(youtube: LiveServer, world: World) -> None:
    job = world.new_job(playlist=f"PLgen-3-{uuid4().hex[:6]}")
    world.plan(job)
    for video_id in world.topics.videos():
        world.fetch(job, video_id)
    assert Counter(world.topics.videos("transcripts")) == Counter(world.topics.videos())
    for video_id in world.topics.videos("transcripts"):
        world.index(job, video_id)
    assert world.job(job.job_id).state == "done"
    for video_id, document in world.search_index.written.items():
        assert document["title"] == youtube.control(f"videos/{video_id}")["title"]
        assert generate.phrase_of(video_id).text in document["transcript"]
    assert world.check(job.job_id).youtube_bytes > 0


# -- indexing ----------------------------------------------------------------------------------------


def test_while_the_search_index_fails_a_video_waits_and_is_not_fetched_again(
    youtube: LiveServer, world: World
) -> None:
    job = world.new_job(playlist=f"PLgen-1-{uuid4().hex[:6]}")
    world.plan(job)
    (video_id,) = world.topics.videos()
    world.fetch(job, video_id)
    spent = world.outcome(video_id).youtube_bytes
    world.search_index.broken.add("write")
    for attempt in (1, 2, 3):
        with pytest.raises(Transient, match="write failed"):
            world.index(job, video_id)
        entry = world.entry(job, video_id)
        assert (entry.state, entry.attempts, entry.reason) == ("pending", attempt, "write failed.")
        assert entry.next_attempt_at is not None
    assert world.check(job.job_id).states["pending"] == 1
    world.search_index.broken.clear()
    world.index(job, video_id)
    entry = world.entry(job, video_id)
    assert (entry.state, entry.reason, entry.next_attempt_at) == ("indexed", "", None)
    assert world.check(job.job_id).youtube_bytes == spent > 0
    assert world.job(job.job_id).state == "done"
    assert youtube.stats()["endpoints"]["player"]["requests"] == 1


class ReadOnly(Firestore):
    """The database, which takes no writes."""

    def commit(self) -> Commit:
        raise Transient("The database is read-only.")


def test_an_error_that_cannot_be_noted_is_raised_all_the_same(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.store(video_id, job_id=job.job_id)
    world.search_index.broken.add("write")
    world.db = read_only = ReadOnly(world.config)
    with pytest.raises(Transient, match="write failed"):
        world.index(job, video_id)
    read_only.close()


def test_a_video_that_is_not_stored_is_left_to_the_sweep(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.index(job, video_id)
    assert world.check(job.job_id).states["pending"] == 1
