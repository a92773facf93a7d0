"""Blocked addresses, with the real Firestore: no attempt is used up, and all processes pause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared import clock
from shared.errors import AttemptFailed, Refused, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.documents import Commit
from shared.gcp.firestore import Firestore
from shared.transcripts.transcript import Answer
from shared.youtube.egress.breaker import Breaker, RouteClosed, egress_path
from shared.youtube.egress.pacer import FIRST_CONCURRENCY, TRUSTED, Ticket
from shared.youtube.egress.routing import Routing
from shared.youtube.player_key import PlayerKey
from tests.integration.world import SPOKEN, Clock, World, answering, at_once, fresh_ids, refusing

#: YouTube refuses the address.
BLOCKED = refusing(Refused("YouTube refuses requests from this address."))
#: YouTube may have refused the video alone.
REFUSED_VIDEO = refusing(Refused("YouTube cannot play the video now: try again later.", weak=True))
#: YouTube has refused the address or the video, in words that nobody knows.
REFUSED_UNKNOWN = refusing(Refused("Nobody knows why.", unknown=True))
NOT_ASKED = refusing(AssertionError("YouTube was asked"))


class Address:
    """The processes of one address."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self._world = world

    def process(self, key: PlayerKey | None = None, *, worker: bool = False) -> Breaker:
        """The breaker of another process."""
        key = key or PlayerKey(self._world.config.youtube_base_url)
        return Breaker(self._world.db, self.name, 50, key, worker=worker)


@pytest.fixture
def address(world: World) -> Address:
    """The address of the world's fetcher."""
    return Address(world, world.config.egress_name)


def block(breaker: Breaker) -> None:
    """One video asks, and is refused."""
    ticket = breaker.acquire("blocked", 0)
    assert breaker.refused(ticket, weak=False)
    breaker.release(ticket)


# -- videos ------------------------------------------------------------------------------------------


def test_a_block_parks_the_video_and_counts_no_attempt(world: World, clock_of_test: Clock) -> None:
    videos = fresh_ids(2)
    job = world.running(videos)
    world.fetch(job, videos[0], BLOCKED, patience=0, spent=100)
    entry = world.entry(job, videos[0])
    assert (entry.state, entry.attempts, entry.parked, entry.youtube_bytes) == ("pending", 0, True, 100)
    assert entry.next_attempt_at is not None
    assert world.view(job)["blocked_until"] == clock.rfc3339(entry.next_attempt_at)
    world.fetch(job, videos[1], NOT_ASKED, patience=0)
    assert world.sweep(job).videos_published == 0
    clock_of_test.forward(seconds=10)
    assert world.sweep(job).videos_published == 2
    assert world.sweep(job).videos_published == 0
    for video_id in videos:
        world.fetch(job, video_id, answering(SPOKEN), patience=0)
    assert sorted(world.topics.videos("transcripts")) == sorted(videos)
    assert world.view(job)["blocked_until"] is None


def test_a_block_of_hours_uses_up_no_attempt(world: World, clock_of_test: Clock) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    asked: list[str] = []

    def ask(asked_for: str) -> Answer:
        asked.append(asked_for)
        return BLOCKED(asked_for)

    for _ in range(30):
        world.fetch(job, video_id, ask, patience=0)
        entry = world.entry(job, video_id)
        assert (entry.state, entry.attempts) == ("pending", 0)
        assert entry.next_attempt_at is not None
        wait = max(timedelta(), entry.next_attempt_at - clock_of_test())
        clock_of_test.ahead += wait + timedelta(seconds=1)
    # The pauses grow: 30 probes take more than four hours.
    assert len(asked) == 30
    assert clock_of_test.ahead > timedelta(hours=4)
    world.fetch(job, video_id, answering(SPOKEN), patience=0)
    assert world.topics.videos("transcripts") == [video_id]


def test_a_video_waits_for_a_probe_that_is_due_soon(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    answers = [BLOCKED, answering(SPOKEN)]
    world.fetch(job, video_id, lambda asked_for: answers.pop(0)(asked_for))
    assert world.topics.videos("transcripts") == [video_id]
    assert world.entry(job, video_id).attempts == 0


def test_refusals_of_one_video_count_and_fail_it_after_eight_attempts(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    for _ in range(7):
        with pytest.raises(AttemptFailed):
            world.fetch(job, video_id, REFUSED_VIDEO, spent=10)
    world.fetch(job, video_id, REFUSED_VIDEO, spent=10)
    entry = world.entry(job, video_id)
    assert entry.state == "failed"
    assert entry.reason.endswith("Given up after 8 attempts.")
    assert world.check(job.job_id).youtube_bytes == 80
    assert world.job(job.job_id).state == "done"


def test_a_playlist_that_is_refused_in_unknown_words_fails_and_is_not_stored(
    world: World, clock_of_test: Clock
) -> None:
    """The address is slowed down, and yet the job ends. Nobody else inherits a verdict."""
    videos = fresh_ids(3)
    job = world.running(videos)
    pending, opened = list(videos), 0
    for _ in range(200):
        for video_id in list(pending):
            with suppress(AttemptFailed):
                world.fetch(job, video_id, REFUSED_UNKNOWN, patience=0)
            entry = world.entry(job, video_id)
            opened += entry.parked
            if entry.state == "failed":
                pending.remove(video_id)
        if not pending:
            break
        clock_of_test.forward(seconds=5)
    assert opened
    assert world.check(job.job_id).states["failed"] == 3
    assert world.job(job.job_id).state == "done"
    for video_id in videos:
        entry = world.entry(job, video_id)
        assert entry.attempts == 8
        assert entry.reason == "Nobody knows why. Given up after 8 attempts."
        assert world.stored(video_id).outcome is None


def test_a_block_between_two_requests_of_a_video_keeps_count_of_its_bytes(
    world: World, address: Address, clock_of_test: Clock
) -> None:
    """The second request is not sent, because another process has found the address blocked."""
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])

    def ask(_: str) -> Answer:
        block(address.process())
        world.routing.sync()
        # As the session does it before the second request.
        raise RouteClosed(clock.now() + timedelta(seconds=2))

    world.fetch(job, video_id, ask, patience=0, spent=70)
    entry = world.entry(job, video_id)
    assert (entry.attempts, entry.parked, entry.youtube_bytes) == (0, True, 70)
    assert world.stored(video_id).claimed_until is None
    clock_of_test.forward(seconds=10)
    world.fetch(job, video_id, answering(SPOKEN), patience=0, spent=30)
    world.index(job, video_id)
    assert world.check(job.job_id).youtube_bytes == 100


def test_a_video_is_left_to_a_worker_whose_address_is_not_blocked(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    worker = Address(world, f"worker-{uuid4().hex[:6]}").process(worker=True)
    worker.sync()
    new = Delivery("1", b"", {}, None, clock.rfc3339(clock.now()) or "")
    with pytest.raises(Transient, match="Another worker"):
        world.fetch(job, video_id, BLOCKED, delivery=new, patience=0)
    assert not world.entry(job, video_id).parked
    assert world.view(job)["blocked_until"] is None
    # Pub/Sub counts deliveries. So an old message is not returned, and the sweep publishes a new one.
    old = replace(new, published=clock.rfc3339(clock.now() - timedelta(hours=1)) or "")
    world.fetch(job, video_id, BLOCKED, delivery=old, patience=0)
    assert world.entry(job, video_id).parked
    world.db.commit().delete(egress_path(worker.name)).run()


# -- processes ---------------------------------------------------------------------------------------


def test_all_processes_of_an_address_pause_when_one_is_blocked(world: World, address: Address) -> None:
    one, two = address.process(), address.process()
    elsewhere = Address(world, f"else-{uuid4().hex[:6]}").process()
    ticket = one.acquire("a", 0)
    assert isinstance(two.acquire("b", 0), Ticket)
    assert one.may_send(ticket)
    assert one.refused(ticket, weak=False)
    two.sync()
    with pytest.raises(RouteClosed):
        two.acquire("c", 0)
    assert isinstance(elsewhere.acquire("d", 0), Ticket)


def test_one_of_all_processes_sends_a_probe(address: Address, clock_of_test: Clock) -> None:
    processes = [address.process() for _ in range(6)]
    block(processes[0])
    for each in processes:
        each.sync()
    clock_of_test.forward(seconds=5)

    def probe(breaker: Breaker) -> Ticket | None:
        try:
            return breaker.acquire("x", 0)
        except RouteClosed:
            return None

    found = at_once([partial(probe, each) for each in processes])
    ((prober, ticket),) = [
        (each, ticket) for each, ticket in zip(processes, found, strict=True) if ticket is not None
    ]
    prober.succeeded(ticket)
    for each in processes:
        each.sync()
        assert isinstance(each.acquire("y", 0), Ticket)


def test_the_next_process_knows_the_player_key(world: World, address: Address) -> None:
    """A function that starts does not ask for a watch page."""
    first, second = (PlayerKey(world.config.youtube_base_url) for _ in range(2))
    one = address.process(first)
    first.learn(b'"INNERTUBE_API_KEY": "AIza-learned"')
    one.sync()
    address.process(second).acquire("a", 0)
    assert second.value == "AIza-learned"


def test_the_next_process_knows_that_the_address_is_trusted(world: World, address: Address) -> None:
    one, successes = address.process(), TRUSTED
    for number in range(successes):
        ticket = one.acquire(str(number), 0)
        one.succeeded(ticket)
        one.release(ticket, received=1000)
    one.sync()
    two = address.process()
    assert two.places() == FIRST_CONCURRENCY
    two.sync()
    assert two.places() == 50
    (found,) = world.db.read(egress_path(address.name))
    assert found.data is not None
    assert (found.data["succeeded"], found.data["bytes"]) == (successes, 1000 * successes)


class CountingDatabase(Firestore):
    """``commits``: how many were begun."""

    commits = 0

    def commit(self) -> Commit:
        self.commits += 1
        return super().commit()


@pytest.fixture
def counting(world: World) -> Iterator[CountingDatabase]:
    made = CountingDatabase(world.config)
    yield made
    made.close()


def test_a_process_does_not_write_for_each_video(
    world: World, address: Address, counting: CountingDatabase
) -> None:
    key = PlayerKey(world.config.youtube_base_url)
    one = Breaker(counting, address.name, 50, key, sync_every=3600)
    one.release(one.acquire("first", 0))
    counting.commits = 0
    for number in range(200):
        ticket = one.acquire(str(number), 0)
        one.succeeded(ticket)
        one.release(ticket)
    assert counting.commits == 0


# -- routes ------------------------------------------------------------------------------------------


def test_the_paid_proxy_is_asked_only_while_the_address_is_blocked(
    youtube: LiveServer, world: World, clock_of_test: Clock
) -> None:
    def requests() -> dict[str, int]:
        found = youtube.stats()["addresses"]
        return {address: counted["requests"] for address, counted in found.items()}

    proxy_url = youtube.proxy_url.replace("http://", "http://paid:secret@")
    world.routing = Routing(replace(world.config, proxy_url=proxy_url), world.db)
    videos = fresh_ids(6)
    tracks = [{"language": "en", "lines": [[0.0, 3.0, "what is said"]]}]
    youtube.control("playlists", {"videos": [{"id": each, "tracks": tracks} for each in videos]})
    job = world.running(videos)
    world.fetch(job, videos[0])
    before = requests()
    assert set(before) == {"127.0.0.1"}
    youtube.control("faults", {"kind": "429", "addresses": ["127.0.0.1"]})
    for video_id in videos[1:4]:
        world.fetch(job, video_id)
    after = requests()
    assert after["127.0.0.1"] == before["127.0.0.1"] + 1
    assert after["proxy:paid"] >= 6
    direct, proxy = world.routing.names
    assert (direct, proxy.startswith("proxy-")) == (world.config.egress_name, True)
    assert "paid" not in proxy
    youtube.control("reset", {"what": ["faults"]})
    clock_of_test.forward(minutes=1)
    for video_id in videos[4:]:
        world.fetch(job, video_id)
    assert requests()["proxy:paid"] == after["proxy:paid"]
    assert sorted(world.topics.videos("transcripts")) == sorted(videos)
    world.routing.sync()
    for found in world.db.read(*map(egress_path, world.routing.names)):
        assert found.data is not None
        assert found.data["bytes"] > 1000
