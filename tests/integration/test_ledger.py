"""Counts are exact: under repetition, in any order, from many threads, against the real emulator."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from shared import clock, jobs, library, store
from shared.documents import Commit
from shared.errors import Transient
from shared.ledger import NewEntry, State
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
    settle,
)

SETTLED: tuple[State, ...] = ("indexed", "no_transcript", "unavailable", "failed")


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
