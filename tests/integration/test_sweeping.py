"""The sweep and the dead letters, against the real Firestore emulator: every job ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from shared import (
    dead_letters,
    documents,
    jobs,
    ledger,
    sweep,
)
from shared.errors import Malformed, Transient
from shared.events import Delivery
from shared.ledger import NewEntry
from shared.messages import PlaylistMessage, VideoMessage
from tests.integration.firestore_support import (
    Clock,
    Seams,
    check,
    enter,
    entries_of,
    fetch,
    fresh_ids,
    ids,
    job_of,
    new_job,
    refusing,
    running,
    stalled,
    sweep_one,
)


def test_a_queued_job_that_was_never_published_is_published_once_in_a_while(
    seams: Seams, clock_of_test: Clock
) -> None:
    job = new_job()
    assert sweep_one(job).planned_again == 0
    clock_of_test.ahead += stalled()
    assert sweep_one(job).planned_again == 1
    assert seams.published == [("playlists", PlaylistMessage(job.playlist_id, job.job_id, job.user_id))]


def test_messages_that_were_lost_are_published_whatever_moved_last(seams: Seams) -> None:
    queued, job = new_job(), running(ids(30))
    jobs.settle(job, entries_of(job.job_id)["video-00003"], "indexed")
    assert (sweep_one(queued).planned_again, sweep_one(job).videos_published) == (0, 0)
    assert sweep_one(queued, messages_lost=True).planned_again == 1
    assert sweep_one(job, messages_lost=True).videos_published == 29
    assert "video-00003" not in seams.videos()


def test_a_stalled_job_gets_its_messages_again_but_not_those_that_wait(
    seams: Seams, clock_of_test: Clock
) -> None:
    videos = fresh_ids(3)
    job = running(videos)
    clock_of_test.ahead += stalled()
    with pytest.raises(Transient):
        fetch(job, videos[0], ask=refusing(Transient("YouTube is busy.")))
    swept = sweep_one(job)
    assert (swept.videos_published, swept.troubles) == (2, 0)
    assert videos[0] not in seams.videos()


def test_an_overdue_video_is_published_again_once_a_minute_not_with_every_sweep(
    seams: Seams, clock_of_test: Clock
) -> None:
    videos = fresh_ids(2)
    job = running(videos)
    with pytest.raises(Transient):
        fetch(job, videos[0], ask=refusing(Transient("YouTube is busy.")))
    assert sweep_one(job).videos_published == 0
    clock_of_test.ahead += ledger.LATE + timedelta(seconds=2)
    assert [sweep_one(job).videos_published for _ in range(3)] == [1, 0, 0]
    assert seams.videos() == [videos[0]]
    clock_of_test.ahead += ledger.LATE
    assert sweep_one(job).videos_published == 1
    check(job.job_id)


def test_a_stalled_planning_is_planned_again_and_its_videos_too(seams: Seams, clock_of_test: Clock) -> None:
    job = jobs.begin_planning(new_job(), "A playlist", 2)
    enter(job, [NewEntry(each, each, 0) for each in ids(2)])
    clock_of_test.ahead += stalled()
    swept = sweep_one(job)
    # The planner publishes what is pending itself; only where nothing is on its way it is done here, too.
    assert (swept.planned_again, swept.videos_published, swept.troubles) == (1, 0, 0)
    swept = sweep_one(job, messages_lost=True)
    assert (swept.planned_again, swept.videos_published, swept.troubles) == (1, 2, 0)


def test_a_job_whose_last_step_died_is_ended(seams: Seams) -> None:
    job = running(ids(1))
    seams.broken = {"refresh"}
    with pytest.raises(Transient):
        jobs.settle(job, entries_of(job.job_id)["video-00000"], "indexed")
    seams.broken = set()
    assert sweep_one(job).ended == 1
    assert job_of(job.job_id).state == "done"


def test_one_jobs_trouble_is_not_anothers(seams: Seams, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = running(ids(1)), running(ids(1))
    monkeypatch.setattr(
        jobs, "active", lambda: [replace(first, update_time=_long_ago()), job_of(second.job_id)]
    )
    swept = sweep.run(messages_lost=True)
    assert (swept.jobs, swept.troubles, swept.videos_published) == (2, 1, 1)


def _long_ago() -> datetime:
    return datetime.fromisoformat("2001-01-01T00:00:00+00:00")


def test_jobs_that_are_not_over_are_found(seams: Seams) -> None:
    job, over = running(ids(1)), running(ids(1))
    jobs.cancel(over.job_id)
    found = {each.job_id for each in jobs.active()}
    assert job.job_id in found
    assert over.job_id not in found


@pytest.mark.parametrize(
    "message_id", ["plain-1", "a/b", ".", "..", "__all__", "", "é" * 700, "x" * 2000, "\ud800"]
)
def test_what_nobody_can_read_is_recorded_under_any_name(seams: Seams, message_id: str) -> None:
    reason = f"expected something else {uuid4().hex}"
    attributes = {"reason": reason, "source": "fetcher", "message_id": message_id}
    dead_letters.settle(Delivery("of-the-dead-letter", b"\xff\x00not JSON", attributes, None))
    (found,) = documents.query("rejections", ("reason", "==", reason))
    assert found.data is not None
    assert found.data["source"] == "fetcher"
    assert "not JSON" in found.data["data"]


def test_a_playlist_that_could_not_even_become_a_job_is_recorded(seams: Seams) -> None:
    attributes = {
        "CloudPubSubDeadLetterSourceDeliveryCount": "8",
        "CloudPubSubDeadLetterSourceSubscription": "planner",
    }
    message_id = uuid4().hex
    dead_letters.settle(Delivery(message_id, b'{"playlist_id": "PLx"}', attributes, None))
    (found,) = documents.read(f"rejections/{message_id}")
    assert found.data is not None
    assert found.data["source"] == "planner"
    assert "in 8 attempts" in found.data["reason"]


def test_ids_that_firestore_keeps_for_itself_are_malformed_and_not_asked_for(seams: Seams) -> None:
    """Each of these is an error in Firestore that no repetition mends."""
    with pytest.raises(Exception, match=r"(?i)reserved|invalid"):
        documents.read("jobs/__all__")
    for data in (b'{"job_id":"__all__","video_id":"a"}', b'{"job_id":"a","video_id":"__b__"}'):
        with pytest.raises(Malformed):
            VideoMessage.decode(data)
        dead_letters.settle(Delivery(uuid4().hex, data, {}, None))
    assert jobs.read("__all__") is None
