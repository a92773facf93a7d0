"""The sweep, with the real Firestore: lost messages are published again, so that every job ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.config import Config
from shared.errors import AttemptFailed, Transient
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topic
from shared.messages import Message, PlaylistMessage, VideoMessage
from shared.pipeline.ledger import LATE, Ledger, NewEntry
from shared.pipeline.sweep import Sweep, Swept
from tests.integration.recorders import RecordingTopics
from tests.integration.world import Clock, World, fresh_ids, ids, refusing

FAILING = refusing(AttemptFailed("YouTube did not answer in time."))


def test_a_queued_job_whose_message_was_lost_is_published_once_in_a_while(
    world: World, clock_of_test: Clock
) -> None:
    job = world.new_job()
    assert world.sweep(job).planned_again == 0
    clock_of_test.ahead += world.stalled_after
    assert world.sweep(job).planned_again == 1
    assert world.topics.published == [
        ("playlists", PlaylistMessage(job.playlist_id, job.job_id, job.user_id))
    ]


def test_if_pubsub_has_lost_its_messages_all_are_published_at_once(world: World) -> None:
    queued, job = world.new_job(), world.running(ids(30))
    world.settle(job, "video-00003", "indexed")
    assert (world.sweep(queued).planned_again, world.sweep(job).videos_published) == (0, 0)
    assert world.sweep(queued, messages_lost=True).planned_again == 1
    assert world.sweep(job, messages_lost=True).videos_published == 29
    assert "video-00003" not in world.topics.videos()


def test_videos_of_a_stalled_job_are_published_again_unless_they_wait_for_a_retry(
    world: World, clock_of_test: Clock
) -> None:
    videos = fresh_ids(3)
    job = world.running(videos)
    clock_of_test.ahead += world.stalled_after
    with pytest.raises(AttemptFailed):
        world.fetch(job, videos[0], FAILING)
    swept = world.sweep(job)
    assert (swept.videos_published, swept.troubles) == (2, 0)
    assert videos[0] not in world.topics.videos()


def test_an_overdue_video_is_published_once_a_minute_and_not_at_every_sweep(
    world: World, clock_of_test: Clock
) -> None:
    videos = fresh_ids(2)
    job = world.running(videos)
    with pytest.raises(AttemptFailed):
        world.fetch(job, videos[0], FAILING)
    assert world.sweep(job).videos_published == 0
    clock_of_test.ahead += LATE + timedelta(seconds=2)
    assert [world.sweep(job).videos_published for _ in range(3)] == [1, 0, 0]
    assert world.topics.videos() == [videos[0]]
    clock_of_test.ahead += LATE
    assert world.sweep(job).videos_published == 1
    world.check(job.job_id)


def test_a_planning_that_stalls_is_begun_again(world: World, clock_of_test: Clock) -> None:
    job = world.jobs.begin_planning(world.new_job(), "A playlist", 2)
    world.enter(job, [NewEntry(each, each, 0) for each in ids(2)])
    clock_of_test.ahead += world.stalled_after
    swept = world.sweep(job)
    # The planner publishes pending videos itself.
    assert (swept.planned_again, swept.videos_published, swept.troubles) == (1, 0, 0)
    swept = world.sweep(job, messages_lost=True)
    assert (swept.planned_again, swept.videos_published, swept.troubles) == (1, 2, 0)


@pytest.mark.parametrize("listed", [0, 3])
def test_a_job_that_waits_for_the_quota_costs_no_reads_of_its_counters(
    world: World, clock_of_test: Clock, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    """A thousand such jobs, swept each minute, would be a hundred million reads on one day."""
    job = world.new_job()
    if listed:
        job = world.jobs.begin_planning(job, "A playlist", 5000)
        world.enter(job, [NewEntry(each, each, 0) for each in ids(listed)])
        # One of the videos is parked, because its address is blocked.
        parked = world.entry(job, "video-00001")
        world.ledger.park(job.job_id, parked, reason="blocked", until=clock_of_test() + timedelta(minutes=1))
    world.jobs.note_waiting(job.job_id, "The quota is used up.", clock_of_test() + timedelta(hours=5))
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "counts", lambda *_: pytest.fail("the counters were read"))
        assert world.sweep(job) == Swept(jobs=1)
        clock_of_test.ahead += timedelta(minutes=2)
        assert world.sweep(job).videos_published == (1 if listed else 0)
    assert world.topics.videos() == (["video-00001"] if listed else [])
    assert world.view(job)["blocked_until"] is not None
    clock_of_test.ahead += timedelta(hours=5)
    assert world.sweep(job).planned_again == 1


def test_a_job_whose_last_step_failed_is_completed(world: World) -> None:
    job = world.running(ids(1))
    world.search_index.broken.add("refresh")
    with pytest.raises(Transient):
        world.settle(job, "video-00000", "indexed")
    assert world.sweep(job).troubles == 1
    world.search_index.broken.clear()
    assert world.sweep(job).ended == 1
    assert world.job(job.job_id).state == "done"


# -- many jobs ---------------------------------------------------------------------------------------


@pytest.fixture
def empty_world(config: Config, db: Firestore) -> Iterator[World]:
    """A database that holds no other test's jobs."""
    config = replace(config, google_cloud_project=f"yts-{uuid4().hex[:8]}")
    own = Firestore(config)
    made = World(config, own)
    yield made
    made.close()
    own.close()


class FailingTopics(RecordingTopics):
    """Fails to publish the videos of one job."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self._job_id = job_id

    def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        if any(isinstance(each, VideoMessage) and each.job_id == self._job_id for each in messages):
            raise Transient("The work could not be queued.")
        super().publish(topic, messages)


def test_trouble_with_one_job_does_not_stop_the_others(empty_world: World) -> None:
    world = empty_world
    jobs = [world.running(ids(1)) for _ in range(3)]
    over = world.running(ids(1))
    world.jobs.cancel(over.job_id)
    for job in jobs:
        topics = FailingTopics(job.job_id)
        sweep = Sweep(world.config, world.db, topics, world.search_index, world.passages)
        swept = sweep.run(messages_lost=True)
        assert (swept.jobs, swept.troubles, swept.videos_published) == (3, 1, 2)
        assert len(topics.videos()) == 2
