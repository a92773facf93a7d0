"""Routing: a video goes directly to YouTube while that works, and then through the paid proxy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config, ConfigError
from shared.errors import AddressBlocked, AttemptFailed, Refused, Transient, YouTubeError
from shared.youtube import tls
from shared.youtube.captions import Captions
from shared.youtube.egress.breaker import Breaker, RouteClosed, egress_path
from shared.youtube.egress.pacer import FIRST_CONCURRENCY
from shared.youtube.egress.routing import Permit, Route, Routing
from shared.youtube.egress.window import FIRST_PAUSE, Window, fields_of
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session
from tests import tls_server
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

TRACK = "https://www.youtube.com/api/timedtext?v=x"
#: Nothing listens here.
NOWHERE = "http://127.0.0.1:9"
PROXY = "http://user:secret@127.0.0.1:9"
VIDEO = generate.video_id("routing", 0, "short")
#: Any route's permit is at hand at once.
SOON = 5.0


def routing(db: InMemory | None = None, **fields: Any) -> Routing:
    return Routing(Config(**{"youtube_base_url": NOWHERE, **fields}), db or InMemory())


def refuse(routes: Routing, video_id: str = "v") -> None:
    """YouTube refuses a video by the first open route, and so the address."""
    with pytest.raises(AddressBlocked), routes.acquire(video_id, SOON):
        raise Refused("refused")


def by_proxy(permit: Permit) -> bool:
    return bool(permit.session.proxies)


# -- the order of the routes -------------------------------------------------------------------------


def test_the_direct_route_comes_first_and_the_proxy_only_when_it_is_blocked() -> None:
    routes = routing(proxy_url=PROXY)
    with routes.acquire("v", SOON) as permit:
        assert not by_proxy(permit)
    refuse(routes)
    with routes.acquire("v", SOON) as permit:
        assert permit.session.proxies == {"http": PROXY, "https": PROXY}


def test_without_a_proxy_a_blocked_address_says_when_to_ask_again() -> None:
    routes = routing()
    refuse(routes)
    with pytest.raises(RouteClosed) as closed, routes.acquire("v", SOON):
        pass
    assert closed.value.blocked
    assert closed.value.until == routes._routes[0].breaker.opens_at


def test_always_means_by_the_proxy_alone() -> None:
    routes = routing(proxy_url=PROXY, proxy_mode="always")
    with routes.acquire("v", SOON) as permit:
        assert by_proxy(permit)
    refuse(routes)
    with pytest.raises(RouteClosed), routes.acquire("v", SOON):
        pass


def test_always_needs_a_proxy() -> None:
    with pytest.raises(ConfigError, match="PROXY_MODE"):
        routing(proxy_mode="always")


def test_the_names_of_routes_tell_no_account() -> None:
    names = routing(webshare_proxy_username="ada", webshare_proxy_password="hunter2hunter2").names
    assert names[0] == "main"
    assert names[1].startswith("proxy-")
    assert "ada" not in names[1]
    assert routing(proxy_url=PROXY, proxy_mode="always").names[0].startswith("main-proxy-")


def test_only_webshares_addresses_rotate() -> None:
    direct, webshare = routing(webshare_proxy_username="a", webshare_proxy_password="b")._routes
    _, proxy = routing(proxy_url=PROXY)._routes
    assert (direct.breaker.rotating, webshare.breaker.rotating, proxy.breaker.rotating) == (
        False,
        True,
        False,
    )


def test_a_video_that_waits_for_its_turn_does_not_take_the_paid_proxy() -> None:
    db = InMemory()
    db[egress_path("main")] = fields_of(Window(rate=0.5))
    routes = routing(db, proxy_url=PROXY)
    with routes.acquire("v", SOON) as permit:
        assert not by_proxy(permit)
        with pytest.raises(RouteClosed) as closed, routes.acquire("w", 0):
            pass
        assert not closed.value.blocked


def test_unknown_words_slow_the_address_down_and_count_as_attempts(clock_of_test: StoppedClock) -> None:
    """Nobody knows whether they are about the video. So each refusal counts, and the pause is short."""
    routes = routing()

    def refused(video_id: str) -> None:
        with pytest.raises(AttemptFailed, match="what"), routes.acquire(video_id, SOON):
            raise Refused("what", unknown=True)

    def closed() -> RouteClosed:
        with pytest.raises(RouteClosed) as raised, routes.acquire("next", 0):
            pass
        return raised.value

    for _ in range(2):
        refused("v")
        assert routes.places() == FIRST_CONCURRENCY
    for video_id in ("w", "x", "y"):
        refused(video_id)
        assert not closed().blocked
        assert routes.places() == 1
        clock_of_test.forward(seconds=FIRST_PAUSE)
    with routes.acquire("z", SOON) as permit:
        clock_of_test.forward(seconds=1)
        permit.succeeded()
    places = routes.places()
    assert places > FIRST_CONCURRENCY
    # These videos say no more about the address.
    for video_id in ("v", "w", "x", "v"):
        refused(video_id)
        assert routes.places() == places
    # A probe leaves the breaker open, without a longer pause.
    refuse(routes, "new")
    pause = closed().until - clock_of_test.time
    for video_id in ("v", "another"):
        clock_of_test.time += pause
        refused(video_id)
        assert closed().blocked
        assert closed().until == clock_of_test.time + pause


# -- permits -----------------------------------------------------------------------------------------


def test_all_routes_together_admit_fetch_concurrency_videos() -> None:
    """Four videos go directly when the address is blocked. The proxy gets none before one of them ends."""
    assert FIRST_CONCURRENCY > 4
    routes = routing(proxy_url=PROXY, fetch_concurrency=4)
    entered, done = threading.Barrier(5), threading.Event()

    def direct(end: Callable[[], None]) -> None:
        with routes.acquire("v", SOON) as permit:
            assert not by_proxy(permit)
            entered.wait(5)
            end()

    def is_refused() -> None:
        entered.wait(5)
        raise Refused("refused")

    def ends_later() -> None:
        entered.wait(5)
        done.wait(10)

    def first() -> None:
        with pytest.raises(AddressBlocked):
            direct(is_refused)

    threads = [threading.Thread(target=first)]
    threads += [threading.Thread(target=direct, args=(ends_later,)) for _ in range(3)]
    for each in threads:
        each.start()
    entered.wait(5)
    began = monotonic()
    with pytest.raises(RouteClosed) as closed, routes.acquire("w", 0.2):
        pass
    assert not closed.value.blocked
    assert 0.2 <= monotonic() - began < 2
    entered.wait(5)
    threads[0].join(5)
    with routes.acquire("w", SOON) as permit:
        assert by_proxy(permit)
        with pytest.raises(RouteClosed), routes.acquire("x", 0):
            pass
    done.set()
    for each in threads:
        each.join(5)


def test_a_permit_says_how_long_the_video_waited() -> None:
    routes = routing(fetch_concurrency=1)
    with routes.acquire("v", SOON) as permit:
        assert permit.waited.total_seconds() < 1
        other: list[Permit] = []

        def acquire() -> None:
            with routes.acquire("w", SOON) as later:
                other.append(later)

        waiting = threading.Thread(target=acquire)
        waiting.start()
        waiting.join(0.3)
    waiting.join(5)
    assert 0.25 < other[0].waited.total_seconds() < SOON


def test_no_place_is_lost_when_the_database_does_not_answer() -> None:
    db = InMemory()
    routes = routing(db, fetch_concurrency=1)
    db.unavailable = True
    for _ in range(2):
        with pytest.raises(Transient), routes.acquire("v", 0):
            pass
    db.unavailable = False
    with routes.acquire("v", 0):
        pass


def test_no_request_is_sent_after_the_address_is_blocked() -> None:
    routes = routing()
    with routes.acquire("v", SOON) as permit:
        refuse(routes, "w")
        with pytest.raises(RouteClosed) as closed:
            permit.session.get(TRACK)
    assert closed.value.blocked


# -- errors ------------------------------------------------------------------------------------------


def test_a_weak_refusal_is_a_failed_attempt_of_the_video() -> None:
    routes = routing()
    with pytest.raises(AttemptFailed, match="perhaps"), routes.acquire("v", SOON):
        raise Refused("perhaps the video", weak=True)
    with routes.acquire("w", SOON):
        pass


def test_a_refusal_of_the_address_keeps_its_sentence_and_its_cause() -> None:
    refused = Refused("refused")
    with pytest.raises(AddressBlocked, match="refused") as raised, routing().acquire("v", SOON):
        raise refused
    assert raised.value.__cause__ is refused


@pytest.mark.parametrize("kind", ["429", "5xx", "empty"])
def test_an_error_carries_the_bytes_that_were_received(kind: str, youtube: LiveServer) -> None:
    db = InMemory()
    routes = routing(db, youtube_base_url=youtube.url)
    youtube.control("faults", {"kind": kind, "endpoints": ["timedtext"]})
    with pytest.raises(YouTubeError) as raised, routes.acquire(VIDEO, SOON) as permit:
        Captions(Config()).fetch(VIDEO, permit.session)
    received = youtube.stats()["videos"][VIDEO]["bytes"]
    assert raised.value.youtube_bytes == received > 0
    routes.sync()
    assert db[egress_path("main")]["bytes"] == received
    routes.close()


def test_the_key_that_one_session_learns_serves_all_of_the_process(youtube: LiveServer) -> None:
    routes = routing(youtube_base_url=youtube.url)
    captions = Captions(Config())
    with routes.acquire("a", SOON) as one, routes.acquire("b", SOON) as other:
        assert one.session is not other.session
        for number, permit in enumerate((one, other)):
            captions.fetch(generate.video_id("routing", number, "short"), permit.session)
            permit.succeeded()
    assert youtube.stats()["endpoints"]["watch"]["requests"] == 1
    routes.close()


# -- connections through a proxy ---------------------------------------------------------------------


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return tls_server.certificate(tmp_path / "server.pem")


@pytest.fixture
def server(pem: Path) -> Iterator[str]:
    with tls_server.serving(pem) as origin:
        yield origin


def route_by(proxy: str, server: str, pem: Path, *, rotating: bool) -> Route:
    key = PlayerKey(server)
    breaker = Breaker(InMemory(), "proxy", 50, key, rotating=rotating)
    context = tls.make_context(str(pem))
    proxies = {"http": proxy, "https": proxy}
    return Route(breaker, lambda: Session(server, key, proxies=proxies, tls_context=context))


@pytest.mark.parametrize(("rotating", "connections"), [(False, 1), (True, 3)])
@pytest.mark.parametrize("over_tls", [False, True])
def test_each_attempt_has_a_connection_of_a_rotating_proxy_to_itself(
    server: str, pem: Path, over_tls: bool, rotating: bool, connections: int
) -> None:
    """One for each request would pay for more handshakes. One for all would keep the same address."""
    with tls_server.tunnelling(pem if over_tls else None) as proxy:
        route = route_by(proxy.url, server, pem, rotating=rotating)
        for _ in range(3):
            with route.session() as session:
                session.begin()
                assert [session.get(TRACK).text for _ in range(2)] == 2 * ["/api/timedtext?v=x"]
        assert proxy.asked == connections * [server.removeprefix("https://")]
        session.close()


def test_a_connection_of_a_rotating_proxy_ends_with_its_attempt(server: str, pem: Path) -> None:
    with tls_server.tunnelling() as proxy:
        route = route_by(proxy.url, server, pem, rotating=True)
        with route.session() as session:
            session.begin()
            session.get(TRACK)
            assert proxy.ended.empty()
        assert proxy.ended.get(timeout=10) == server.removeprefix("https://")
