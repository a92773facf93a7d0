"""The session to YouTube over TLS: the certificates that it trusts are read once for all connections."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from shared.youtube import tls
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session
from tests import tls_server

TRACK = "https://www.youtube.com/api/timedtext?v=x"
ANSWER = "/api/timedtext?v=x"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """The certificate of the server."""
    return tls_server.certificate(tmp_path / "server.pem")


@pytest.fixture
def server(pem: Path) -> Iterator[str]:
    with tls_server.serving(pem) as origin:
        yield origin


@pytest.fixture
def trusted(pem: Path) -> ssl.SSLContext:
    """A context that trusts the server's certificate."""
    return tls.make_context(str(pem))


def session(server: str, context: ssl.SSLContext | None = None, proxy: str | None = None) -> Session:
    proxies = {"http": proxy, "https": proxy} if proxy else None
    made = Session(server, PlayerKey(server), proxies=proxies, tls_context=context)
    made.begin()
    return made


def ask(server: str, context: ssl.SSLContext | None = None, proxy: str | None = None) -> str:
    """The answer to one request over a connection of its own."""
    with session(server, context, proxy) as asking:
        return asking.get(TRACK).text


def test_a_server_without_a_trusted_certificate_is_not_asked(server: str) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
        ask(server)


def test_a_server_with_the_certificate_of_another_name_is_not_asked(
    trusted: ssl.SSLContext, server: str
) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="IP address mismatch"):
        ask(server.replace("localhost", "127.0.0.1"), trusted)


def test_a_server_with_a_trusted_certificate_is_asked(trusted: ssl.SSLContext, server: str) -> None:
    assert ask(server, trusted) == ANSWER


@pytest.mark.parametrize("over_tls", [False, True])
def test_requests_go_through_the_proxy(
    trusted: ssl.SSLContext, server: str, pem: Path, over_tls: bool
) -> None:
    with tls_server.tunnelling(pem if over_tls else None) as proxy:
        assert ask(server, trusted, proxy.url) == ANSWER
        assert proxy.asked == [server.removeprefix("https://")]


@pytest.mark.parametrize("over_tls", [False, True])
def test_through_a_trusted_proxy_a_server_must_be_trusted_itself(
    server: str, tmp_path: Path, over_tls: bool
) -> None:
    of_proxy = tls_server.certificate(tmp_path / "proxy.pem")
    context = tls.make_context(str(of_proxy))
    with tls_server.tunnelling(of_proxy if over_tls else None) as proxy:
        with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
            ask(server, context, proxy.url)
        assert proxy.asked


def test_a_proxy_without_a_trusted_certificate_is_not_asked(
    trusted: ssl.SSLContext, server: str, tmp_path: Path
) -> None:
    with tls_server.tunnelling(tls_server.certificate(tmp_path / "proxy.pem")) as proxy:
        with pytest.raises(requests.exceptions.RequestException, match="self-signed"):
            ask(server, trusted, proxy.url)
        assert not proxy.asked


class Recording(ssl.SSLContext):
    """Records each change of the context."""

    changes: ClassVar[list[object]] = []

    def load_verify_locations(self, *args: Any, **kwargs: Any) -> None:
        self.changes.append((*args, *kwargs.values()))
        super().load_verify_locations(*args, **kwargs)

    def _set_alpn_protocols(self, protocols: bytes) -> None:
        self.changes.append(protocols)
        super()._set_alpn_protocols(protocols)  # type: ignore[misc]


def test_no_connection_changes_the_shared_context(
    server: str, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection would read more than a hundred certificates, and change what other threads are reading."""
    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", Recording)
    Recording.changes.clear()
    context = tls.make_context(str(pem))
    with tls_server.tunnelling() as proxy, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: ask(server, context, proxy.url), range(8)))
        answers.append(ask(server, context))
    assert answers == 9 * [ANSWER]
    assert Recording.changes == [(str(pem),), b"\x08http/1.1"]


def test_no_request_chooses_other_certificates(trusted: ssl.SSLContext, server: str) -> None:
    with session(server, trusted) as asking:
        for change in ({"verify": False}, {"verify": "/somewhere/else.pem"}, {"cert": "/a/client.pem"}):
            with pytest.raises(ValueError, match="certificates"):
                asking.get(TRACK, **change)
        assert asking.get(TRACK).ok


def test_a_context_checks_certificates_and_names() -> None:
    context = tls.make_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] > 50
