"""Which way a video leaves to YouTube: directly while that works, then by the paid proxy, if there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import BoundedSemaphore
from time import monotonic
from urllib.parse import urlsplit

from youtube_transcript_api.proxies import GenericProxyConfig, ProxyConfig, WebshareProxyConfig

from shared import clients, clock, config
from shared.breaker import Breaker, RouteClosed
from shared.config import Config, ConfigError
from shared.pacer import Ticket

#: When to ask again if so many videos are at YouTube that this one did not get its turn.
_BUSY = timedelta(seconds=5)


@dataclass(slots=True)
class Leave:
    """A video's leave to ask YouTube by one way. ``waited``: for its turn."""

    gate: Breaker
    ticket: Ticket
    waited: timedelta

    @property
    def proxies(self) -> Mapping[str, str] | None:
        return self.gate.proxies

    @property
    def rotating(self) -> bool:
        return self.gate.rotating

    def sending(self) -> bool:
        return self.gate.sending(self.ticket)

    def passed(self) -> None:
        self.gate.passed(self.ticket)

    def blocked(self, *, weak: bool) -> bool:
        """Whether the refusal is of the address, and not of the video."""
        return self.gate.blocked(self.ticket, weak=weak)


@contextmanager
def leave(video_id: str, patience: float) -> Iterator[Leave]:
    """By the first way that is open; this thread's session to YouTube takes it meanwhile.

    ``patience``: seconds to wait for the video's turn, at most.

    Raises:
        RouteClosed: no way is open; until the first of them may be.
        Transient: Firestore does not answer.
    """
    began, places = monotonic(), _places()
    if not places.acquire(timeout=max(0.0, patience)):
        raise RouteClosed(clock.now() + _BUSY, refused=False)
    try:
        # Before a ticket is held, which nobody would give back if the session could not be made.
        session = clients.youtube_session()
        gate, ticket = _enter(video_id, began + patience)
        session.received = 0
        given = Leave(gate, ticket, timedelta(seconds=monotonic() - began))
        try:
            with session.leaving(given):
                yield given
        finally:
            gate.leave(ticket, session.received)
    finally:
        places.release()


def _enter(video_id: str, deadline: float) -> tuple[Breaker, Ticket]:
    closed: list[RouteClosed] = []
    for gate in gates():
        try:
            return gate, gate.enter(video_id, deadline - monotonic())
        except RouteClosed as one:
            if not one.refused:
                raise  # the address is only busy, and the proxy is paid for
            closed.append(one)
    raise min(closed, key=lambda one: one.until)


@lru_cache(maxsize=1)
def _places() -> BoundedSemaphore:
    """FETCH_CONCURRENCY is of all ways together: each way paces by itself."""
    return BoundedSemaphore(config.load().fetch_concurrency)


def wait(until: datetime, patience: float) -> None:
    """Until then, or until the first way is open again."""
    gates()[0].wait(until, patience)


@lru_cache(maxsize=1)
def gates() -> tuple[Breaker, ...]:
    """The ways of this process, in the order in which they are to be tried.

    Raises:
        ConfigError: PROXY_MODE=always without a proxy.
    """
    settings = config.load()
    direct = Breaker(settings.egress_name, settings.fetch_concurrency)
    proxy = _proxy(settings)
    if settings.proxy_mode != "always":
        return (direct,) if proxy is None else (direct, proxy)
    if proxy is None:
        raise ConfigError(
            "PROXY_MODE: expected PROXY_URL, or WEBSHARE_PROXY_USERNAME and WEBSHARE_PROXY_PASSWORD,"
            " because it is 'always'; found neither"
        )
    return (proxy,)


def _proxy(settings: Config) -> Breaker | None:
    made: ProxyConfig
    if settings.webshare_proxy_username and settings.webshare_proxy_password:
        made = WebshareProxyConfig(settings.webshare_proxy_username, settings.webshare_proxy_password)
        account = f"webshare {settings.webshare_proxy_username}"
    elif settings.proxy_url:
        made = GenericProxyConfig(settings.proxy_url)
        parts = urlsplit(settings.proxy_url)
        account = f"{parts.username}@{parts.hostname}:{parts.port}"
    else:
        return None
    # All who use the account share its breaker; its name is nobody else's business.
    name = f"proxy-{hashlib.sha256(account.encode()).hexdigest()[:12]}"
    if settings.proxy_mode == "always":
        name = f"{settings.egress_name}-{name}"
    proxies = made.to_requests_dict()
    return Breaker(
        name,
        settings.fetch_concurrency,
        proxies={"http": proxies["http"], "https": proxies["https"]},
        rotating=made.prevent_keeping_connections_alive,
    )
