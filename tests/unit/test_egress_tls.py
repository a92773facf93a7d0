"""The session to YouTube over TLS: whom it trusts, and that this is read once for all connections."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

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


class Context(ssl.SSLContext):
    """Notes what it is told, whoever tells it."""

    told: ClassVar[list[object]]

    def load_verify_locations(self, *args: Any, **kwargs: Any) -> None:
        self.told.append((*args, *kwargs.values()))
        super().load_verify_locations(*args, **kwargs)

    def _set_alpn_protocols(self, protocols: bytes) -> None:
        self.told.append(protocols)
        super()._set_alpn_protocols(protocols)  # type: ignore[misc]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    told: list[object] = []
    monkeypatch.setattr(Context, "told", told, raising=False)
    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", Context)
    tls._context.cache_clear()
    yield told
    tls._context.cache_clear()


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch, told: list[object]) -> None:
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
    answers = []
    with Session(base_url) as session:
        for _ in range(videos):
            session.begin()
            with session.leaving(way) if way else nullcontext():
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
@pytest.mark.parametrize("over_tls", [False, True])
def test_each_video_has_a_connection_of_a_rotating_proxy_to_itself(
    trusted: None, server: str, pem: Path, over_tls: bool, rotating: bool, connections: int
) -> None:
    """With one for each request, handshakes were paid for; with one for all, its address would be blocked."""
    with tls_server.tunnelling(pem if over_tls else None) as proxy:
        way = Proxied(proxy.url, rotating=rotating)
        assert asked(server, way, videos=3) == 6 * "/api/timedtext?v=x"
        assert proxy.asked == connections * [server.removeprefix("https://")]


def test_no_connection_of_a_rotating_proxy_outlives_its_video(trusted: None, server: str) -> None:
    with tls_server.tunnelling() as proxy, Session(server) as session:
        session.begin()
        with session.leaving(Proxied(proxy.url, rotating=True)):
            session.get(TRACK)
            assert proxy.ended.empty()
        assert proxy.ended.get(timeout=10) == server.removeprefix("https://")


@pytest.mark.parametrize("over_tls", [False, True])
def test_through_a_proxy_a_server_that_nobody_vouches_for_is_not_asked(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[object], over_tls: bool
) -> None:
    """Nor is a proxy; that the one is vouched for says nothing of the other."""
    proxys = tls_server.certificate(tmp_path / "proxy.pem")
    monkeypatch.setattr("certifi.where", lambda: str(proxys))
    with tls_server.tunnelling(proxys if over_tls else None) as proxy:
        with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
            asked(server, Proxied(proxy.url, rotating=False))
        assert proxy.asked


def test_a_proxy_that_nobody_vouches_for_is_not_asked(trusted: None, server: str, tmp_path: Path) -> None:
    with tls_server.tunnelling(tls_server.certificate(tmp_path / "proxy.pem")) as proxy:
        with pytest.raises(requests.exceptions.RequestException, match="self-signed"):
            asked(server, Proxied(proxy.url, rotating=False))
        assert not proxy.asked


def test_what_is_trusted_is_told_once_for_all_connections(
    trusted: None, server: str, told: list[object], pem: Path
) -> None:
    """Each connection would read more than a hundred certificates, and change what others are reading."""
    with tls_server.tunnelling() as proxy, ThreadPoolExecutor(4) as threads:
        way = Proxied(proxy.url, rotating=True)
        answers = list(threads.map(lambda _: asked(server, way, videos=2), range(8)))
        answers.append(asked(server))
    assert len(answers) == 9
    assert all(answers)
    assert told == [(str(pem),), b"\x08http/1.1"]


def test_no_request_changes_what_is_trusted(trusted: None, server: str) -> None:
    with Session(server) as session:
        session.begin()
        for change in ({"verify": False}, {"verify": "/somewhere/else.pem"}, {"cert": "/a/client.pem"}):
            with pytest.raises(ValueError, match="certificates"):
                session.get(TRACK, **change)
        assert session.get(TRACK).ok
    context = tls.trusting()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
