"""Fetching and indexing against the real Firestore emulator: nobody pays YouTube twice for a video."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from shared import (
    jobs,
    store,
)
from shared.captions import Fetched
from shared.errors import Malformed, NoTranscript, Transient, VideoUnavailable
from shared.jobs import Job
from tests.integration.firestore_support import (
    SPOKEN,
    Clock,
    Seams,
    at_once,
    check,
    entries_of,
    fetch,
    fresh_ids,
    index,
    job_of,
    new_job,
    plan,
    refusing,
    running,
)


def test_two_fetchers_never_both_ask(youtube: InProcess, seams: Seams) -> None:
    """Of one video in two jobs, each delivered four times at once."""
    (video_id,) = fresh_ids(1)
    two = [running([video_id]), running([video_id])]
    asked: list[str] = []

    def ask(asked_for: str) -> Fetched:
        asked.append(asked_for)
        return Fetched(SPOKEN, 1000)

    def delivered(job: Job) -> None:
        for _ in range(50):
            try:
                fetch(job, video_id, ask=ask)
            except Transient:
                continue
            return
        raise AssertionError("the claim never ended")

    at_once([partial(delivered, job) for job in two * 4])
    assert asked == [video_id]
    for job in two:
        index(job, video_id)
    both = [check(job.job_id) for job in two]
    assert sorted(counts.reused for counts in both) == [0, 1]
    assert sorted(counts.youtube_bytes for counts in both) == [0, 1000]


def test_a_claim_of_a_worker_that_died_runs_out(seams: Seams, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    store.claim(video_id, store.read_outcomes([video_id])[video_id])
    with pytest.raises(Transient, match="Another worker"):
        fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 1))
    clock_of_test.forward(seconds=store.CLAIM.total_seconds())
    fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 1))
    assert seams.videos("transcripts") == [video_id]


def test_a_failed_attempt_is_noted_and_frees_the_video(seams: Seams, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    due: list[timedelta] = []
    for number in range(7):
        before = clock_of_test()
        with pytest.raises(Transient, match="refuses"):
            fetch(job, video_id, ask=refusing(Transient("YouTube refuses requests.")))
        entry = entries_of(job.job_id)[video_id]
        assert entry.attempts == number + 1
        assert entry.next_attempt_at is not None
        due.append(entry.next_attempt_at - before)
    assert [round(each.total_seconds()) for each in due] == [1, 2, 4, 8, 16, 32, 60]
    fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 50))
    index(job, video_id)
    assert check(job.job_id).youtube_bytes == 750


def test_without_captions_it_is_looked_at_again_less_and_less_often(
    seams: Seams, clock_of_test: Clock
) -> None:
    (video_id,) = fresh_ids(1)
    waits: list[int] = []
    for _ in range(7):
        asked = clock_of_test()
        fetch(running([video_id]), video_id, ask=refusing(NoTranscript("The video has no captions.")))
        outcome = store.read_outcomes([video_id])[video_id].outcome
        assert outcome is not None
        assert outcome.look_again_at is not None
        waits.append(round((outcome.look_again_at - asked) / timedelta(days=1)))

        def not_to_be_asked(video_id: str) -> Fetched:
            raise AssertionError("it is too early to look again")

        clock_of_test.forward(days=waits[-1], minutes=-1)
        fetch(running([video_id]), video_id, ask=not_to_be_asked)
        clock_of_test.forward(minutes=2)
    assert waits == [1, 3, 9, 27, 81, 90, 90]
    # Captions appeared: that is for good.
    fetch(running([video_id]), video_id, ask=lambda _: Fetched(SPOKEN, 1))
    clock_of_test.forward(days=1000)
    fetch(running([video_id]), video_id, ask=not_to_be_asked)


def test_an_unavailable_video_is_settled_without_a_further_message(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job, other = running([video_id]), running([video_id])
    fetch(job, video_id, ask=refusing(VideoUnavailable("It is private."), 70))
    fetch(other, video_id, ask=refusing(Transient("must not be asked")))
    assert seams.videos("transcripts") == []
    entry = entries_of(job.job_id)[video_id]
    assert (entry.state, entry.reason) == ("unavailable", "It is private.")
    assert (check(job.job_id).reused, check(job.job_id).youtube_bytes) == (0, 70)
    assert (check(other.job_id).reused, check(other.job_id).youtube_bytes) == (1, 0)
    assert job_of(other.job_id).state == "done"


def test_what_is_settled_over_or_cancelled_is_not_asked_for(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    jobs.cancel(job.job_id)
    fetch(job, video_id, ask=refusing(Transient("must not be asked")))
    fetch(replace(job, job_id="no-such-job"), video_id, ask=refusing(Transient("must not be asked")))
    other = running([video_id])
    with pytest.raises(Malformed, match="has no video"):
        fetch(other, "another-video", ask=refusing(Transient("must not be asked")))
    assert seams.videos("transcripts") == []


def test_a_transcript_that_no_document_holds_is_no_transcript(
    seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    monkeypatch.setattr("shared.transcripts.MAXIMUM_STORED_BYTES", 10)
    fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 500))
    outcome = store.read_outcomes([video_id])[video_id].outcome
    assert outcome is not None
    assert (outcome.kind, outcome.youtube_bytes) == ("no_transcript", 500)
    assert "too long" in outcome.reason


def test_one_videos_way_with_real_requests(youtube: InProcess, seams: Seams) -> None:
    job = new_job(playlist=f"PLgen-3-{uuid4().hex[:6]}")
    plan(job)
    for video_id in seams.videos():
        fetch(job, video_id)
    assert Counter(seams.videos("transcripts")) == Counter(seams.videos())
    for video_id in seams.videos("transcripts"):
        index(job, video_id)
    assert job_of(job.job_id).state == "done"
    for video_id, document in seams.written.items():
        told = youtube.control(f"videos/{video_id}")
        assert document.title == told["title"]
        assert generate.phrase_of(video_id).text in " ".join(line.text for line in document.lines)
    assert check(job.job_id).youtube_bytes > 0


def test_without_elasticsearch_nothing_settles_and_nothing_is_fetched_again(
    youtube: InProcess, seams: Seams
) -> None:
    job = new_job(playlist=f"PLgen-1-{uuid4().hex[:6]}")
    plan(job)
    (video_id,) = seams.videos()
    fetch(job, video_id)
    seams.broken = {"write"}
    for _ in range(3):
        with pytest.raises(Transient):
            index(job, video_id)
    assert check(job.job_id).states["pending"] == 1
    seams.broken = set()
    index(job, video_id)
    assert job_of(job.job_id).state == "done"
    assert youtube.stats()["endpoints"]["player"]["requests"] == 1


def test_a_transcript_that_is_not_stored_is_left_to_the_sweep(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    index(job, video_id)
    assert check(job.job_id).states["pending"] == 1
    with pytest.raises(Malformed):
        index(job, "no-such-video")
