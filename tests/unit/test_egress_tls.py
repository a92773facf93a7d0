"""The session to YouTube over TLS: whom it trusts, and that this is read once for all connections."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from shared import tls
from shared.egress import Session
from tests import tls_server

TRACK = "https://www.youtube.com/api/timedtext?v=x"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return tls_server.certificate(tmp_path / "server.pem")


@pytest.fixture
def server(pem: Path) -> Iterator[str]:
    with tls_server.serving(pem) as origin:
        yield origin


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The certificates that were read, by whoever read them."""
    read: list[object] = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, *args: object, **kwargs: object) -> None:
            read.append((*args, *kwargs.values()))
            super().load_verify_locations(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", Context)
    tls._context.cache_clear()
    yield read
    tls._context.cache_clear()


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch, reading: list[object]) -> None:
    """The server's certificate is one of those that requests trusts."""
    monkeypatch.setattr("certifi.where", lambda: str(pem))


class Proxied:
    """A way as shared.routes gives it."""

    def __init__(self, proxy: str, *, rotating: bool) -> None:
        self.proxies: Mapping[str, str] = {"http": proxy, "https": proxy}
        self.rotating = rotating

    def sending(self) -> bool:
        return True


def asked(base_url: str, way: Proxied | None = None, *, videos: int = 1) -> str:
    """What two requests for each video are answered with."""
    with Session(base_url) as session:
        session.way = way
        answers = []
        for _ in range(videos):
            session.begin()
            answers += [session.get(TRACK).text, session.get(TRACK).text]
    return "".join(answers)


def test_a_server_that_nobody_vouches_for_is_not_asked(server: str) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
        asked(server)


def test_nor_one_of_another_name(trusted: None, server: str) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="IP address mismatch"):
        asked(server.replace("localhost", "127.0.0.1"))


def test_a_server_that_is_vouched_for_is_asked(trusted: None, server: str) -> None:
    assert asked(server) == 2 * "/api/timedtext?v=x"


@pytest.mark.parametrize(("rotating", "connections"), [(False, 1), (True, 3)])
def test_each_video_has_a_connection_of_a_rotating_proxy_to_itself(
    trusted: None, server: str, rotating: bool, connections: int
) -> None:
    """One: an address for each request would be a handshake for each, and one for all would be blocked."""
    with tls_server.tunnelling() as (proxy, tunnels):
        assert asked(server, Proxied(proxy, rotating=rotating), videos=3) == 6 * "/api/timedtext?v=x"
    assert tunnels == connections * [server.removeprefix("https://")]


def test_through_a_proxy_a_server_that_nobody_vouches_for_is_not_asked(server: str) -> None:
    with (
        tls_server.tunnelling() as (proxy, _),
        pytest.raises(requests.exceptions.SSLError, match="self-signed"),
    ):
        asked(server, Proxied(proxy, rotating=False))


def test_certificates_are_read_once_for_all_connections(
    trusted: None, server: str, reading: list[object], pem: Path
) -> None:
    """Otherwise a rotating proxy means more than a hundred certificates read for each request."""
    with tls_server.tunnelling() as (proxy, _), ThreadPoolExecutor(4) as threads:
        way = Proxied(proxy, rotating=True)
        answers = list(threads.map(lambda _: asked(server, way, videos=2), range(8)))
        answers.append(asked(server))
    assert len(answers) == 9
    assert all(answers)
    assert reading == [(str(pem),)]


def test_no_request_changes_what_is_trusted(trusted: None, server: str) -> None:
    with Session(server) as session:
        session.begin()
        for change in ({"verify": False}, {"verify": "/somewhere/else.pem"}, {"cert": "/a/client.pem"}):
            with pytest.raises(ValueError, match="certificates"):
                session.get(TRACK, **change)
        assert session.get(TRACK).ok
    context = tls.trusting()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
