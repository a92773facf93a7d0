"""A video is claimed when it is its turn at YouTube; after a long wait it is read again before that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import pytest

from shared import clock, config, fetcher, jobs, routes, store
from shared.captions import Fetched
from shared.documents import Commit
from shared.errors import Blocked, Transient
from shared.jobs import Job
from shared.routes import Leave
from tests.integration.delivery_support import wait_until
from tests.integration.firestore_support import (
    SPOKEN,
    Seams,
    entries_of,
    fetch,
    fresh_ids,
    refusing,
    running,
)

NOT_TO_BE_ASKED = refusing(AssertionError("must not be asked"))


@pytest.fixture
def one_place(seams: Seams, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One video at YouTube at once."""
    monkeypatch.setenv("FETCH_CONCURRENCY", "1")
    config.load.cache_clear()
    routes._places.cache_clear()
    yield
    routes._places.cache_clear()


class _Delivery:
    """A video delivered in a thread of its own, asking until it may answer."""

    def __init__(self, job: Job, video_id: str, *, answers: bool = True) -> None:
        self.video_id = video_id
        self.asking = threading.Event()
        #: Until when it was claimed, at each asking.
        self.claims: list[datetime | None] = []
        self.raised: Exception | None = None
        self._may_answer = threading.Event()
        if answers:
            self._may_answer.set()
        self._thread = threading.Thread(target=self._run, args=(job,))
        self._thread.start()

    def _run(self, job: Job) -> None:
        try:
            fetch(job, self.video_id, ask=self._ask)
        except Transient as error:
            self.raised = error

    def _ask(self, _: str) -> Fetched:
        self.claims.append(claimed_until(self.video_id))
        self.asking.set()
        assert self._may_answer.wait(30)
        return Fetched(SPOKEN, 1)

    def end(self) -> None:
        self._may_answer.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def place_taken(one_place: None) -> Iterator[_Delivery]:
    """Another video has the only place, until it is told to end."""
    (video_id,) = fresh_ids(1)
    other = _Delivery(running([video_id]), video_id, answers=False)
    assert other.asking.wait(30)
    yield other
    other.end()


def waiting_long(job: Job, video_id: str, monkeypatch: pytest.MonkeyPatch) -> _Delivery:
    """A delivery that has read its video and has waited for its turn for long."""
    waits, leave = threading.Event(), routes.leave

    def noted(video_id: str, patience: float) -> AbstractContextManager[Leave]:
        waits.set()
        return leave(video_id, patience)

    with monkeypatch.context() as patch:
        patch.setattr(routes, "leave", noted)
        delivery = _Delivery(job, video_id)
        assert waits.wait(30)
    began = clock.now()
    wait_until(lambda: clock.now() - began > 1.2 * fetcher.REREAD_AFTER, 30)
    return delivery


def claimed_until(video_id: str) -> datetime | None:
    return store.read_outcomes([video_id])[video_id].claimed_until


def test_a_video_is_claimed_at_its_turn_and_not_while_it_waits(
    place_taken: _Delivery, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the claim could run out while YouTube is still being asked."""
    (video_id,) = fresh_ids(1)
    delivery = waiting_long(running([video_id]), video_id, monkeypatch)
    assert claimed_until(video_id) is None
    turn = clock.now()
    place_taken.end()
    delivery.end()
    (claimed,) = delivery.claims
    assert claimed is not None
    assert claimed >= turn + store.CLAIM
    assert claimed_until(video_id) is None
    assert video_id in seams.videos("transcripts")


def test_a_video_claimed_by_another_worker_while_it_waited_is_not_asked_for(
    place_taken: _Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    delivery = waiting_long(running([video_id]), video_id, monkeypatch)
    others = clock.now() + store.CLAIM
    Commit().set(store.transcript_path(video_id), {"claimed_until": others}, merge=True).run()
    place_taken.end()
    delivery.end()
    assert "Another worker" in str(delivery.raised)
    assert delivery.claims == []
    assert claimed_until(video_id) == others


def test_a_video_stored_by_another_worker_while_it_waited_is_not_asked_for(
    place_taken: _Delivery, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    delivery = waiting_long(running([video_id]), video_id, monkeypatch)
    store.save(video_id, None, job_id="another", youtube_bytes=1, transcript=SPOKEN)
    place_taken.end()
    delivery.end()
    assert delivery.claims == []
    assert delivery.raised is None
    assert video_id in seams.videos("transcripts")


def test_a_video_of_a_job_cancelled_while_it_waited_is_not_asked_for(
    place_taken: _Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    delivery = waiting_long(job, video_id, monkeypatch)
    jobs.cancel(job.job_id)
    place_taken.end()
    delivery.end()
    assert delivery.claims == []
    assert delivery.raised is None
    assert claimed_until(video_id) is None


@contextmanager
def impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetcher, "PATIENCE", 0.3)
        yield


def test_a_video_whose_turn_does_not_come_is_parked_unclaimed(place_taken: _Delivery) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    with impatient():
        fetch(job, video_id, ask=NOT_TO_BE_ASKED)
    assert entries_of(job.job_id)[video_id].parked
    assert store.read_outcomes([video_id])[video_id].update_time is None, "it was claimed"


def test_at_a_blocked_address_no_video_is_claimed(seams: Seams) -> None:
    videos = fresh_ids(3)
    job = running(videos)
    with impatient():
        fetch(job, videos[0], ask=refusing(Blocked("YouTube refuses requests from this address.")))
        for video_id in videos[1:]:
            fetch(job, video_id, ask=NOT_TO_BE_ASKED)
    assert all(entry.parked for entry in entries_of(job.job_id).values())
    found = store.read_outcomes(videos)
    assert [found[each].update_time for each in videos[1:]] == [None, None]
