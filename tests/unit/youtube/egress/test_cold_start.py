"""A process that has no way out yet: the way through a network address translation comes up late."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.errors import AttemptFailed, NotReached, YouTubeError
from shared.youtube import tls
from shared.youtube.captions import Captions
from shared.youtube.egress.routing import Routing
from shared.youtube.session import _Adapter
from tests.unit.in_memory import InMemory


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that answers no attempt to connect: the server's queue of connections is full."""
    with ExitStack() as open_ones:
        server = open_ones.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = open_ones.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def _routing(url: str) -> Iterator[Routing]:
    routing = Routing(Config(youtube_base_url=url), InMemory())
    yield routing
    routing.close()


def _error(routing: Routing) -> YouTubeError:
    try:
        with routing.acquire("v", 5.0) as permit:
            permit.session._timeout = (0.2, 1.0)
            Captions(Config()).fetch("abcdefghijk", permit.session)
    except YouTubeError as error:
        return error
    raise AssertionError("expected an error")


def test_no_attempt_counts_before_anything_was_reached(nowhere: str) -> None:
    with _routing(nowhere) as routing:
        for _ in range(3):
            error = _error(routing)
            assert isinstance(error, NotReached)
            assert str(error) == "YouTube could not be reached in time."


def test_an_attempt_counts_once_youtube_was_reached(nowhere: str, youtube: LiveServer) -> None:
    with _routing(youtube.url) as routing:
        with routing.acquire("v", 5.0) as permit:
            permit.session.get("https://www.youtube.com/robots.txt")
            permit.session.mount("https://", _Adapter(nowhere, tls.make_context()))
        assert isinstance(_error(routing), AttemptFailed)


def test_a_refused_connection_counts(youtube: LiveServer) -> None:
    """That is an answer of the network. Before the way out is there, packets are only lost."""
    with _routing("http://127.0.0.1:9") as routing:
        error = _error(routing)
    assert isinstance(error, AttemptFailed)
    assert str(error) == "YouTube could not be asked."
