"""Claims: a video is claimed while a worker asks YouTube for it, and at no other time.

A video is claimed when its turn has come, because a claim that began earlier could run out while YouTube is
asked. After a long wait the video is read again first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared import clock
from shared.config import Config
from shared.errors import AttemptFailed, Refused, Transient
from shared.gcp.documents import Commit, Committed
from shared.pipeline.jobs import Job
from shared.transcripts.store import CLAIM, Stored, transcript_path
from shared.transcripts.transcript import Answer, Lines, Transcript
from shared.youtube.egress.routing import Permit, Routing
from tests.integration.delivery_support import wait_until
from tests.integration.own_library import CORRECTED, NO_CAPTIONS, NOT_ASKED, PREMIERE, PRIVATE
from tests.integration.world import SPOKEN, Clock, World, answering, at_once, fresh_ids, refusing

BLOCKED = refusing(Refused("YouTube refuses requests from this address."))
#: A video that has waited longer than this for its turn is read again.
LONG_WAIT = timedelta(seconds=1.2)


@pytest.fixture
def config(config: Config) -> Config:
    """One video is at YouTube at a time."""
    return replace(config, fetch_concurrency=1)


def claimed_until(world: World, video_id: str) -> datetime | None:
    return world.stored(video_id).claimed_until


# -- who gets a claim --------------------------------------------------------------------------------


def claims(world: World, video_id: str, stored: Stored, held: ExitStack) -> bool:
    """Whether the video can be claimed. ``held`` keeps the claim."""
    try:
        held.enter_context(world.transcripts.claim(video_id, stored))
    except Transient:
        return False
    return True


@pytest.mark.parametrize("claimed_before", [False, True])
def test_one_of_many_workers_gets_the_claim(world: World, claimed_before: bool) -> None:
    (video_id,) = fresh_ids(1)
    if claimed_before:
        expired = {"claimed_until": clock.now() - timedelta(seconds=1)}
        world.db.commit().set(transcript_path(video_id), expired).run()
    stored = world.stored(video_id)
    with ExitStack() as held:
        assert at_once([lambda: claims(world, video_id, stored, held)] * 12).count(True) == 1
        assert not claims(world, video_id, world.stored(video_id), held)
    assert claims(world, video_id, world.stored(video_id), held)
    held.close()


# -- how a claim ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Transient("no"), AttemptFailed("no"), AssertionError("a defect")])
def test_an_error_ends_the_claim(world: World, error: Exception) -> None:
    (video_id,) = fresh_ids(1)

    def fail() -> None:
        with world.transcripts.claim(video_id, world.stored(video_id)):
            assert claimed_until(world, video_id) is not None
            raise error

    with pytest.raises(type(error)):
        fail()
    assert claimed_until(world, video_id) is None


def test_an_answer_ends_the_claim_and_no_later_one(world: World) -> None:
    (video_id,) = fresh_ids(1)
    with ExitStack() as held:
        with world.transcripts.claim(video_id, world.stored(video_id)) as claim:
            claim.save(SPOKEN, job_id="a job", youtube_bytes=1)
            assert claimed_until(world, video_id) is None
            assert claims(world, video_id, world.stored(video_id), held)
        assert claimed_until(world, video_id) is not None
    assert world.outcome(video_id).kind == "transcript"


def test_a_worker_that_is_late_does_not_end_the_claim_of_another(world: World, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    with ExitStack() as late:
        assert claims(world, video_id, world.stored(video_id), late)
        clock_of_test.forward(seconds=CLAIM.total_seconds())
        with world.transcripts.claim(video_id, world.stored(video_id)):
            others = claimed_until(world, video_id)
            late.close()
            assert claimed_until(world, video_id) == others is not None


LATE_ANSWERS = {
    "no captions": NO_CAPTIONS,
    "private": PRIVATE,
    "premiere": PREMIERE,
    "another transcript": CORRECTED,
}


@pytest.mark.parametrize("late", LATE_ANSWERS.values(), ids=LATE_ANSWERS)
@pytest.mark.parametrize(
    "before", [None, NO_CAPTIONS, SPOKEN], ids=["new", "no captions before", "spoken before"]
)
def test_a_late_answer_does_not_replace_a_newer_one(
    world: World, clock_of_test: Clock, before: Answer | None, late: Answer
) -> None:
    (video_id,) = fresh_ids(1)
    if before is not None:
        world.store(video_id, before)
    newer = Answer("transcript", Transcript("de", "German", False, Lines([0], [900], ["was gesagt wird"])))
    with world.transcripts.claim(video_id, world.stored(video_id)) as claim:
        clock_of_test.forward(seconds=CLAIM.total_seconds())
        stored = world.store(video_id, newer, job_id="the other job")
        with pytest.raises(AttemptFailed, match="Another worker"):
            claim.save(late, job_id="the late job", youtube_bytes=1)
    assert world.outcome(video_id) == replace(stored, packed=b"")


def test_a_worker_that_lost_its_claim_tries_again_and_takes_the_answer_of_the_other(
    world: World, clock_of_test: Clock
) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])

    def ask(_: str) -> Answer:
        clock_of_test.forward(seconds=CLAIM.total_seconds())
        world.store(video_id, job_id="another job", spent=70)
        return NO_CAPTIONS

    with pytest.raises(AttemptFailed):
        world.fetch(job, video_id, ask)
    assert world.entry(job, video_id).attempts == 1
    world.fetch(job, video_id, NOT_ASKED)
    world.index(job, video_id)
    world.index(job, video_id)
    counts = world.check(job.job_id)
    assert (counts.states["indexed"], counts.reused, counts.youtube_bytes) == (1, 1, 100)


def test_an_answer_whose_commit_is_sent_twice_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Firestore's client does when the first answer of the database is lost."""
    (video_id,) = fresh_ids(1)
    job, run = world.running([video_id]), Commit.run

    def twice(commit: Commit) -> Committed:
        is_claimed = world.stored(video_id).claimed_until is not None
        result = run(commit)
        return run(commit) if is_claimed and commit.paths == [transcript_path(video_id)] else result

    monkeypatch.setattr(Commit, "run", twice)
    world.fetch(job, video_id, answering(SPOKEN))
    monkeypatch.undo()
    world.index(job, video_id)
    counts = world.check(job.job_id)
    assert (counts.states["indexed"], counts.reused, counts.youtube_bytes) == (1, 0, 100)
    assert world.entry(job, video_id).attempts == 0


def test_an_answer_replaces_everything_that_was_stored(world: World, clock_of_test: Clock) -> None:
    """Such as the waiting time of a video that had no captions."""
    (video_id,) = fresh_ids(1)
    for answer in (PREMIERE, NO_CAPTIONS, PRIVATE, CORRECTED):
        clock_of_test.forward(seconds=1)
        outcome = world.store(video_id, answer, job_id="a job", spent=3)
        assert world.transcripts.read([video_id], lines=True)[video_id].outcome == outcome
    assert (outcome.checks, outcome.look_again_at, outcome.not_yet) == (0, None, False)


# -- when a video is claimed -------------------------------------------------------------------------


class WatchedRouting(Routing):
    """``waiting``: a video waits for a permit, or has one."""

    def __init__(self, config: Config, world: World) -> None:
        super().__init__(config, world.db)
        self.waiting = threading.Event()

    @contextmanager
    def acquire(self, video_id: str, patience: float) -> Iterator[Permit]:
        self.waiting.set()
        with super().acquire(video_id, patience) as permit:
            yield permit


@pytest.fixture
def routing(world: World) -> WatchedRouting:
    world.routing = routing = WatchedRouting(world.config, world)
    return routing


class Fetch:
    """One delivery, handled in a thread of its own.

    ``claims``: until when the video was claimed, each time that YouTube was asked. ``raised``: the error of
    the delivery.
    """

    def __init__(self, world: World, job: Job, video_id: str, *, answers: bool = True) -> None:
        self.claims: list[datetime | None] = []
        self.asking = threading.Event()
        self.raised: Exception | None = None
        self._world, self._job, self._video_id = world, job, video_id
        self._may_answer = threading.Event()
        if answers:
            self._may_answer.set()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._world.fetch(self._job, self._video_id, self._ask)
        except Transient as error:
            self.raised = error

    def _ask(self, _: str) -> Answer:
        self.claims.append(claimed_until(self._world, self._video_id))
        self.asking.set()
        assert self._may_answer.wait(30)
        return SPOKEN

    def end(self) -> None:
        self._may_answer.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def first(world: World, routing: WatchedRouting) -> Iterator[Fetch]:
    """Another video, which is at YouTube until its delivery is told to end."""
    (video_id,) = fresh_ids(1)
    made = Fetch(world, world.running([video_id]), video_id, answers=False)
    assert made.asking.wait(30)
    yield made
    made.end()


def waiting_long(world: World, routing: WatchedRouting, job: Job, video_id: str) -> Fetch:
    """A delivery that has read its video, and has waited for its turn since then."""
    routing.waiting.clear()
    made = Fetch(world, job, video_id)
    assert routing.waiting.wait(30)
    began = clock.now()
    wait_until(lambda: clock.now() - began > LONG_WAIT, 30)
    return made


def test_a_video_is_claimed_at_its_turn_and_not_while_it_waits(
    world: World, routing: WatchedRouting, first: Fetch
) -> None:
    (video_id,) = fresh_ids(1)
    second = waiting_long(world, routing, world.running([video_id]), video_id)
    assert claimed_until(world, video_id) is None
    turn = clock.now()
    first.end()
    second.end()
    (claimed,) = second.claims
    assert claimed is not None
    assert claimed >= turn + CLAIM
    assert claimed_until(world, video_id) is None
    assert video_id in world.topics.videos("transcripts")


def test_a_video_that_another_worker_claimed_meanwhile_is_not_asked_for(
    world: World, routing: WatchedRouting, first: Fetch
) -> None:
    (video_id,) = fresh_ids(1)
    second = waiting_long(world, routing, world.running([video_id]), video_id)
    others = clock.now() + CLAIM
    world.db.commit().set(transcript_path(video_id), {"claimed_until": others}, merge=True).run()
    first.end()
    second.end()
    assert "Another worker" in str(second.raised)
    assert second.claims == []
    assert claimed_until(world, video_id) == others


def test_a_video_that_another_worker_stored_meanwhile_is_not_asked_for(
    world: World, routing: WatchedRouting, first: Fetch
) -> None:
    (video_id,) = fresh_ids(1)
    second = waiting_long(world, routing, world.running([video_id]), video_id)
    world.store(video_id)
    first.end()
    second.end()
    assert (second.claims, second.raised) == ([], None)
    assert video_id in world.topics.videos("transcripts")


def test_a_video_whose_job_was_cancelled_meanwhile_is_not_asked_for(
    world: World, routing: WatchedRouting, first: Fetch
) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    second = waiting_long(world, routing, job, video_id)
    world.jobs.cancel(job.job_id)
    first.end()
    second.end()
    assert (second.claims, second.raised) == ([], None)
    assert claimed_until(world, video_id) is None


def test_a_video_whose_turn_does_not_come_is_parked_and_not_claimed(world: World, first: Fetch) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.fetch(job, video_id, NOT_ASKED, patience=0.3)
    assert world.entry(job, video_id).parked
    assert world.stored(video_id).update_time is None, "it was claimed"


def test_no_video_of_a_blocked_address_is_claimed(world: World) -> None:
    videos = fresh_ids(3)
    job = world.running(videos)
    world.fetch(job, videos[0], BLOCKED, patience=0.3)
    assert claimed_until(world, videos[0]) is None
    for video_id in videos[1:]:
        world.fetch(job, video_id, NOT_ASKED, patience=0.3)
    assert all(entry.parked for entry in world.entries(job.job_id).values())
    assert [world.stored(each).update_time for each in videos[1:]] == [None, None]


def test_a_permit_is_returned_however_the_attempt_ends(world: World) -> None:
    """There is one place. An attempt that kept it would keep all others waiting."""
    errors = (Transient("no"), AttemptFailed("no"), ValueError("a defect"))
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    for error in errors:
        with pytest.raises(type(error)):
            world.fetch(job, video_id, refusing(error), patience=5)
    world.fetch(job, video_id, answering(SPOKEN), patience=0.3)
    assert world.topics.videos("transcripts") == [video_id]
