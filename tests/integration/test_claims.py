"""A video is claimed before its turn at YouTube while turns come soon; a claim not used is let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from shared import clock, config, documents, fetcher, jobs, routes, store
from shared.captions import Fetched, Refused
from shared.documents import Commit
from shared.errors import Blocked, Transient
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
SOON = timedelta()


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


@contextmanager
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile another video has the only place; turns are said to come soon."""
    (video_id,) = fresh_ids(1)
    other = _Delivery(running([video_id]), video_id, answers=False)
    try:
        assert other.asking.wait(30)
        monkeypatch.setattr(fetcher, "_last_wait", SOON)
        yield
    finally:
        other.end()


def waiting(job: Job, video_id: str, *, long: bool = False) -> _Delivery:
    """A delivery that has claimed its video and waits for its turn, if need be for a ``long`` time."""
    delivery = _Delivery(job, video_id)
    wait_until(lambda: claimed_until(video_id) is not None, 30)
    if long:
        began = clock.now()
        wait_until(lambda: clock.now() - began > 1.2 * fetcher.LONG, 30)
    return delivery


def claimed_until(video_id: str) -> datetime | None:
    return stored([video_id])[0].claimed_until


def stored(videos: Sequence[str]) -> list[store.Stored]:
    found = store.read_outcomes(videos)
    return [found[video_id] for video_id in videos]


def test_who_waits_for_a_turn_has_claimed_before(
    one_place: None, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    with taken(monkeypatch):
        delivery = waiting(running([video_id]), video_id)
        assert delivery.claims == []
    delivery.end()
    assert len(delivery.claims) == 1
    assert claimed_until(video_id) is None
    assert video_id in seams.videos("transcripts")


def test_a_claim_that_has_waited_long_is_made_anew(one_place: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it could run out while YouTube is still asked."""
    (video_id,) = fresh_ids(1)
    with taken(monkeypatch):
        delivery = waiting(running([video_id]), video_id, long=True)
        turn = clock.now()
    delivery.end()
    (claimed,) = delivery.claims
    assert claimed is not None
    assert claimed >= turn + store.CLAIM
    # Turns are late now: the next one does not claim before.
    assert fetcher._last_wait >= fetcher.LONG


@pytest.mark.parametrize("last_wait", [SOON, timedelta.max])
def test_a_claim_that_takes_long_is_made_anew_and_the_next_one_at_its_turn(
    seams: Seams, monkeypatch: pytest.MonkeyPatch, last_wait: timedelta
) -> None:
    """It runs from before it was sent. Otherwise each video would ask a slow Firestore twice."""
    (video_id,) = fresh_ids(1)
    job, run, slow = running([video_id]), Commit.run, [True]

    def run_slowly(commit: Commit) -> list[dict[str, int]]:
        if slow and store.transcript_path(video_id) in commit._paths:
            slow.clear()
            time.sleep(1.2 * fetcher.LONG.total_seconds())
        return run(commit)

    monkeypatch.setattr(fetcher, "_last_wait", last_wait)
    monkeypatch.setattr(Commit, "run", run_slowly)
    began = clock.now()
    delivery = _Delivery(job, video_id)
    delivery.end()
    (claimed,) = delivery.claims
    assert claimed is not None
    if last_wait == SOON:
        assert claimed >= began + fetcher.LONG + store.CLAIM
    assert fetcher._last_wait >= fetcher.LONG


def test_who_has_waited_too_long_does_not_take_it_from_another(
    one_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    with taken(monkeypatch):
        delivery = waiting(running([video_id]), video_id, long=True)
        others = clock.now() + store.CLAIM
        Commit().set(store.transcript_path(video_id), {"claimed_until": others}, merge=True).run()
    delivery.end()
    assert "Another worker" in str(delivery.raised)
    assert delivery.claims == []
    assert claimed_until(video_id) == others


def test_what_another_has_stored_meanwhile_is_not_asked_for(
    one_place: None, seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    with taken(monkeypatch):
        delivery = waiting(running([video_id]), video_id, long=True)
        store.save(video_id, None, job_id="another", youtube_bytes=1, transcript=SPOKEN)
    delivery.end()
    assert delivery.claims == []
    assert video_id in seams.videos("transcripts")


def test_what_nobody_wants_any_more_when_its_turn_comes_is_let_go(
    one_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    with taken(monkeypatch):
        delivery = waiting(job, video_id, long=True)
        jobs.cancel(job.job_id)
    delivery.end()
    assert delivery.claims == []
    assert claimed_until(video_id) is None


def test_who_waits_in_vain_lets_go_and_the_next_does_not_claim_before(
    one_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "PATIENCE", 0.3)
    videos = fresh_ids(2)
    job = running(videos)
    with taken(monkeypatch):
        for video_id in videos:
            fetch(job, video_id, ask=NOT_TO_BE_ASKED)
            assert entries_of(job.job_id)[video_id].parked
    first, second = stored(videos)
    assert first.update_time is not None
    assert first.claimed_until is None
    assert second.update_time is None, "it was never claimed"


def test_who_cannot_let_go_is_parked_all_the_same(one_place: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(claim: store.Claim) -> None:
        raise Transient("Firestore is away.")

    monkeypatch.setattr(fetcher, "PATIENCE", 0.3)
    monkeypatch.setattr(store, "let_go", refuse)
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    with taken(monkeypatch):
        fetch(job, video_id, ask=NOT_TO_BE_ASKED)
    assert entries_of(job.job_id)[video_id].parked
    assert claimed_until(video_id) is not None


def test_at_a_blocked_address_nothing_is_claimed_before(
    seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "PATIENCE", 0.0)
    videos = fresh_ids(3)
    job = running(videos)
    refused = Blocked("YouTube refuses requests from this address.")

    def ask(_: str) -> Fetched:
        monkeypatch.setattr(fetcher, "_last_wait", SOON)
        raise Refused(refused, 1)

    fetch(job, videos[0], ask=ask)
    for video_id in videos[1:]:
        fetch(job, video_id, ask=NOT_TO_BE_ASKED)
    assert all(entry.parked for entry in entries_of(job.job_id).values())
    assert [each.update_time for each in stored(videos[1:])] == [None, None]


def test_a_claim_that_is_anothers_by_now_is_not_let_go(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    mine = store.claim(video_id, stored([video_id])[0])
    store.let_go(store.Claim(video_id, mine.until - timedelta(seconds=1)))
    assert claimed_until(video_id) == mine.until
    store.let_go(mine)
    assert claimed_until(video_id) is None


def test_a_claim_that_becomes_anothers_meanwhile_is_not_let_go(
    seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video_id,) = fresh_ids(1)
    mine = store.claim(video_id, stored([video_id])[0])
    others, read = clock.now() + 2 * store.CLAIM, store.read_outcomes

    def overtaken(videos: Sequence[str]) -> dict[str, store.Stored]:
        found = read(videos)
        Commit().set(store.transcript_path(video_id), {"claimed_until": others}, merge=True).run()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store, "read_outcomes", overtaken)
        with pytest.raises(documents.Conflict):
            store.let_go(mine)
    assert claimed_until(video_id) == others
