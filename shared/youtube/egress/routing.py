"""Which route a video takes to YouTube: directly while that works, then through the paid proxy, if any."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from time import monotonic
from urllib.parse import urlsplit

from youtube_transcript_api.proxies import GenericProxyConfig, ProxyConfig, WebshareProxyConfig

from shared import clock
from shared.config import Config, ConfigError
from shared.errors import AddressBlocked, AttemptFailed, NotReached, Refused, YouTubeError
from shared.gcp.firestore import Firestore
from shared.lazy import Lazy
from shared.youtube import tls
from shared.youtube.egress.breaker import ADDRESS_BLOCKED, Breaker, RouteClosed, another_worker_may_ask
from shared.youtube.egress.pacer import Ticket
from shared.youtube.partial_answers import PartialAnswers
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session

#: When a video that got no place at YouTube asks again.
_BUSY = timedelta(seconds=5)


class Permit:
    """The right to ask YouTube about one video by one route, for the block of :meth:`Routing.acquire`.

    ``session`` asks by the route. ``waited``: how long the video waited for the permit.
    """

    def __init__(self, breaker: Breaker, ticket: Ticket, session: Session, waited: timedelta) -> None:
        self.session = session
        self.waited = waited
        self._breaker = breaker
        self._ticket = ticket
        session.begin(self._before_request)

    @property
    def received(self) -> int:
        """Bytes received so far."""
        return self.session.received

    def succeeded(self) -> None:
        """YouTube has answered, whatever it said about the video."""
        self._breaker.succeeded(self._ticket)

    def _before_request(self) -> None:
        """Counts a request. Raises RouteClosed if YouTube has blocked the address meanwhile."""
        if not self._breaker.may_send(self._ticket, repeats_refused=self.session.repeats_refused):
            raise RouteClosed(self._breaker.opens_at)


@dataclass(slots=True)
class Route:
    """One way to YouTube, and its idle sessions. ``reached``: whether YouTube has ever answered on it."""

    breaker: Breaker
    connect: Callable[[], Session]
    idle: list[Session] = field(default_factory=list)
    reached: bool = False

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for one attempt."""
        try:
            session = self.idle.pop()
        except IndexError:
            session = self.connect()
        try:
            yield session
        finally:
            self.reached = self.reached or session.reached
            if self.breaker.rotating:
                # The requests of one attempt share a connection, and so an address: each further connection
                # is another handshake, whose bytes are paid for. The next attempt has another address.
                session.close()
            self.idle.append(session)


class Routing:
    """The routes of this process. Thread-safe; one object a process.

    ``worker``: the process pulls messages by itself, and so takes over those that others nack.
    """

    def __init__(self, config: Config, db: Firestore, *, worker: bool = False) -> None:
        """Raises ConfigError when PROXY_MODE is `always` and no proxy is configured."""
        self._db = db
        # FETCH_CONCURRENCY counts the videos of all routes together. Each route paces by itself.
        self._places = BoundedSemaphore(config.fetch_concurrency)
        self._player_key = PlayerKey(config.youtube_base_url)
        self._partial_answers = PartialAnswers() if config.youtube_partial_answers == "on" else None
        self._tls_context = Lazy(tls.make_context)
        self._routes = self._make_routes(config, worker)

    @property
    def names(self) -> list[str]:
        """The names of the routes, in the order in which they are tried."""
        return [route.breaker.name for route in self._routes]

    @contextmanager
    def acquire(self, video_id: str, patience: float) -> Iterator[Permit]:
        """A permit to ask by the first open route. Waits for it at most ``patience`` seconds.

        An error of YouTube that leaves the block carries the bytes that were received.

        Raises:
            RouteClosed: no route is open, or none any more. Says when to ask again.
            AddressBlocked: YouTube refused, and the breaker decided that it refused the address. Or the
                breaker has opened between two requests of the video.
            NotReached: no connection came about, and none ever has by this route.
            AttemptFailed: YouTube refused the video alone, or something else went wrong.
            Transient: the database does not answer.
        """
        began = monotonic()
        if not self._places.acquire(timeout=max(0.0, patience)):
            raise RouteClosed(clock.now() + _BUSY, blocked=False)
        try:
            route, ticket = self._enter(video_id, began + patience)
            received = 0
            try:
                with route.session() as session:
                    permit = Permit(route.breaker, ticket, session, timedelta(seconds=monotonic() - began))
                    try:
                        yield permit
                    finally:
                        received = permit.received
            except Refused as error:
                of_address = route.breaker.refused(ticket, weak=error.weak, unknown=error.unknown)
                kind = AddressBlocked if of_address else AttemptFailed
                raise _with_bytes(kind, str(error), received) from error
            except RouteClosed as error:
                # The breaker has opened between two requests. The bytes of the first ones are paid for.
                if not received:
                    raise
                raise _with_bytes(AddressBlocked, ADDRESS_BLOCKED, received) from error
            except NotReached as error:
                if not route.reached:
                    raise
                raise _with_bytes(AttemptFailed, str(error), received) from error
            except YouTubeError as error:
                error.youtube_bytes = received
                raise
            finally:
                route.breaker.release(ticket, received)
        finally:
            self._places.release()

    def _enter(self, video_id: str, deadline: float) -> tuple[Route, Ticket]:
        closed: list[RouteClosed] = []
        for route in self._routes:
            try:
                return route, route.breaker.acquire(video_id, deadline - monotonic())
            except RouteClosed as error:
                if not error.blocked:
                    # The route is only busy. The next one is the proxy, which costs money.
                    raise
                closed.append(error)
        raise min(closed, key=lambda error: error.until)

    def wait(self, until: datetime, patience: float) -> None:
        """Waits until then, or until the first route is open again, ``patience`` seconds at most."""
        self._routes[0].breaker.wait(until, patience)

    def another_worker_may_ask(self) -> bool:
        """Whether a process with another address may take a message that is nacked here. Raises Transient."""
        return another_worker_may_ask(self._db, self._routes[0].breaker)

    def places(self) -> int:
        """The number of videos that may be at YouTube at once now."""
        return sum(route.breaker.places() for route in self._routes)

    def sync(self) -> None:
        """Gives a sign of life, and learns what other processes know. A failure is logged only."""
        for route in self._routes:
            route.breaker.sync()

    def close(self) -> None:
        """Closes the idle sessions."""
        for route in self._routes:
            while route.idle:
                route.idle.pop().close()

    def _make_routes(self, config: Config, worker: bool) -> list[Route]:
        direct = self._route(config, config.egress_name, None, worker)
        proxy = _proxy(config)
        if config.proxy_mode != "always":
            return [direct] if proxy is None else [direct, self._route(config, *proxy, worker)]
        if proxy is None:
            raise ConfigError(
                "PROXY_MODE: expected PROXY_URL, or WEBSHARE_PROXY_USERNAME and WEBSHARE_PROXY_PASSWORD,"
                " because it is 'always'; found neither"
            )
        return [self._route(config, *proxy, worker)]

    def _route(self, config: Config, name: str, proxy: ProxyConfig | None, worker: bool) -> Route:
        rotating = proxy is not None and proxy.prevent_keeping_connections_alive
        urls = proxy.to_requests_dict() if proxy else None
        proxies = {"http": urls["http"], "https": urls["https"]} if urls else None
        breaker = Breaker(
            self._db, name, config.fetch_concurrency, self._player_key, rotating=rotating, worker=worker
        )

        def connect() -> Session:
            return Session(
                config.youtube_base_url,
                self._player_key,
                proxies=proxies,
                partial_answers=self._partial_answers,
                tls_context=self._tls_context(),
            )

        return Route(breaker, connect)


def _with_bytes(kind: type[YouTubeError], message: str, received: int) -> YouTubeError:
    made = kind(message)
    made.youtube_bytes = received
    return made


def _proxy(config: Config) -> tuple[str, ProxyConfig] | None:
    """The paid proxy and the name of its breaker, which all users of the account share."""
    proxy: ProxyConfig
    if config.webshare_proxy_username and config.webshare_proxy_password:
        proxy = WebshareProxyConfig(config.webshare_proxy_username, config.webshare_proxy_password)
        account = f"webshare {config.webshare_proxy_username}"
    elif config.proxy_url:
        proxy = GenericProxyConfig(config.proxy_url)
        parts = urlsplit(config.proxy_url)
        account = f"{parts.username}@{parts.hostname}:{parts.port}"
    else:
        return None
    # A hash, because the account's name must not be readable in the database.
    name = f"proxy-{hashlib.sha256(account.encode()).hexdigest()[:12]}"
    return (f"{config.egress_name}-{name}" if config.proxy_mode == "always" else name), proxy
