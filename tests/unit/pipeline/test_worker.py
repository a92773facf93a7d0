"""The worker: pulled messages are fetched, kept while that takes, and acked or nacked."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.pubsub_v1 import types

from infra.staging import ROOT
from shared.config import Config
from shared.errors import AddressBlocked, Refused, Transient
from shared.gcp.deliveries import Deliveries, Delivery
from shared.gcp.pubsub import Subscription
from shared.messages import VideoMessage
from shared.pipeline.fetcher import Fetcher
from shared.pipeline.worker import Worker
from shared.youtube.egress.breaker import egress_path
from shared.youtube.egress.pacer import FIRST_CONCURRENCY
from shared.youtube.egress.routing import Routing
from tests.integration.recorders import RecordingTopics
from tests.unit.functions import settings_kept
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

PUBLISHED = datetime(2024, 1, 31, 11, tzinfo=UTC)
SECONDS = 10.0


def received(number: int, data: bytes | None = None) -> types.ReceivedMessage:
    """A pulled message about video NUMBER, at its third delivery, with the ack id NUMBER."""
    message = {
        "message_id": f"m{number}",
        "data": VideoMessage("job", str(number)).encode() if data is None else data,
        "publish_time": PUBLISHED,
    }
    return types.ReceivedMessage(ack_id=str(number), delivery_attempt=3, message=message)


class FakeSubscription(Subscription):
    """Hands out messages. ``pulls``: how many each pull asked for. ``errors``: raised by the next pulls."""

    def __init__(self, *waiting: types.ReceivedMessage) -> None:
        self.path = "projects/p/subscriptions/fetcher"
        self.waiting = deque(waiting)
        self.errors: deque[Exception] = deque()
        self.pulls: list[int] = []
        self.acked: list[str] = []
        self.deadlines: list[tuple[str, int]] = []

    def pull(self, most: int) -> Sequence[Any]:
        self.pulls.append(most)
        if self.errors:
            raise self.errors.popleft()
        found = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        if not found:
            time.sleep(0.01)
        return found

    def ack(self, ack_ids: Sequence[str]) -> None:
        self.acked += ack_ids

    def set_deadline(self, ack_ids: Sequence[str], seconds: int) -> None:
        self.deadlines += [(each, seconds) for each in ack_ids]

    @property
    def nacked(self) -> list[str]:
        return [ack_id for ack_id, seconds in self.deadlines if seconds == 0]


class FakeFetcher(Fetcher):
    """Calls ``fetch`` with the id of each video. ``fetched``: what it was called with."""

    def __init__(self, fetch: Callable[[str], object]) -> None:
        self._fetch = fetch
        self.fetched: list[tuple[VideoMessage, Delivery]] = []

    def fetch(self, message: VideoMessage, delivery: Delivery) -> None:
        self.fetched.append((message, delivery))
        self._fetch(message.video_id)


class Held:
    """Fetches that last until the test releases them. ``running``: the videos being fetched."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.running: set[str] = set()

    def __call__(self, video_id: str) -> None:
        self.running.add(video_id)
        assert self.released.wait(SECONDS)
        self.running.discard(video_id)


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.released.set()


def worker(
    subscription: Subscription,
    fetch: Callable[[str], object] = lambda video_id: None,
    *,
    topics: RecordingTopics | None = None,
    routing: Routing | None = None,
    config: Config | None = None,
    **seams: float,
) -> Worker:
    config = config or Config()
    deliveries = Deliveries("worker", topics or RecordingTopics(), Config())
    routing = routing or Routing(config, InMemory(), worker=True)
    return Worker(config, subscription, FakeFetcher(fetch), routing, deliveries, **seams)


@contextmanager
def running(worker: Worker) -> Iterator[None]:
    """The worker runs during the block."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_fetched_video_is_acked() -> None:
    subscription = FakeSubscription(received(1))
    fetcher = FakeFetcher(lambda video_id: None)
    config = Config()
    routing = Routing(config, InMemory(), worker=True)
    with running(
        Worker(config, subscription, fetcher, routing, Deliveries("worker", RecordingTopics(), Config()))
    ):
        until(lambda: subscription.acked)
    assert (subscription.acked, subscription.nacked) == (["1"], [])
    ((message, delivery),) = fetcher.fetched
    assert message == VideoMessage("job", "1")
    assert (delivery.message_id, delivery.attempt) == ("m1", 3)
    assert datetime.fromisoformat(delivery.published) == PUBLISHED


def test_a_message_that_cannot_be_read_is_a_dead_letter_and_acked() -> None:
    subscription, topics = FakeSubscription(received(1, b"no JSON")), RecordingTopics()
    with running(worker(subscription, topics=topics)):
        until(lambda: subscription.acked)
    (rejected,) = topics.rejected
    assert (rejected["data"], rejected["source"], rejected["message_id"]) == (b"no JSON", "worker", "m1")


def failing(error: Exception) -> Callable[[str], object]:
    def fetch(video_id: str) -> None:
        raise error

    return fetch


@pytest.mark.parametrize("error", [Transient("later"), ZeroDivisionError()], ids=repr)
def test_a_failed_video_is_nacked(error: Exception) -> None:
    subscription = FakeSubscription(received(1))
    with running(worker(subscription, failing(error))):
        until(lambda: subscription.nacked)
    assert (subscription.acked, subscription.deadlines) == ([], [("1", 0)])


def test_with_the_emulator_a_nacked_message_gets_a_long_lease_first() -> None:
    subscription = FakeSubscription(received(1))
    config = Config(pubsub_emulator_host="127.0.0.1:1")
    with running(worker(subscription, failing(Transient("later")), config=config)):
        until(lambda: subscription.nacked)
    assert subscription.deadlines == [("1", 600), ("1", 0)]


@pytest.mark.parametrize(("concurrency", "most"), [(2, 2), (50, FIRST_CONCURRENCY)])
def test_no_more_messages_are_held_than_the_address_may_ask_for(
    concurrency: int, most: int, held: Held
) -> None:
    subscription = FakeSubscription(*map(received, range(20)))
    with running(worker(subscription, held, config=Config(fetch_concurrency=concurrency))):
        until(lambda: len(held.running) == most)
        time.sleep(0.2)
        assert len(held.running) == most
        assert len(subscription.waiting) == 20 - most
        held.released.set()
        until(lambda: len(subscription.acked) == 20)
    assert max(subscription.pulls) == most


def test_while_the_address_is_blocked_nothing_is_pulled_until_a_probe_is_due(
    held: Held, clock_of_test: StoppedClock
) -> None:
    routing = Routing(Config(), InMemory(), worker=True)
    with pytest.raises(AddressBlocked), routing.acquire("v", 0):
        raise Refused("refused")
    subscription = FakeSubscription(*map(received, range(5)))
    with running(worker(subscription, held, routing=routing)):
        time.sleep(0.2)
        assert subscription.pulls == []
        clock_of_test.forward(minutes=1)
        until(lambda: held.running)
        time.sleep(0.2)
        held.released.set()
        assert len(subscription.waiting) == 4
    assert set(subscription.pulls) == {1}


def test_pubsub_is_asked_again_after_it_did_not_answer() -> None:
    subscription = FakeSubscription(received(1))
    subscription.errors.append(Transient("no answer"))
    with running(worker(subscription, pause=0.01)):
        until(lambda: subscription.acked)


def test_a_missing_subscription_ends_the_worker() -> None:
    subscription = FakeSubscription()
    missing: Any = NotFound
    subscription.errors.append(missing("no such subscription"))
    with pytest.raises(NotFound):
        worker(subscription).run()


def test_the_leases_of_held_messages_are_extended(held: Held) -> None:
    subscription = FakeSubscription(received(1))
    with running(worker(subscription, held, heartbeat=0.01, extend_every=0.02)):
        until(lambda: len(subscription.deadlines) >= 3)
        held.released.set()
        until(lambda: subscription.acked)
    assert set(subscription.deadlines) == {("1", 120)}


def test_a_stopped_worker_ends_its_fetches_and_pulls_no_more(held: Held) -> None:
    subscription = FakeSubscription(*map(received, range(20)))
    stopping = worker(subscription, held)
    with running(stopping):
        until(lambda: len(held.running) == FIRST_CONCURRENCY)
        stopping.stop()
        threading.Timer(0.1, held.released.set).start()
    assert len(subscription.acked) == FIRST_CONCURRENCY
    assert len(subscription.waiting) == 20 - FIRST_CONCURRENCY
    assert subscription.nacked == []


def test_fetches_that_do_not_end_in_time_are_nacked_once(held: Held) -> None:
    subscription = FakeSubscription(received(1))
    with running(worker(subscription, held, grace=0.1)):
        until(lambda: held.running)
    assert subscription.nacked == ["1"]
    held.released.set()
    until(lambda: not held.running)
    time.sleep(0.1)
    assert (subscription.acked, subscription.nacked) == ([], ["1"])


def test_others_see_that_the_worker_is_alive() -> None:
    db = InMemory()
    config = Config(egress_name="laptop")
    with running(worker(FakeSubscription(), routing=Routing(config, db, worker=True), heartbeat=0.01)):
        until(lambda: db.read(egress_path("laptop"))[0].data)
        first = db[egress_path("laptop")]["seen_at"]
        until(lambda: db[egress_path("laptop")]["seen_at"] > first)
    assert db[egress_path("laptop")]["worker"] is True


def test_the_program_is_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise other processes do not see that it takes over messages that they nack."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    spec = importlib.util.spec_from_file_location("worker", ROOT / "functions" / "fetcher" / "worker.py")
    assert spec is not None
    assert spec.loader is not None
    program: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    with settings_kept():
        made = program.worker("fetcher")
    assert made._routing._routes[0].breaker.worker
