"""The breaker: processes of one address share a document."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import pytest

from shared.errors import Transient
from shared.youtube.egress.breaker import Breaker, RouteClosed, another_worker_may_ask, egress_path
from shared.youtube.egress.pacer import Ticket
from shared.youtube.egress.window import Window, fields_of, window_from
from shared.youtube.player_key import PlayerKey
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import BEGIN, StoppedClock

YOUTUBE = "https://www.youtube.com"
NOW = BEGIN.timestamp()
PATH = egress_path("main")


@pytest.fixture
def db(clock_of_test: StoppedClock) -> InMemory:
    """An empty database, while the time stands still."""
    return InMemory()


def process(
    db: InMemory, key: PlayerKey | None = None, *, name: str = "main", worker: bool = False
) -> Breaker:
    """The breaker of one process. It syncs at its start, when the breaker moves, and when a test says so."""
    return Breaker(db, name, 50, key or PlayerKey(YOUTUBE), worker=worker, sync_every=3600.0)


def twins(db: InMemory) -> tuple[Breaker, Breaker]:
    """Two processes of an address at which one request has succeeded."""
    db[PATH] = fields_of(Window(succeeded=1, last_success=NOW, began=NOW))
    one, other = process(db), process(db)
    for each in (one, other):
        each.sync()
    return one, other


def sent(breaker: Breaker, video: str = "v") -> Ticket:
    ticket = breaker.acquire(video, 0)
    assert breaker.may_send(ticket)
    return ticket


def ask(breaker: Breaker, requests: int) -> None:
    """Fetches a video with so many requests."""
    ticket = breaker.acquire("v", 0)
    for _ in range(requests):
        assert breaker.may_send(ticket)
    breaker.succeeded(ticket)
    breaker.release(ticket)


def stored(db: InMemory) -> Window:
    return window_from(db[PATH])


def test_requests_of_all_processes_are_added_up_whoever_moves_the_breaker(db: InMemory) -> None:
    one, other = twins(db)
    ask(one, 3)
    ask(other, 4)
    refused = sent(one)
    db.meanwhile = other.sync
    assert one.refused(refused, weak=False)
    assert (stored(db).state, stored(db).succeeded) == ("open", 8)
    other.sync()
    assert stored(db).succeeded == 8
    with pytest.raises(RouteClosed) as closed:
        other.acquire("v", 0)
    assert closed.value.blocked


def test_a_block_is_known_even_while_others_write_all_the_time(db: InMemory) -> None:
    one, other = twins(db)
    one.refused(sent(one), weak=False)
    db.meanwhile = one.sync
    other.sync()
    with pytest.raises(RouteClosed):
        other.acquire("v", 0)


def test_a_late_refusal_does_not_open_a_breaker_that_has_moved_since(
    db: InMemory, clock_of_test: StoppedClock
) -> None:
    one, other = twins(db)
    late = sent(other)
    one.refused(sent(one), weak=False)
    clock_of_test.forward(seconds=10)
    one.succeeded(sent(one))  # the probe
    other.sync()
    window = stored(db)
    assert other.refused(late, weak=False)
    other.sync()
    assert stored(db).state == window.state == "closed"


def test_the_database_is_needed_for_the_first_sync_only(db: InMemory) -> None:
    (one, _), new = twins(db), process(db)
    db.unavailable = True
    with pytest.raises(Transient):
        new.acquire("v", 0)
    one.refused(sent(one), weak=False)
    with pytest.raises(RouteClosed):
        one.acquire("v", 0)
    db.unavailable = False
    one.sync()
    assert stored(db).state == "open"


def test_a_refusal_through_a_rotating_proxy_may_be_of_the_video_alone(db: InMemory) -> None:
    rotating = Breaker(db, "proxy-1", 50, PlayerKey(YOUTUBE), rotating=True, sync_every=3600.0)
    first = sent(rotating, "first")
    assert not rotating.refused(first, weak=False)
    rotating.release(first)
    assert rotating.refused(sent(rotating, "second"), weak=False)


def test_videos_of_many_threads_get_their_turns_at_the_learned_rate() -> None:
    db = InMemory()
    db[PATH] = fields_of(Window(rate=40.0))
    paced, began = process(db), monotonic()

    def fetch() -> None:
        ticket = paced.acquire("v", 10)
        assert paced.may_send(ticket)
        assert paced.may_send(ticket)
        paced.succeeded(ticket)
        paced.release(ticket)

    threads = [threading.Thread(target=fetch) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    # There are forty requests. The bucket has saved up four.
    assert 0.7 < monotonic() - began < 5
    paced.sync()
    assert stored(db).succeeded == 40


def test_a_video_whose_turn_does_not_come_in_time_is_not_blocked(db: InMemory) -> None:
    db[PATH] = fields_of(Window(rate=0.5))
    slow = process(db)
    for _ in range(3):
        ask(slow, 2)
    with pytest.raises(RouteClosed) as closed:
        slow.acquire("v", 0.1)
    assert not closed.value.blocked


def test_the_bytes_of_all_processes_are_added_up_once(db: InMemory) -> None:
    one, other = twins(db)
    for breaker, received in ((one, 100), (other, 20)):
        ticket = breaker.acquire("v", 0)
        breaker.release(ticket, received)
        breaker.sync()
        breaker.sync()
    assert db[PATH]["bytes"] == 120


# -- the player key ----------------------------------------------------------------------------------


def test_an_old_key_does_not_overwrite_a_newer_one(db: InMemory) -> None:
    known = PlayerKey(YOUTUBE)
    one = process(db, known)
    one.sync()
    known.learn(b'"INNERTUBE_API_KEY": "AIza-old"')
    one.sync()
    assert db[PATH]["player_key"] == {"value": "AIza-old", "of": YOUTUBE}
    newer = {"value": "AIza-new", "of": YOUTUBE}
    db[PATH] = {**db[PATH], "player_key": newer}
    one.sync()
    assert db[PATH]["player_key"] == newer
    known.refuse("AIza-old")
    one.sync()
    assert db[PATH]["player_key"] == newer
    assert known.value == "AIza-new"


def test_the_key_of_another_youtube_is_not_adopted(db: InMemory) -> None:
    known = PlayerKey(YOUTUBE)
    db[PATH] = fields_of(Window()) | {"player_key": {"value": "AIza-other", "of": "http://127.0.0.1:1"}}
    process(db, known).sync()
    assert known.value is None


# -- another address ---------------------------------------------------------------------------------


def other_address(db: InMemory, *, worker: bool, name: str = "laptop", **changes: Any) -> None:
    """Another address whose process is alive."""
    db[egress_path(name)] = fields_of(Window()) | {"seen_at": BEGIN, "worker": worker} | changes


@pytest.mark.parametrize(
    ("mine", "others", "may"), [(False, True, True), (True, False, True), (False, False, False)]
)
def test_messages_are_left_to_workers_and_by_workers(
    db: InMemory, mine: bool, others: bool, may: bool
) -> None:
    """The cloud fetcher is sent all messages, so another cloud fetcher cannot take one over."""
    other_address(db, worker=others)
    assert another_worker_may_ask(db, process(db, worker=mine)) is may


@pytest.mark.parametrize(
    ("name", "changes", "after"),
    [
        ("main", {}, 0),
        ("proxy-1", {}, 0),
        ("laptop", {}, 31),
        ("laptop", {"state": "half_open"}, 0),
        ("laptop", {"state": "open", "opens_at": datetime.fromtimestamp(NOW + 60, UTC)}, 0),
    ],
    ids=str,
)
def test_no_message_is_left_to_an_address_that_cannot_take_it(
    name: str, changes: dict[str, Any], after: float, db: InMemory, clock_of_test: StoppedClock
) -> None:
    """It is our own address, a proxy's, one without a living process, or blocked itself."""
    other_address(db, name=name, worker=True, **changes)
    clock_of_test.forward(seconds=after)
    assert not another_worker_may_ask(db, process(db))


def test_a_process_says_that_it_is_alive_and_whether_it_is_a_worker(
    db: InMemory, clock_of_test: StoppedClock
) -> None:
    one = process(db, worker=True)
    one.sync()
    clock_of_test.forward(seconds=40)
    one.sync()
    assert (db[PATH]["seen_at"], db[PATH]["worker"]) == (clock_of_test.time, True)
    assert another_worker_may_ask(db, process(db, name="cloud"))


# -- places and waiting ------------------------------------------------------------------------------


def test_there_are_no_places_while_the_breaker_is_open_and_one_for_its_probe(
    db: InMemory, clock_of_test: StoppedClock
) -> None:
    one, _ = twins(db)
    assert one.places() > 1
    ticket = sent(one)
    one.refused(ticket, weak=False)
    one.release(ticket)
    assert one.places() == 0
    clock_of_test.time = one.opens_at
    assert one.places() == 1


def test_a_wait_ends_when_the_breaker_closes(db: InMemory, clock_of_test: StoppedClock) -> None:
    one, _ = twins(db)
    one.refused(sent(one), weak=False)
    clock_of_test.time = one.opens_at
    probe = sent(one)
    waiting = threading.Thread(target=one.wait, args=(datetime.fromtimestamp(NOW + 600, UTC), 30.0))
    waiting.start()
    one.succeeded(probe)
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_wait_ends_when_a_probe_is_due_or_patience_is_used_up(db: InMemory) -> None:
    one, _ = twins(db)
    one.refused(sent(one), weak=False)
    began = monotonic()
    one.wait(BEGIN, 30.0)
    one.wait(one.opens_at, 0.1)
    assert 0.1 <= monotonic() - began < 10
