"""Faults that once left a trace they must not leave, or none where a person looks for one."""

from __future__ import annotations

from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import clock, dead_letters, documents, jobs, ledger, library, planner, store
from shared.errors import Transient
from shared.events import Delivery
from tests.integration.firestore_support import (
    SPOKEN,
    Seams,
    check,
    dead_letter,
    entries_of,
    fresh_ids,
    index,
    job_of,
    new_job,
    plan,
    running,
)


def test_what_waits_for_elasticsearch_says_so(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    store.save(video_id, None, job_id=job.job_id, youtube_bytes=9, transcript=SPOKEN)
    seams.broken = {"write"}
    for attempt in (1, 2):
        with pytest.raises(Transient, match="does not answer"):
            index(job, video_id)
        entry = entries_of(job.job_id)[video_id]
        assert (entry.state, entry.attempts) == ("pending", attempt)
        assert "does not answer" in entry.reason
        assert entry.next_attempt_at is not None
    seams.broken = set()
    index(job, video_id)
    entry = entries_of(job.job_id)[video_id]
    assert (entry.state, entry.reason, entry.next_attempt_at) == ("indexed", "", None)
    assert check(job.job_id).youtube_bytes == 9
    assert job_of(job.job_id).state == "done"


def test_an_error_that_cannot_be_noted_is_still_the_one_that_is_raised(
    seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    store.save(video_id, None, job_id=job.job_id, youtube_bytes=9, transcript=SPOKEN)
    seams.broken = {"write"}

    def away(self: documents.Commit) -> list[dict[str, int]]:
        raise Transient("Firestore did not write.")

    monkeypatch.setattr(documents.Commit, "run", away)
    with pytest.raises(Transient, match="write does not answer"):
        index(job, video_id)


def test_a_planner_that_is_late_does_not_put_back_a_playlist_that_was_removed(
    youtube: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job(playlist=f"PLgen-120-{uuid4().hex[:6]}")
    enter = planner._enter

    def enter_and_lose(*arguments: object) -> bool:
        entered = enter(*arguments)  # type: ignore[arg-type]
        # Between the page and the membership, as DELETE /api/playlists does it.
        jobs.cancel_active(job.user_id, job.playlist_id)
        library.remove(job.user_id, job.playlist_id)
        return entered

    monkeypatch.setattr(planner, "_enter", enter_and_lose)
    plan(job)
    assert library.playlist(job.user_id, job.playlist_id) is None
    assert (job.user_id, job.playlist_id) not in seams.libraries
    assert job_of(job.job_id).state == "cancelled"
    check(job.job_id)


def test_an_answer_that_unpacks_beyond_all_measure_is_no_defect(youtube: InProcess, seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    video = {"id": video_id, "description": "long " * 4_000_000}
    youtube.control("playlists", {"videos": [video], "playlists": [{"id": "PLbomb", "videos": [video_id]}]})
    job = new_job(playlist="PLbomb")
    with pytest.raises(Transient, match="beyond all measure"):
        plan(job)
    assert "beyond all measure" in (job_of(job.job_id).error or "")


def test_workers_that_die_do_not_use_up_the_chances_of_their_videos(seams: Seams) -> None:
    """The emulator's eight deliveries take twenty seconds, a claim thirty: the video is innocent."""
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    for attempts in range(1, 7):
        dead_letter(job, video_id, worn=False)
        assert seams.videos() == [video_id] * attempts
        entry = entries_of(job.job_id)[video_id]
        assert (entry.state, entry.attempts) == ("pending", attempts)
        assert entry.next_attempt_at is not None
        check(job.job_id)
    # What kills every worker is not sent for ever.
    dead_letter(job, video_id, worn=False)
    assert entries_of(job.job_id)[video_id].state == "failed"
    assert len(seams.videos()) == 6
    assert check(job.job_id).states["failed"] == 1


def test_a_dead_letter_of_a_video_that_waits_for_its_address_changes_nothing(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    commit = documents.Commit()
    ledger.park(commit, job.job_id, entries_of(job.job_id)[video_id], reason="blocked", until=clock.now())
    commit.run()
    before = entries_of(job.job_id)[video_id]
    dead_letter(job, video_id, worn=False)
    assert entries_of(job.job_id)[video_id] == before
    assert seams.videos() == []


def test_a_dead_letter_of_another_round_sends_nothing_again(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    dead_letter(job, video_id, 7, worn=False)
    jobs.cancel(job.job_id)
    dead_letter(job, video_id, worn=False)
    assert seams.videos() == []


def test_two_messages_of_one_id_are_two_rejections(seams: Seams) -> None:
    """The emulator counts from 1 again when it is started again; a repetition is still no second one."""
    message_id = uuid4().hex
    times = ["2024-01-31T12:00:00.001Z", "2024-01-31T12:00:00.002Z", "2024-01-31T12:00:00.002Z"]
    for number, published in enumerate(times):
        told = {"reason": message_id, "message_id": message_id, "published": published}
        dead_letters.settle(Delivery(f"dead-{number}", f"text {published}".encode(), told, None))
    found = list(documents.query("rejections", ("reason", "==", message_id)))
    assert sorted(each.data["data"] for each in found if each.data) == [f"text {each}" for each in times[:2]]
