"""The session to YouTube: bounded in time and bytes, whatever the other side does."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
import requests

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from shared import clients, egress, store
from shared.captions import Refused, fetch
from shared.egress import PlayerKey, Session
from shared.errors import Transient

VIDEO = generate.video_id("egress", 0, "short")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr(egress, "BUDGET", 1.5)


def refused(video_id: str = VIDEO) -> str:
    began = monotonic()
    with pytest.raises(Refused) as raised:
        fetch(video_id)
    assert isinstance(raised.value.error, Transient)
    assert monotonic() - began < 10
    return str(raised.value)


def test_a_fetch_is_over_before_its_claim() -> None:
    """Otherwise a second worker asks YouTube for the same video while the first one still does."""
    assert timedelta(seconds=egress.BUDGET + egress.TIMEOUT[1]) < store.CLAIM


@pytest.mark.parametrize("endpoint", ["watch", "player", "timedtext"])
def test_silence_ends(endpoint: str, impatient: None, youtube_server: InProcess) -> None:
    youtube_server.control("faults", {"kind": "hang", "seconds": 20, "endpoints": [endpoint]})
    assert "did not answer in time" in refused()


@pytest.mark.parametrize("endpoint", ["player", "timedtext"])
def test_an_answer_that_trickles_ends(endpoint: str, impatient: None, youtube_server: InProcess) -> None:
    youtube_server.control("faults", {"kind": "slow", "seconds": 20, "endpoints": [endpoint]})
    refused()


def test_the_budget_is_of_all_requests_together(
    monkeypatch: pytest.MonkeyPatch, youtube_server: InProcess
) -> None:
    """Each of the three is within its own bound."""
    monkeypatch.setattr(egress, "BUDGET", 0.9)
    youtube_server.control("latency", {"watch": 0.4, "player": 0.4, "timedtext": 0.4})
    refused()
    youtube_server.control("latency", {"watch": 0, "player": 0, "timedtext": 0})
    assert fetch(VIDEO).transcript.lines


def test_an_answer_beyond_all_measure_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, youtube_server: InProcess
) -> None:
    monkeypatch.setattr(egress, "MAXIMUM_BYTES", 3_000_000)
    youtube_server.control("faults", {"kind": "huge", "megabytes": 50, "endpoints": ["player"]})
    assert "ContentTooLong" in refused()


def test_a_refusal_holds_no_page(youtube_server: InProcess) -> None:
    """Whatever keeps it: with its frames, four hundred of them would keep half a gigabyte."""
    youtube_server.control("faults", {"kind": "5xx", "endpoints": ["timedtext"]})
    with pytest.raises(Refused) as raised:
        fetch(VIDEO)
    error, seen = raised.value.__cause__, 0
    while error is not None:
        assert error.__traceback__ is None
        error, seen = error.__context__, seen + 1
    assert seen > 1


def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, youtube_server: InProcess
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert fetch(VIDEO).transcript.lines


def test_a_server_that_is_not_there_is_of_the_moment(youtube_server: InProcess) -> None:
    session = Session("http://127.0.0.1:9")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "youtube_session", lambda: session)
        assert "ConnectionError" in refused()
    session.close()


def test_only_what_is_meant_for_youtube_goes_to_its_stand_in(youtube_server: InProcess) -> None:
    with Session(youtube_server.url) as session:
        session.begin()
        with pytest.raises(requests.ConnectionError):
            session.get("http://127.0.0.1:9/watch?v=x", timeout=1)


def test_nothing_is_asked_before_a_fetch_has_begun(youtube_server: InProcess) -> None:
    with Session(youtube_server.url) as session, pytest.raises(requests.ReadTimeout):
        session.get("https://www.youtube.com/watch?v=x", timeout=1)
    assert youtube_server.stats()["endpoints"].get("watch", {}).get("requests", 0) == 0


# -- the key ----------------------------------------------------------------------------------------


def prepared(url: str, method: str = "GET") -> requests.PreparedRequest:
    return requests.Request(method, url).prepare()


WATCH = "https://www.youtube.com/watch?v=abc"


def test_a_key_is_learned_and_forgotten() -> None:
    key = PlayerKey()
    key.learn(b'<script>ytcfg.set({"INNERTUBE_API_KEY": "AIza-k_1", "x": 1})</script>')
    assert key.value == "AIza-k_1"
    key.forget()
    assert key.value is None


def stored(key: str, of: str = "https://www.youtube.com") -> dict[str, str]:
    return {"value": key, "of": of}


def test_a_key_that_was_refused_is_not_taken_from_another_process() -> None:
    key, youtube = PlayerKey(), "https://www.youtube.com"
    key.adopt(stored("AIza-old"), youtube)
    assert key.value == "AIza-old"
    key.adopt(stored("AIza-other"), youtube)
    assert key.value == "AIza-old"
    key.refuse("AIza-old")
    key.adopt(stored("AIza-old"), youtube)
    assert key.value is None
    key.adopt(stored("AIza-new"), youtube)
    key.refuse("AIza-old")  # said by a thread that began with the old one
    assert key.value == "AIza-new"


@pytest.mark.parametrize("nothing", [None, "AIza-of-an-older-version", stored("AIza", "http://stand-in")])
def test_a_key_of_another_youtube_is_not_taken(nothing: Any) -> None:
    key = PlayerKey()
    key.adopt(nothing, "https://www.youtube.com")
    assert key.value is None


def test_only_what_was_learned_from_a_page_is_told_the_others_and_once() -> None:
    key, page = PlayerKey(), b'"INNERTUBE_API_KEY": "AIza-%d"'
    key.adopt(stored("AIza-0"), "https://www.youtube.com")
    assert key.learned is None
    key.learn(page % 1)
    assert key.learned == "AIza-1"
    key.learn(page % 2)
    key.told("AIza-1")
    assert key.learned == "AIza-2"
    key.told("AIza-2")
    assert (key.value, key.learned) == ("AIza-2", None)
    key.learn(page % 3)
    key.refuse("AIza-3")
    assert key.learned is None


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html>",
        b'"INNERTUBE_API_KEY": ""',
        b'"INNERTUBE_API_KEY": "a<b>"',
        b'action="https://consent.youtube.com/s" "INNERTUBE_API_KEY": "AIzaConsent"',
    ],
)
def test_a_page_without_a_key_teaches_nothing(page: bytes) -> None:
    key = PlayerKey()
    key.learn(page)
    assert key.value is None


@pytest.mark.parametrize(
    "request_",
    [
        prepared(WATCH, "POST"),
        prepared("https://www.youtube.com/youtubei/v1/player?key=x"),
        prepared("https://www.youtube.com/api/timedtext?v=abc"),
        prepared("http://127.0.0.1:9/watch?v=abc"),
    ],
    ids=lambda each: f"{each.method} {each.url}",
)
def test_only_the_watch_page_is_answered_from_memory(request_: Any) -> None:
    with Session("http://127.0.0.1:9") as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(egress, "player_key", known := PlayerKey())
        known.learn(b'"INNERTUBE_API_KEY": "AIza"')
        session.begin()
        page = session.get(WATCH)
        assert (page.status_code, page.json()) == (200, {"INNERTUBE_API_KEY": "AIza"})
        assert session.shortened == "AIza"
        with pytest.raises(requests.ConnectionError):
            session.request(request_.method, request_.url)
