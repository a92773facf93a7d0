"""The counts of a job are exact: under repetition, in any order, from many threads. The Firestore is real."""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from shared.errors import Transient
from shared.pipeline.ledger import NewEntry, VideoState
from tests.integration.world import NOTHING_SAID, World, at_once, ids
from tests.libraries import put_membership

SETTLED: tuple[VideoState, ...] = ("indexed", "no_transcript", "unavailable", "failed")


@pytest.mark.parametrize("seed", range(4))
def test_counts_match_the_ledger_whatever_is_repeated(world: World, seed: int) -> None:
    """Each video is settled three times, in any order, from sixteen threads, with changing outcomes."""
    choose = random.Random(seed)
    videos = ids(120)
    job = world.running(videos)
    assert job.shards == 3
    work = [(video_id, choose.choice(SETTLED)) for video_id in videos * 3]
    choose.shuffle(work)
    at_once(
        [
            partial(world.settle, job, video_id, state, spent=100, reused=state == "no_transcript")
            for video_id, state in work
        ]
    )
    counts = world.check(job.job_id)
    assert counts.states["pending"] == 0
    assert counts.reused == counts.states["no_transcript"]
    assert counts.youtube_bytes == 100 * (len(videos) - counts.reused)
    assert world.job(job.job_id).state == "done"
    assert world.search_index.calls["refresh"] >= 1
    for entry in world.entries(job.job_id).values():
        assert entry.reason == f"was {entry.state}"


def test_a_job_completes_once_and_a_new_one_may_start(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "yts")
    videos = ids(60)
    job = world.running(videos)
    at_once([partial(world.settle, job, each, "indexed") for each in videos * 2])
    at_once([lambda: world.completion.complete_if_settled(job.job_id)] * 8)
    assert caplog.messages.count("job is done") == 1
    done = world.job(job.job_id)
    assert done.state == "done"
    assert done.finished_at is not None
    again, new = world.jobs.start(job.user_id, job.playlist_id)
    assert new
    assert again.job_id != job.job_id


def test_an_entry_that_eight_deliveries_have_read_is_settled_once(world: World) -> None:
    job = world.running(ids(1))
    entry = world.entry(job, "video-00000")
    outcome = replace(NOTHING_SAID, job_id=job.job_id, youtube_bytes=7)
    at_once([lambda: world.settlement.settle(job, entry, "indexed", outcome=outcome)] * 8)
    counts = world.check(job.job_id)
    assert (counts.states["indexed"], counts.youtube_bytes) == (1, 7)


def test_a_job_is_not_done_before_its_playlist_is_listed(world: World) -> None:
    job = world.jobs.begin_planning(world.new_job(), "A playlist", 2)
    world.enter(job, [NewEntry("a", "A", 0)])
    world.settle(job, "a", "indexed")
    assert world.job(job.job_id).state == "planning"
    assert world.job(job.job_id).total is None
    world.enter(job, [NewEntry("b", "B", 1, "unavailable", "It is private.")])
    world.jobs.seal(job.job_id)
    assert world.completion.complete_if_settled(job.job_id)
    assert (world.job(job.job_id).state, world.job(job.job_id).total) == ("done", 2)
    world.check(job.job_id)


def test_entries_that_are_settled_from_the_start_are_counted(world: World) -> None:
    job = world.jobs.begin_planning(world.new_job(), "A playlist", 3)
    world.enter(job, [NewEntry(each, each, 0, "indexed", reused=True) for each in ids(3)])
    world.jobs.seal(job.job_id)
    assert world.completion.complete_if_settled(job.job_id)
    assert world.job(job.job_id).state == "done"
    assert world.check(job.job_id).reused == 3


@pytest.mark.parametrize("call", ["refresh", "write_membership"])
def test_a_job_whose_completion_failed_is_completed_later(world: World, call: str) -> None:
    """The last entry is settled, but the search index does not answer."""
    job = world.running(ids(2))
    put_membership(world.db, job.user_id, job.playlist_id, ids(3))
    world.settle(job, "video-00000", "indexed")
    world.search_index.broken.add(call)
    with pytest.raises(Transient, match=f"{call} failed"):
        world.settle(job, "video-00001", "indexed")
    assert world.entry(job, "video-00001").state == "indexed"
    assert world.job(job.job_id).state == "running"
    world.search_index.broken.clear()
    assert world.completion.complete_if_settled(job.job_id)
    assert world.job(job.job_id).state == "done"
    world.check(job.job_id)


# -- starting ----------------------------------------------------------------------------------------


def test_twenty_concurrent_starts_make_one_job(world: World) -> None:
    user, playlist = f"user-{uuid4().hex[:8]}", "PLtwenty"
    found = at_once([lambda: world.jobs.start(user, playlist)] * 20, threads=20)
    assert len({job.job_id for job, _ in found}) == 1
    assert sum(new for _, new in found) == 1
    assert len(world.jobs.recent(user)) == 1


def test_a_start_with_an_id_makes_one_job_even_if_that_is_over(world: World) -> None:
    user, job_id = f"user-{uuid4().hex[:8]}", uuid4().hex
    found = at_once([lambda: world.jobs.start(user, "PLgiven", job_id)] * 8)
    assert {job.job_id for job, _ in found} == {job_id}
    assert sum(new for _, new in found) == 1
    world.jobs.cancel(job_id)
    job, new = world.jobs.start(user, "PLgiven", job_id)
    assert (job.job_id, job.state, new) == (job_id, "cancelled", False)


def test_each_user_and_playlist_has_a_job_of_its_own(world: World) -> None:
    user = f"user-{uuid4().hex[:8]}"
    made = [world.jobs.start(*each) for each in ((user, "PLa"), (user, "PLb"), (f"{user}-2", "PLa"))]
    assert all(new for _, new in made)
    assert len({job.job_id for job, _ in made}) == 3


def test_active_jobs_are_found_and_others_are_not(world: World) -> None:
    job, over = world.running(ids(1)), world.running(ids(1))
    world.jobs.cancel(over.job_id)
    found = {each.job_id for each in world.jobs.active()}
    assert job.job_id in found
    assert over.job_id not in found


# -- the library -------------------------------------------------------------------------------------


def test_a_membership_notes_the_end_of_its_job_and_keeps_its_videos(world: World) -> None:
    job = world.running(ids(3))
    put_membership(world.db, job.user_id, job.playlist_id, ids(3))
    searchable, also_searchable, failed = ids(3)
    world.search_index.known = dict.fromkeys((searchable, also_searchable, "of another playlist"), "")
    world.settle(job, searchable, "indexed")
    world.settle(job, also_searchable, "no_transcript")
    world.settle(job, failed, "failed")
    found = world.memberships.read(job.user_id, job.playlist_id)
    assert found is not None
    assert (found.video_ids, found.indexed_videos, found.job_id) == (tuple(ids(3)), 2, job.job_id)
    assert world.search_index.memberships[job.user_id, job.playlist_id] == tuple(ids(3))
    world.memberships.remove(job.user_id, job.playlist_id)
    assert world.memberships.read(job.user_id, job.playlist_id) is None
    assert (job.user_id, job.playlist_id) not in world.search_index.memberships


def test_a_playlist_can_be_removed_while_the_search_index_fails(world: World) -> None:
    user_id = f"user-{uuid4().hex[:8]}"
    put_membership(world.db, user_id, "PLx", ids(3))
    world.search_index.broken.add("delete_membership")
    world.memberships.remove(user_id, "PLx")
    assert world.memberships.of_user(user_id) == []
    assert world.search_index.calls["delete_membership"] == 1
