"""A video is claimed before its turn at YouTube while turns come soon; a claim not used is let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from shared import clock, config, fetcher, jobs, routes, store
from shared.captions import Fetched
from shared.jobs import Job
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
    """One video at YouTube at once, and turns that come soon."""
    monkeypatch.setenv("FETCH_CONCURRENCY", "1")
    config.load.cache_clear()
    routes._places.cache_clear()
    (video_id,) = fresh_ids(1)
    fetch(running([video_id]), video_id, ask=lambda _: Fetched(SPOKEN, 1))
    assert routes.last_wait() < fetcher.LONG
    yield
    routes._places.cache_clear()


class _AtYouTube:
    """Has the only place until :meth:`done`."""

    def __init__(self) -> None:
        self._arrived, self._leave = threading.Event(), threading.Event()
        (video_id,) = fresh_ids(1)
        self._thread = threading.Thread(
            target=fetch, args=(running([video_id]), video_id), kwargs={"ask": self._ask}
        )
        self._thread.start()
        assert self._arrived.wait(10)

    def _ask(self, _: str) -> Fetched:
        self._arrived.set()
        assert self._leave.wait(30)
        return Fetched(SPOKEN, 1)

    def done(self) -> None:
        self._leave.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def _claimed_until(video_id: str) -> datetime | None:
    return store.read_outcomes([video_id])[video_id].claimed_until


def _waiting(job: Job, video_id: str) -> tuple[threading.Thread, list[datetime]]:
    """A delivery in a thread of its own that has claimed its video; until when, whenever it asks."""
    claims: list[datetime] = []

    def ask(_: str) -> Fetched:
        claimed = _claimed_until(video_id)
        assert claimed is not None
        claims.append(claimed)
        return Fetched(SPOKEN, 1)

    thread = threading.Thread(target=fetch, args=(job, video_id), kwargs={"ask": ask})
    thread.start()
    wait_until(lambda: _claimed_until(video_id) is not None, 10)
    return thread, claims


def test_who_waits_for_a_turn_has_claimed_before(one_place: None, seams: Seams) -> None:
    other, (video_id,) = _AtYouTube(), fresh_ids(1)
    thread, claims = _waiting(running([video_id]), video_id)
    assert claims == [], "the only place is taken"
    other.done()
    thread.join(10)
    assert len(claims) == 1
    assert _claimed_until(video_id) is None
    assert video_id in seams.videos("transcripts")


def test_a_claim_that_has_waited_long_is_made_anew(one_place: None) -> None:
    """Otherwise it could run out while YouTube is still asked."""
    other, (video_id,) = _AtYouTube(), fresh_ids(1)
    thread, claims = _waiting(running([video_id]), video_id)
    first = _claimed_until(video_id)
    assert first is not None
    wait_until(lambda: clock.now() - (first - store.CLAIM) > 1.5 * fetcher.LONG, 10)
    asking = clock.now()
    other.done()
    thread.join(10)
    assert claims[0] >= asking + store.CLAIM
    assert routes.last_wait() >= fetcher.LONG


def test_what_nobody_wants_any_more_when_its_turn_comes_is_let_go(one_place: None) -> None:
    other, (video_id,) = _AtYouTube(), fresh_ids(1)
    job = running([video_id])
    thread, claims = _waiting(job, video_id)
    jobs.cancel(job.job_id)
    first = _claimed_until(video_id)
    assert first is not None
    wait_until(lambda: clock.now() - (first - store.CLAIM) > 1.5 * fetcher.LONG, 10)
    other.done()
    thread.join(10)
    assert claims == []
    assert _claimed_until(video_id) is None


def test_who_waits_in_vain_lets_go_and_the_next_does_not_claim_before(
    one_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "PATIENCE", 0.3)
    other, videos = _AtYouTube(), fresh_ids(2)
    job = running(videos)
    fetch(job, videos[0], ask=NOT_TO_BE_ASKED)
    assert entries_of(job.job_id)[videos[0]].parked
    stored = store.read_outcomes(videos)
    assert stored[videos[0]].update_time is not None, "it was claimed"
    assert stored[videos[0]].claimed_until is None
    assert routes.last_wait() == timedelta.max
    fetch(job, videos[1], ask=NOT_TO_BE_ASKED)
    assert entries_of(job.job_id)[videos[1]].parked
    assert store.read_outcomes(videos)[videos[1]].update_time is None, "it never was"
    other.done()


def test_a_claim_that_has_run_out_is_not_let_go(one_place: None) -> None:
    """It may be another's by then."""
    (video_id,) = fresh_ids(1)
    mine = store.claim(video_id, store.read_outcomes([video_id])[video_id])
    over = store.Claim(video_id, mine.until - store.CLAIM)
    fetcher._let_go(over)
    assert _claimed_until(video_id) == mine.until
    fetcher._let_go(mine)
    assert _claimed_until(video_id) is None
