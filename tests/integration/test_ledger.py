"""Counts are exact: under repetition, in any order, from many threads, against the real emulator."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from shared import clock, dead_letters, documents, jobs, ledger, library, rounds, store
from shared.documents import Commit
from shared.errors import Busy, Transient
from shared.events import Delivery
from shared.jobs import Job
from shared.ledger import NewEntry, State
from shared.messages import VideoMessage
from tests.integration.firestore_support import (
    Seams,
    at_once,
    check,
    enter,
    entries_of,
    ids,
    job_of,
    new_job,
    running,
)

SETTLED: tuple[State, ...] = ("indexed", "no_transcript", "unavailable", "failed")


def settle(job: Job, video_id: str, state: State, *, spent: int = 0, of_round: int | None = None) -> None:
    """As a function does: reads the entry, decides, settles; "is it pending?" is asked again below."""
    entry = ledger.entry_of(documents.read(ledger.entry_path(job.job_id, video_id))[0])
    assert entry is not None
    jobs.settle(
        job,
        entry,
        state,
        reason=f"was {state}",
        reused=state == "no_transcript",
        youtube_bytes=spent,
        of_round=of_round,
    )


def dead_letter(job: Job, video_id: str, number: int = 0) -> None:
    attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "8"}
    dead_letters.settle(
        Delivery(uuid4().hex, VideoMessage(job.job_id, video_id, number).encode(), attributes, None)
    )


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_ledger_whatever_is_repeated(seams: Seams, seed: int) -> None:
    """Each video three times, in any order, from sixteen threads, not always with the same outcome."""
    choose = random.Random(seed)
    videos = ids(120)
    job = running(videos)
    assert job.shards == 3
    work = [(video_id, choose.choice(SETTLED)) for video_id in videos * 3]
    choose.shuffle(work)
    at_once([partial(settle, job, *each, spent=100) for each in work])
    counts = check(job.job_id)
    assert counts.states["pending"] == 0
    assert counts.youtube_bytes == 100 * len(videos)
    assert counts.reused == counts.states["no_transcript"]
    assert job_of(job.job_id).state == "done"
    assert seams.calls["refresh"] >= 1
    for entry in entries_of(job.job_id).values():
        assert entry.reason == f"was {entry.state}"


def test_a_job_ends_once_and_takes_its_pointer_along(
    seams: Seams, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = ids(60)
    job = running(videos)
    at_once([partial(settle, job, each, "indexed") for each in videos * 2])
    at_once([lambda: jobs.finish_if_settled(job.job_id)] * 8)
    assert capsys.readouterr().out.count("job is done") == 1
    done = job_of(job.job_id)
    assert done.state == "done"
    assert done.finished_at is not None
    again, new = jobs.start(job.user_id, job.playlist_id)
    assert new
    assert again.job_id != job.job_id


def test_the_same_stale_entry_settles_once(seams: Seams) -> None:
    """Eight deliveries that all read the entry before any of them wrote."""
    job = running(ids(1))
    entry = entries_of(job.job_id)["video-00000"]
    at_once([lambda: jobs.settle(job, entry, "indexed", youtube_bytes=7)] * 8)
    counts = check(job.job_id)
    assert (counts.states["indexed"], counts.youtube_bytes) == (1, 7)


def test_a_job_is_not_done_before_it_is_sealed(seams: Seams) -> None:
    job = jobs.begin_planning(new_job(), "A playlist", 2)
    enter(job, [NewEntry("a", "A", 0)])
    settle(job, "a", "indexed")
    assert job_of(job.job_id).state == "planning"
    assert job_of(job.job_id).total is None
    enter(job, [NewEntry("b", "B", 1, "unavailable", "It is private.")])
    jobs.seal(job.job_id)
    assert (job_of(job.job_id).state, job_of(job.job_id).total) == ("done", 2)
    check(job.job_id)


def test_a_job_whose_videos_are_all_settled_at_birth_is_done_when_sealed(seams: Seams) -> None:
    job = jobs.begin_planning(new_job(), "A playlist", 3)
    enter(job, [NewEntry(each, each, 0, "indexed", reused=True) for each in ids(3)])
    jobs.seal(job.job_id)
    assert job_of(job.job_id).state == "done"
    assert check(job.job_id).reused == 3


def test_a_death_before_the_end_is_made_good(seams: Seams) -> None:
    """The last entry is settled, Elasticsearch does not answer the refresh: whoever is next ends it."""
    job = running(ids(2))
    settle(job, "video-00000", "indexed")
    seams.broken = {"refresh"}
    with pytest.raises(Exception, match="refresh does not answer"):
        settle(job, "video-00001", "indexed")
    assert job_of(job.job_id).state == "running"
    seams.broken = set()
    assert jobs.finish_if_settled(job.job_id)
    assert job_of(job.job_id).state == "done"
    check(job.job_id)


# -- starting ---------------------------------------------------------------------------------------


def test_twenty_starts_at_once_are_one_job(seams: Seams) -> None:
    user, playlist = f"user-{uuid4().hex[:8]}", "PLtwenty"
    found = at_once([lambda: jobs.start(user, playlist)] * 20, threads=20)
    assert len({job.job_id for job, _ in found}) == 1
    assert sum(new for _, new in found) == 1
    assert len(jobs.recent(user)) == 1


def test_a_start_with_an_id_is_repeatable_even_when_it_is_over(seams: Seams) -> None:
    user, job_id = f"user-{uuid4().hex[:8]}", uuid4().hex
    found = at_once([lambda: jobs.start(user, "PLgiven", job_id)] * 8)
    assert {job.job_id for job, _ in found} == {job_id}
    assert sum(new for _, new in found) == 1
    jobs.cancel(job_id)
    job, new = jobs.start(user, "PLgiven", job_id)
    assert (job.job_id, job.state, new) == (job_id, "cancelled", False)


def test_other_users_and_playlists_have_jobs_of_their_own(seams: Seams) -> None:
    user = f"user-{uuid4().hex[:8]}"
    made = [jobs.start(user, "PLa"), jobs.start(user, "PLb"), jobs.start(f"{user}-2", "PLa")]
    assert all(new for _, new in made)
    assert len({job.job_id for job, _ in made}) == 3


# -- rounds -----------------------------------------------------------------------------------------


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


# -- cancelling -------------------------------------------------------------------------------------


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


# -- the store --------------------------------------------------------------------------------------


def test_of_many_who_claim_a_video_one_gets_it(seams: Seams) -> None:
    video_id = f"v{uuid4().hex[:10]}"
    for stored in (store.read_outcomes([video_id])[video_id], None):
        if stored is None:
            # Once more when it is there already, with a claim that has run out.
            expired = {"claimed_until": clock.now() - timedelta(seconds=1)}
            Commit().set(store.transcript_path(video_id), expired).run()
            stored = store.read_outcomes([video_id])[video_id]
        assert at_once([partial(_claims, video_id, stored)] * 12).count(True) == 1
        assert not _claims(video_id, store.read_outcomes([video_id])[video_id])


def _claims(video_id: str, stored: store.Stored) -> bool:
    try:
        store.claim(video_id, stored)
    except Transient:
        return False
    return True


# -- the library ------------------------------------------------------------------------------------


def test_the_membership_is_noted_at_the_end_and_survives_as_it_was_put(seams: Seams) -> None:
    job = running(ids(3))
    library.put(job.user_id, job.playlist_id, "A playlist", None, ids(3))
    for video_id, state in zip(ids(3), SETTLED[:2] + SETTLED[3:], strict=True):
        settle(job, video_id, state)
    found = library.playlist(job.user_id, job.playlist_id)
    assert found is not None
    assert (found.video_ids, found.indexed_videos, found.job_id) == (tuple(ids(3)), 2, job.job_id)
    assert seams.libraries[job.user_id, job.playlist_id] == tuple(ids(3))
    library.remove(job.user_id, job.playlist_id)
    assert library.playlist(job.user_id, job.playlist_id) is None
