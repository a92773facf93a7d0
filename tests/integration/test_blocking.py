"""Blocked addresses, against the real Firestore emulator: no attempt is used up, all workers pause."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import breaker, clock, config, documents, fetcher, job_views, routes
from shared.breaker import Breaker, RouteClosed
from shared.captions import Fetched, Refused
from shared.egress import player_key
from shared.errors import Blocked, Transient
from shared.events import Delivery
from shared.jobs import Job
from shared.messages import VideoMessage
from shared.pacer import Ticket
from tests.integration.firestore_support import (
    SPOKEN,
    Clock,
    Seams,
    check,
    entries_of,
    fetch,
    fresh_ids,
    job_of,
    refusing,
    running,
    sweep_one,
)

REFUSED = Blocked("YouTube refuses requests from this address.")


@pytest.fixture
def impatient(seams: Seams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "PATIENCE", 0.0)


def name() -> str:
    return config.load().egress_name


def twin() -> Breaker:
    """Of another process with the same address."""
    return Breaker(name(), 50)


def view(job: Job) -> dict[str, object]:
    return job_views.view(job_of(job.job_id))


def test_a_block_parks_the_video_and_costs_no_attempt(
    seams: Seams, impatient: None, clock_of_test: Clock
) -> None:
    videos = fresh_ids(2)
    job = running(videos)
    fetch(job, videos[0], ask=refusing(REFUSED, 100))
    entry = entries_of(job.job_id)[videos[0]]
    assert (entry.state, entry.attempts, entry.parked, entry.youtube_bytes) == ("pending", 0, True, 100)
    assert entry.next_attempt_at is not None
    assert view(job)["blocked_until"] == clock.rfc3339(entry.next_attempt_at)
    # The other one is not even asked for.
    fetch(job, videos[1], ask=refusing(AssertionError("must not be asked")))
    assert sweep_one(job).videos_published == 0
    clock_of_test.forward(seconds=10)
    assert sweep_one(job).videos_published == 2
    assert sweep_one(job).videos_published == 0
    for video_id in videos:
        fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 1))
    assert sorted(seams.videos("transcripts")) == sorted(videos)
    assert view(job)["blocked_until"] is None


def test_an_outage_of_hours_uses_up_no_video(seams: Seams, impatient: None, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    times: list[str] = []

    def ask(asked_for: str) -> Fetched:
        times.append(asked_for)
        raise Refused(REFUSED, 10)

    for _ in range(30):
        fetch(job, video_id, ask=ask)
        entry = entries_of(job.job_id)[video_id]
        assert (entry.state, entry.attempts) == ("pending", 0)
        assert entry.next_attempt_at is not None
        clock_of_test.ahead += max(timedelta(), entry.next_attempt_at - clock_of_test()) + timedelta(
            seconds=1
        )
    # Growing pauses: 30 probes are more than four hours.
    assert len(times) == 30
    assert clock_of_test.ahead > timedelta(hours=4)
    fetch(job, video_id, ask=lambda _: Fetched(SPOKEN, 1))
    assert seams.videos("transcripts") == [video_id]


def test_a_video_that_has_its_turn_soon_waits_for_it(seams: Seams) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    answers = [refusing(REFUSED), lambda _: Fetched(SPOKEN, 1)]
    fetch(job, video_id, ask=lambda each: answers.pop(0)(each))
    assert seams.videos("transcripts") == [video_id]
    assert entries_of(job.job_id)[video_id].attempts == 0


def test_what_is_of_the_video_counts_and_gives_it_up_after_eight_attempts(
    seams: Seams, clock_of_test: Clock
) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    busy = Blocked("YouTube cannot play it now: try again later.", weak=True)
    for _ in range(7):
        with pytest.raises(Transient):
            fetch(job, video_id, ask=refusing(busy, 10))
    fetch(job, video_id, ask=refusing(busy, 10))
    entry = entries_of(job.job_id)[video_id]
    assert entry.state == "failed"
    assert entry.reason.endswith("Given up after 8 attempts.")
    assert check(job.job_id).youtube_bytes == 80
    assert job_of(job.job_id).state == "done"


def test_one_process_meets_the_block_and_all_of_its_address_pause(seams: Seams) -> None:
    one, two, elsewhere = twin(), twin(), Breaker(f"else-{uuid4().hex[:6]}", 50)
    ticket = one.enter("a", 0)
    assert isinstance(two.enter("b", 0), Ticket)
    assert one.sending(ticket)
    assert one.blocked(ticket, weak=False)
    two.sync()
    with pytest.raises(RouteClosed):
        two.enter("c", 0)
    assert isinstance(elsewhere.enter("d", 0), Ticket)


def test_of_all_processes_one_probes(seams: Seams, clock_of_test: Clock) -> None:
    twins = [twin() for _ in range(6)]
    ticket = twins[0].enter("a", 0)
    twins[0].blocked(ticket, weak=False)
    twins[0].leave(ticket)
    for each in twins:
        each.sync()
    clock_of_test.forward(seconds=5)
    entered: list[tuple[Breaker, Ticket]] = []
    begin = threading.Barrier(len(twins))

    def enter(each: Breaker) -> None:
        begin.wait(10)
        try:
            entered.append((each, each.enter("x", 0)))
        except RouteClosed:
            return

    threads = [threading.Thread(target=enter, args=[each]) for each in twins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(entered) == 1
    winner, probe = entered[0]
    winner.passed(probe)
    for each in twins:
        each.sync()
        assert isinstance(each.enter("y", 0), Ticket)


def test_the_players_key_is_remembered_for_the_next_process(seams: Seams) -> None:
    """A function that starts anew asks for no watch page."""
    player_key.forget()
    one = twin()
    player_key.learn(b'"INNERTUBE_API_KEY": "AIza-learned"')
    one.sync()
    player_key.forget()
    twin().enter("a", 0)
    assert player_key.value == "AIza-learned"
    player_key.forget()


def test_what_succeeded_is_remembered_for_the_next_process(seams: Seams) -> None:
    one = twin()
    for number in range(5):
        ticket = one.enter(str(number), 0)
        one.passed(ticket)
        one.leave(ticket, received=1000)
    one.sync()
    two = twin()
    two.enter("x", 0)
    (found,) = documents.read(breaker.path(name()))
    assert found.data is not None
    assert (found.data["succeeded"], found.data["bytes"]) == (5, 5000)
    assert two._pacer.window.succeeded == 5


def test_good_weather_asks_firestore_once_a_second_and_not_for_each_video(
    seams: Seams, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, syncs = twin(), 0
    one.leave(one.enter("first", 0))
    sync = one._sync

    def counting() -> None:
        nonlocal syncs
        syncs += 1
        sync()

    monkeypatch.setattr(one, "_sync", counting)
    monkeypatch.setattr(breaker, "_SYNC_EVERY", 3600.0)
    for number in range(200):
        ticket = one.enter(str(number), 0)
        one.passed(ticket)
        one.leave(ticket)
    assert syncs == 0


def test_a_worker_that_is_let_in_is_left_the_work(seams: Seams, impatient: None) -> None:
    (video_id,) = fresh_ids(1)
    job = running([video_id])
    message = VideoMessage(job.job_id, video_id)
    worker = Breaker(f"worker-{uuid4().hex[:6]}", 50, worker=True)
    worker.sync()
    published = clock.rfc3339(clock.now()) or ""
    with pytest.raises(Transient, match="another worker"):
        fetcher.fetch(message, Delivery("1", b"", {}, None, published), ask=refusing(REFUSED))
    assert not entries_of(job.job_id)[video_id].parked
    assert view(job)["blocked_until"] is None
    # An old message has used up deliveries: a new one is published instead.
    old = clock.rfc3339(clock.now() - timedelta(hours=1)) or ""
    fetcher.fetch(message, Delivery("1", b"", {}, None, old), ask=refusing(REFUSED))
    assert entries_of(job.job_id)[video_id].parked
    documents.Commit().delete(breaker.path(worker.name)).run()


def test_the_paid_proxy_is_asked_only_while_the_address_is_blocked(
    youtube: InProcess, seams: Seams, clock_of_test: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses() -> dict[str, int]:
        found = youtube.stats()["addresses"]
        return {address: counted["requests"] for address, counted in found.items()}

    monkeypatch.setenv("PROXY_URL", youtube.proxy_url.replace("http://", "http://paid:secret@"))
    config.load.cache_clear()
    routes.gates.cache_clear()
    videos = [f"{uuid4().hex[:11]}" for _ in range(6)]
    lines = [[0.0, 3.0, "what is said"]]
    youtube.control(
        "playlists",
        {"videos": [{"id": each, "tracks": [{"language": "en", "lines": lines}]} for each in videos]},
    )
    job = running(videos)
    fetch(job, videos[0])
    before = addresses()
    assert set(before) == {"127.0.0.1"}
    youtube.control("faults", {"kind": "429", "addresses": ["127.0.0.1"]})
    for video_id in videos[1:4]:
        fetch(job, video_id)
    after = addresses()
    assert after["127.0.0.1"] == before["127.0.0.1"] + 1
    assert after["proxy:paid"] >= 6
    assert [each.proxies is not None for each in routes.gates()] == [False, True]
    youtube.control("reset", {"what": ["faults"]})
    clock_of_test.forward(minutes=1)
    for video_id in videos[4:]:
        fetch(job, video_id)
    assert addresses()["proxy:paid"] == after["proxy:paid"]
    assert sorted(seams.videos("transcripts")) == sorted(videos)
    for each in routes.gates():
        each.sync()
    spent = documents.read(*(breaker.path(each.name) for each in routes.gates()))
    assert all(each.data and each.data["bytes"] > 1000 for each in spent)
