"""Budgets of addresses, faults of one address, and the forward proxy, which gives clients other addresses."""

from __future__ import annotations

import time

import pytest
import requests
import youtube_transcript_api as library

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import LANGUAGES, Clients

VIDEO = generate.video_id("addresses", 0, "short")


def test_address_is_blocked_when_its_budget_is_spent(server: LiveServer, clients: Clients) -> None:
    server.control("addresses", {"address": "127.0.0.1", "requests": 3, "window": 3600})
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
    with pytest.raises(library.IpBlocked):
        clients.transcripts().fetch(VIDEO, LANGUAGES)
    # Another address is not limited, and the Data API has no budgets.
    assert len(clients.transcripts("alice").fetch(VIDEO, LANGUAGES)) == 20
    clients.data_api().videos().list(part="id", id=VIDEO).execute()
    by_address = server.stats()["addresses"]
    assert by_address["proxy:alice"]["requests"] == 3
    assert by_address["127.0.0.1"]["statuses"]["429"] == 1


def test_block_ends_with_the_window(server: LiveServer, clients: Clients) -> None:
    # Longer than the four requests take on a busy machine: the last one has to come before the end.
    window = 2.0
    server.control("addresses", {"address": "*", "requests": 3, "window": window})
    for _ in range(2):
        assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
        deadline = time.monotonic() + 10
        with pytest.raises(library.IpBlocked):
            clients.transcripts().fetch(VIDEO, LANGUAGES)
        while server.control("addresses")["windows"]["127.0.0.1"]["age"] < window:
            assert time.monotonic() < deadline, "the window does not end"
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "expected"), [("bot", library.RequestBlocked), ("rate_limited", library.VideoUnplayable)]
)
def test_block_by_the_player(
    server: LiveServer, clients: Clients, kind: str, expected: type[Exception]
) -> None:
    budget = {"address": "proxy:bob", "requests": 1, "window": 600, "kind": kind, "unit": "videos"}
    server.control("addresses", budget)
    for _ in range(2):  # The budget counts videos, and this is the same one.
        assert len(clients.transcripts("bob").fetch(VIDEO, LANGUAGES)) == 20
    with pytest.raises(expected) as error:
        clients.transcripts("bob").list(generate.video_id("addresses", 1, "short"))
    assert type(error.value) is expected


def test_fault_of_one_address(server: LiveServer, clients: Clients) -> None:
    server.control("faults", {"kind": "bot", "addresses": ["127.0.0.1"]})
    with pytest.raises(library.RequestBlocked):
        clients.transcripts().list(VIDEO)
    clients.transcripts("carol").list(VIDEO)


def test_proxy_checks_passwords_and_hosts(server: LiveServer, clients: Clients) -> None:
    server.control("settings", {"proxy_users": {"alice": "secret", "bob": "another"}})
    clients.transcripts("alice").list(VIDEO)
    with pytest.raises(library.YouTubeRequestFailed, match="407"):
        clients.transcripts("bob").list(VIDEO)
    with pytest.raises(requests.exceptions.ProxyError):
        clients.session("alice").get("https://elsewhere.example/")
    refused = clients.session("alice").get("http://elsewhere.example/")
    assert refused.status_code == 502
