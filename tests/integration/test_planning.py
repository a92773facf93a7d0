"""Planning with the real Firestore. YouTube is the fake YouTube, asked by the real client library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from time import monotonic, sleep
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import Malformed, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.pubsub import Topic
from shared.messages import Message, PlaylistMessage
from shared.pipeline.removal import Removal
from shared.youtube.data_api import DataApi
from shared.youtube.resources import FirstPage, Item
from tests.integration.delivery_support import wait_until
from tests.integration.interrupting import MOMENTS, InterruptedDatabase, Interruption, Moment
from tests.integration.recorders import RecordingTopics
from tests.integration.world import Clock, World, at_once, define, fresh_ids


def generated(videos: int, kind: str = "") -> str:
    """The id of a playlist of so many videos that the fake YouTube makes up, and that no other test uses."""
    return f"PLgen-{videos}-{uuid4().hex[:6]}{kind}"


class WatchedApi(DataApi):
    """``published``: how many videos were published before each page was listed."""

    def __init__(self, world: World) -> None:
        super().__init__(world.config)
        self.published: list[int] = []
        self._topics = world.topics

    def pages(
        self,
        playlist_id: str,
        access_token: str | None = None,
        *,
        first: FirstPage | None = None,
        ahead: bool = True,
    ) -> Iterator[Sequence[Item]]:
        for page in super().pages(playlist_id, access_token, first=first):
            self.published.append(len(self._topics.videos()))
            yield page


def test_each_page_is_published_before_the_next_one_is_entered(youtube: LiveServer, world: World) -> None:
    world.youtube = api = WatchedApi(world)
    job = world.new_job(playlist=generated(120))
    world.plan(job)
    now = world.job(job.job_id)
    assert (now.state, now.total, now.shards) == ("running", 120, 3)
    assert api.published == [0, 50, 100]
    assert len(set(world.topics.videos())) == 120
    assert world.check(job.job_id).states["pending"] == 120
    membership = world.memberships.read(job.user_id, job.playlist_id)
    assert membership is not None
    assert len(membership.video_ids) == 120
    assert len(world.search_index.memberships[job.user_id, job.playlist_id]) == 120
    # 1 playlists.list, 3 pages, 3 videos.list.
    assert youtube.stats()["quota"]["used"] == 7


class WaitingTopics(RecordingTopics):
    """Publishes when a condition has come true."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        super().__init__()
        self._condition = condition

    def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        wait_until(self._condition)
        super().publish(topic, messages)


def test_the_next_page_is_listed_while_a_page_is_entered(youtube: LiveServer, world: World) -> None:
    # playlists.list, the first page, its videos.list, and the second page.
    world.topics = WaitingTopics(lambda: youtube.stats()["quota"]["used"] >= 4)
    job = world.new_job(playlist=generated(60))
    world.plan(job)
    assert world.job(job.job_id).total == 60


def test_concurrent_planners_enter_each_video_once(youtube: LiveServer, world: World) -> None:
    """The playlist names two videos twice."""
    job = world.new_job(playlist=f"PL{uuid4().hex[:10]}")
    videos = fresh_ids(70)
    define(youtube, job.playlist_id, [*videos, videos[0], videos[60]], extra=9)
    at_once([partial(world.plan, job)] * 3)
    assert world.job(job.job_id).total == 70
    assert world.check(job.job_id).states["pending"] == 70
    assert set(world.topics.videos()) == set(videos)
    assert world.entry(job, videos[5]).position == 5


def test_counts_are_exact_when_videos_settle_during_planning(youtube: LiveServer, world: World) -> None:
    job = world.new_job(playlist=f"PL{uuid4().hex[:10]}")
    videos = fresh_ids(110)
    define(youtube, job.playlist_id, videos)

    def settle_what_is_published() -> None:
        """At once, and twice."""
        done: set[str] = set()
        deadline = monotonic() + 60
        while len(done) < len(videos):
            assert monotonic() < deadline, f"{len(done)} videos were published"
            new = [each for each in world.topics.videos() if each not in done]
            sleep(0 if new else 0.01)
            for video_id in dict.fromkeys(new):
                done.add(video_id)
                entry = world.entry(job, video_id)
                for _ in range(2):
                    world.settlement.settle(world.job(job.job_id), entry, "indexed")

    steps: list[Callable[[], None]] = [partial(world.plan, job)] * 2
    at_once([*steps, settle_what_is_published])
    world.completion.complete_if_settled(job.job_id)
    assert (world.job(job.job_id).state, world.job(job.job_id).total) == ("done", 110)
    assert world.check(job.job_id).states["indexed"] == 110


def test_private_and_deleted_videos_are_unavailable_at_once(youtube: LiveServer, world: World) -> None:
    job = world.new_job(playlist=f"PL{uuid4().hex[:10]}")
    good, private, deleted = fresh_ids(3)
    videos = [good, {"id": private, "status": "private"}, {"id": deleted, "status": "deleted"}]
    youtube.control("playlists", {"videos": [{"id": private, "status": "private"}]})
    define(youtube, job.playlist_id, videos)
    world.plan(job)
    entries = world.entries(job.job_id)
    assert (entries[private].state, entries[private].reason) == ("unavailable", "The video is private.")
    assert entries[deleted].reason == "The video was deleted from YouTube."
    assert world.topics.videos() == [good]
    world.check(job.job_id)


@pytest.mark.parametrize(
    ("playlist_id", "reason"),
    [
        ("PLnosuchplaylist", "knows no playlist"),
        ("WL", "Watch Later"),
        ("PLdemo-evenings", "knows no playlist"),
        ("PLdemo-empty", "knows no playlist"),
    ],
)
def test_a_playlist_that_cannot_be_listed_fails_the_job_with_a_reason(
    youtube: LiveServer, world: World, playlist_id: str, reason: str
) -> None:
    job = world.new_job(playlist=playlist_id)
    world.plan(job)
    now = world.job(job.job_id)
    assert now.state == "failed"
    assert now.error
    assert reason in now.error
    assert world.topics.videos() == []
    # The failed job does not keep a new one from starting.
    assert world.jobs.start(job.user_id, job.playlist_id)[1]


def test_an_empty_playlist_fails_the_job_with_a_reason(youtube: LiveServer, world: World) -> None:
    job = world.new_job(playlist=f"PL{uuid4().hex[:10]}")
    define(youtube, job.playlist_id, [])
    world.plan(job)
    now = world.job(job.job_id)
    assert (now.state, now.error) == ("failed", "The playlist is empty: there is nothing to index.")


def test_a_used_up_quota_puts_the_job_off_until_midnight_in_california(
    youtube: LiveServer, world: World, clock_of_test: Clock
) -> None:
    job = world.new_job(playlist=generated(60))
    youtube.control("faults", {"kind": "quota_exceeded"})
    world.plan(job)
    waiting = world.job(job.job_id)
    assert waiting.active
    assert waiting.blocked_until is not None
    assert timedelta() < waiting.blocked_until - clock_of_test() <= timedelta(hours=25)
    assert waiting.error is not None
    assert "quota" in waiting.error
    assert world.sweep(job, messages_lost=True).planned_again == 0
    assert world.job(job.job_id).blocked_until == waiting.blocked_until
    assert world.view(job)["error"] == waiting.error
    clock_of_test.forward(hours=25)
    # The sentence names a time that is past now.
    assert (world.view(job)["error"], world.view(job)["blocked_until"]) == (None, None)
    assert world.sweep(job).planned_again == 1
    assert world.view(job)["error"] is None
    youtube.control("reset", {"what": ["faults"]})
    world.plan(job)
    now = world.job(job.job_id)
    assert (now.state, now.error, now.blocked_until) == ("running", None, None)


def test_an_error_that_may_pass_is_shown_and_raised(youtube: LiveServer, world: World) -> None:
    job = world.new_job(playlist=generated(60))
    youtube.control("faults", {"kind": "backend_error", "status": 503})
    with pytest.raises(Transient):
        world.plan(job)
    assert world.view(job)["error"] == "YouTube is overloaded. It will be retried."
    youtube.control("reset", {"what": ["faults"]})
    world.plan(job)
    assert (world.job(job.job_id).state, world.job(job.job_id).error) == ("running", None)


def test_an_answer_that_unpacks_to_too_much_is_an_error_that_may_pass(
    youtube: LiveServer, world: World
) -> None:
    (video_id,) = fresh_ids(1)
    job = world.new_job(playlist=f"PL{uuid4().hex[:10]}")
    define(youtube, job.playlist_id, [{"id": video_id}])
    youtube.control("playlists", {"videos": [{"id": video_id, "description": "long " * 4_000_000}]})
    with pytest.raises(Transient, match="too large"):
        world.plan(job)
    assert "too large" in (world.job(job.job_id).error or "")


# -- messages without a job --------------------------------------------------------------------------


def test_a_message_without_a_job_makes_one_which_a_redelivery_finds(
    youtube: LiveServer, world: World
) -> None:
    user = f"user-{uuid4().hex[:6]}"
    message = PlaylistMessage(generated(5), user_id=user)
    first = Delivery("7", b"", {}, None, "2024-01-01T00:00:00Z")
    for _ in range(2):
        world.plan_message(message, first)
    (job,) = world.jobs.recent(user)
    assert job.total == 5
    world.jobs.cancel(job.job_id)
    world.plan_message(message, first)
    assert len(world.jobs.recent(user)) == 1
    # An emulator that was started again gives the same number to another message.
    world.plan_message(message, replace(first, published="2024-01-02T00:00:00Z"))
    assert len(world.jobs.recent(user)) == 2


def test_a_message_without_a_user_makes_a_job_of_the_owner(youtube: LiveServer, world: World) -> None:
    owner = f"user-{uuid4().hex[:6]}"
    world.config = replace(world.config, owner_user_id=owner)
    message = PlaylistMessage(generated(5))
    world.plan_message(message, Delivery(uuid4().hex, b"", {}, None))
    assert [job.playlist_id for job in world.jobs.recent(owner)] == [message.playlist_id]


def test_a_message_without_a_user_is_malformed_if_there_is_no_owner(world: World) -> None:
    # Without an emulator there is no default owner.
    world.config = replace(world.config, firestore_emulator_host=None)
    with pytest.raises(Malformed, match="OWNER_USER_ID"):
        world.plan_message(PlaylistMessage(generated(5)), Delivery(uuid4().hex, b"", {}, None))


# -- a playlist that is removed meanwhile ------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("videos", [100, 150])
def test_a_planner_at_work_does_not_bring_back_a_removed_playlist(
    youtube: LiveServer, world: World, moment: Moment, videos: int
) -> None:
    job = world.new_job(playlist=generated(videos))
    interruption = Interruption(world, moment, lambda: world.remove(job))
    world.plan(job)
    assert interruption.done
    assert world.job(job.job_id).state == "cancelled"
    assert world.memberships.read(job.user_id, job.playlist_id) is None
    assert (job.user_id, job.playlist_id) not in world.search_index.memberships
    world.check(job.job_id)


def test_a_playlist_removed_just_before_a_write_of_the_planner_stays_removed(
    youtube: LiveServer, world: World
) -> None:
    """At each commit in turn. The planner has read the job before, and found it active."""
    db, removal = world.db, Removal(world.db, world.search_index)
    for number in count(1):
        job = world.new_job(playlist=generated(60))
        remove = partial(removal.remove, job.user_id, job.playlist_id)
        world.db = interrupted = InterruptedDatabase(world.config, number, remove)
        world.plan(job)
        interrupted.close()
        world.db = db
        if not interrupted.done:
            break
        assert world.memberships.read(job.user_id, job.playlist_id) is None, number
        assert (job.user_id, job.playlist_id) not in world.search_index.memberships, number
        assert world.job(job.job_id).state == "cancelled", number
        world.check(job.job_id)
    # The state of the job twice, and for each of two pages: metadata, entries, and a membership.
    assert number > 6


# -- videos that are stored already ------------------------------------------------------------------


def test_videos_that_are_stored_and_searchable_need_no_message(youtube: LiveServer, world: World) -> None:
    topics, index = world.topics, world.search_index
    playlist_id = generated(4, "-short")
    first = world.new_job(playlist=playlist_id)
    world.plan(first)
    for video_id in topics.videos():
        world.fetch(first, video_id)
        world.index(first, video_id)
    assert world.job(first.job_id).state == "done"
    assert world.check(first.job_id).reused == 0
    asked = youtube.stats()["endpoints"]["player"]["requests"]
    topics.forget()
    index.known = {video_id: document["fingerprint"] for video_id, document in index.written.items()}
    second = world.new_job(playlist=playlist_id)
    world.plan(second)
    assert topics.videos() == []
    assert world.job(second.job_id).state == "done"
    assert world.check(second.job_id).reused == 4
    # While the index does not say what it holds, the videos go the usual way. YouTube is not asked again.
    index.broken.add("fingerprints")
    third = world.new_job(playlist=playlist_id)
    world.plan(third)
    assert len(topics.videos()) == 4
    for video_id in topics.videos():
        world.fetch(third, video_id)
        world.index(third, video_id)
    assert (world.check(third.job_id).reused, world.check(third.job_id).youtube_bytes) == (4, 0)
    assert youtube.stats()["endpoints"]["player"]["requests"] == asked
