"""Dead letters, with the real Firestore: each is settled or recorded, and a late one changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from shared import clock
from shared.errors import Malformed
from shared.gcp.deliveries import Delivery
from shared.messages import PlaylistMessage, VideoMessage
from tests.integration.world import World, fresh_ids, ids

# -- videos ------------------------------------------------------------------------------------------


def test_messages_that_were_used_up_by_workers_that_died_are_sent_again(world: World) -> None:
    """Each delivery found the claim of a dead worker. That is not the fault of the video."""
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    for attempts in range(1, 7):
        world.dead_letter(job, video_id, worn=False)
        assert world.topics.videos() == [video_id] * attempts
        entry = world.entry(job, video_id)
        assert (entry.state, entry.attempts) == ("pending", attempts)
        assert entry.next_attempt_at is not None
        world.check(job.job_id)
    # A video that kills every worker is not sent for ever.
    world.dead_letter(job, video_id, worn=False)
    assert world.entry(job, video_id).state == "failed"
    assert len(world.topics.videos()) == 6
    assert world.check(job.job_id).states["failed"] == 1


def test_a_dead_letter_of_a_parked_video_changes_nothing(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.ledger.park(job.job_id, world.entry(job, video_id), reason="blocked", until=clock.now())
    before = world.entry(job, video_id)
    world.dead_letter(job, video_id, worn=False)
    assert world.entry(job, video_id) == before
    assert world.topics.videos() == []


def test_a_dead_letter_of_another_round_or_of_a_cancelled_job_sends_nothing_again(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.dead_letter(job, video_id, 7, worn=False)
    world.jobs.cancel(job.job_id)
    world.dead_letter(job, video_id, worn=False)
    assert world.topics.videos() == []


def test_a_dead_letter_of_an_earlier_round_settles_nothing(world: World) -> None:
    job = world.running(ids(2))
    world.dead_letter(job, "video-00000")
    world.settle(job, "video-00001", "indexed")
    assert world.job(job.job_id).state == "done"
    world.retry.retry(world.job(job.job_id))
    world.dead_letter(job, "video-00000", 0)
    assert world.entry(job, "video-00000").state == "pending"
    assert world.job(job.job_id).state == "running"
    world.dead_letter(job, "video-00000", 1)
    entry = world.entry(job, "video-00000")
    assert entry.state == "failed"
    assert "Given up after 8 attempts." in entry.reason
    assert world.job(job.job_id).state == "done"
    world.check(job.job_id)


def test_a_dead_letter_of_a_settled_or_unknown_video_changes_nothing(world: World) -> None:
    job = world.running(ids(2))
    world.settle(job, "video-00000", "indexed")
    world.dead_letter(job, "video-00000")
    world.dead_letter(job, "no-such-video")
    world.dead_letter(replace(job, job_id="no-such-job"), "video-00000")
    assert world.entry(job, "video-00000").state == "indexed"
    world.check(job.job_id)


# -- playlists ---------------------------------------------------------------------------------------


def test_a_dead_letter_of_the_planner_fails_a_job_that_is_not_listed_yet(world: World) -> None:
    job = world.new_job()
    world.jobs.note_waiting(job.job_id, "YouTube is overloaded.")
    assert world.view(job)["error"] == "YouTube is overloaded. It will be retried."
    world.dead_letter_of_planning(job)
    failed = world.job(job.job_id)
    assert (failed.state, failed.error) == ("failed", "YouTube is overloaded. Given up after 8 attempts.")
    assert world.view(job)["error"] == failed.error


def test_a_job_whose_deliveries_were_used_up_before_it_began_is_sent_again(world: World) -> None:
    """Pub/Sub counts an answer of 429 or 403 as a delivery. That is not the fault of the job."""
    job = world.new_job()
    for times in range(1, 7):
        world.dead_letter_of_planning(job)
        assert world.topics.published == [("playlists", job.message)] * times
        assert (world.job(job.job_id).state, world.job(job.job_id).sent_again) == ("queued", times)
    # A job that kills every planner is not sent for ever.
    world.dead_letter_of_planning(job)
    failed = world.job(job.job_id)
    assert (failed.state, len(world.topics.published)) == ("failed", 6)
    assert failed.error == "The playlist could not be listed. Given up after 8 attempts."
    # A person who retries it gives it as many chances again.
    world.retry.retry(failed)
    assert (world.job(job.job_id).state, world.job(job.job_id).sent_again) == ("queued", 0)


@pytest.mark.parametrize("begun", ["planning", "running", "cancelled", "failed"])
def test_a_job_that_has_begun_or_is_over_is_not_sent_again(world: World, begun: str) -> None:
    job = world.new_job()
    if begun in ("planning", "running"):
        world.jobs.begin_planning(job, "A playlist", 1)
    if begun == "running":
        world.jobs.seal(job.job_id)
    if begun == "cancelled":
        world.jobs.cancel(job.job_id)
    if begun == "failed":
        world.jobs.fail(job.job_id, "The playlist is empty.")
    world.dead_letter_of_planning(job)
    assert world.topics.published == []
    assert world.job(job.job_id).state == ("failed" if begun == "planning" else begun)


def test_a_late_dead_letter_of_the_planner_does_not_fail_a_running_job(world: World) -> None:
    job = world.running(ids(2))
    world.dead_letter_of_planning(job)
    world.jobs.note_waiting(job.job_id, "YouTube is overloaded.")
    assert (world.job(job.job_id).state, world.job(job.job_id).error) == ("running", None)


# -- messages that cannot be read --------------------------------------------------------------------


def rejections(world: World, reason: str) -> list[Mapping[str, Any]]:
    found = world.db.query("rejections", ("reason", "==", reason))
    return [each.data for each in found if each.data is not None]


@pytest.mark.parametrize(
    "message_id", ["plain-1", "a/b", ".", "..", "__all__", "", "é" * 700, "x" * 2000, "\ud800"]
)
def test_a_message_that_cannot_be_read_is_recorded_whatever_its_id_is(world: World, message_id: str) -> None:
    reason = f"expected something else {uuid4().hex}"
    attributes = {"reason": reason, "source": "fetcher", "message_id": message_id}
    world.dead_letters().settle(Delivery("of-the-dead-letter", b"\xff\x00not JSON", attributes, None))
    (found,) = rejections(world, reason)
    assert found["source"] == "fetcher"
    assert "not JSON" in found["data"]


def test_two_messages_with_one_id_are_two_rejections(world: World) -> None:
    """An emulator that is started again counts from 1 again. A redelivery is not recorded twice."""
    message_id = uuid4().hex
    times = ["2024-01-31T12:00:00.001Z", "2024-01-31T12:00:00.002Z", "2024-01-31T12:00:00.002Z"]
    for number, published in enumerate(times):
        attributes = {"reason": message_id, "message_id": message_id, "published": published}
        data = f"text {published}".encode()
        world.dead_letters().settle(Delivery(f"dead-{number}", data, attributes, None))
    found = rejections(world, message_id)
    assert sorted(each["data"] for each in found) == [f"text {each}" for each in times[:2]]


def test_a_playlist_for_which_no_job_could_be_started_is_recorded(world: World) -> None:
    attributes = {
        "CloudPubSubDeadLetterSourceDeliveryCount": "8",
        "CloudPubSubDeadLetterSourceSubscription": "planner",
    }
    playlist_id = f"PL{uuid4().hex}"
    data = PlaylistMessage(playlist_id).encode()
    world.dead_letters().settle(Delivery(uuid4().hex, data, attributes, None))
    (found,) = rejections(world, f"No job could be started for playlist {playlist_id} in 8 attempts.")
    assert found["source"] == "planner"


@pytest.mark.parametrize(
    "data", [b'{"job_id":"__all__","video_id":"a"}', b'{"job_id":"a","video_id":"__b__"}']
)
def test_ids_that_firestore_keeps_for_itself_are_malformed(world: World, data: bytes) -> None:
    """Asking Firestore for one of them is an error that no retry mends."""
    with pytest.raises(Malformed):
        VideoMessage.decode(data)
    message_id = uuid4().hex
    world.dead_letters().settle(Delivery(message_id, data, {}, None))
    assert world.db.read(f"rejections/{message_id}")[0].data is not None


def test_firestore_is_not_asked_for_a_job_whose_id_it_keeps_for_itself(world: World) -> None:
    with pytest.raises(Exception, match=r"(?i)reserved|invalid"):
        world.db.read("jobs/__all__")
    assert world.jobs.read("__all__") is None
