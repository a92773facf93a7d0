"""The session to YouTube: limited in time and bytes, whatever YouTube does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic, sleep

import pytest
import requests

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed
from shared.transcripts import store
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import BUDGET, TIMEOUT, Session
from tests.unit.youtube.support import Process, requests_of

VIDEO = generate.video_id("session", 0, "short")
WATCH = "https://www.youtube.com/watch?v=abc"
#: Nothing listens here.
NOWHERE = "http://127.0.0.1:9"


def failure(process: Process) -> AttemptFailed:
    """The error of a fetch, which must come soon."""
    began = monotonic()
    error = process.error(VIDEO)
    assert isinstance(error, AttemptFailed)
    assert monotonic() - began < 10
    return error


@pytest.fixture
def impatient(youtube: LiveServer) -> Iterator[Process]:
    with Process(youtube.url, timeout=(0.5, 0.5), budget=1.5) as made:
        yield made


def test_a_fetch_ends_before_its_claim() -> None:
    """Otherwise a second worker would ask YouTube for the same video while the first one still does."""
    assert timedelta(seconds=BUDGET + TIMEOUT[1]) < store.CLAIM


@pytest.mark.parametrize("endpoint", ["watch", "player", "timedtext"])
def test_a_youtube_that_is_silent_is_not_waited_for(
    endpoint: str, youtube: LiveServer, impatient: Process
) -> None:
    youtube.control("faults", {"kind": "hang", "seconds": 20, "endpoints": [endpoint]})
    assert "did not answer in time" in str(failure(impatient))


@pytest.mark.parametrize("endpoint", ["player", "timedtext"])
def test_an_answer_that_trickles_is_not_waited_for(
    endpoint: str, youtube: LiveServer, impatient: Process
) -> None:
    youtube.control("faults", {"kind": "slow", "seconds": 20, "endpoints": [endpoint]})
    failure(impatient)


def test_all_requests_of_an_attempt_share_its_time(youtube: LiveServer) -> None:
    """Each of the three requests alone is quick enough."""
    with Process(youtube.url, budget=0.9) as process:
        youtube.control("latency", {"watch": 0.4, "player": 0.4, "timedtext": 0.4})
        failure(process)
        youtube.control("latency", {"watch": 0, "player": 0, "timedtext": 0})
        assert process.texts(VIDEO)


def test_an_answer_that_is_too_long_is_not_read_to_its_end(youtube: LiveServer) -> None:
    youtube.control("faults", {"kind": "huge", "megabytes": 50, "endpoints": ["player"]})
    with Process(youtube.url, maximum_bytes=3_000_000) as process:
        error = failure(process)
        assert process.session.received < 10_000_000
    assert "ContentTooLong" in str(error.detail)


def test_an_error_keeps_no_page_in_memory(youtube: LiveServer, process: Process) -> None:
    """With the frames of their tracebacks, four hundred errors would keep half a gigabyte."""
    youtube.control("faults", {"kind": "5xx", "endpoints": ["timedtext"]})
    error, seen = process.error(VIDEO).__cause__, 0
    while error is not None:
        assert error.__traceback__ is None
        error, seen = error.__context__, seen + 1
    assert seen > 1


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, process: Process) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert process.texts(VIDEO)


def test_a_server_that_is_not_there_is_a_failed_attempt() -> None:
    with Process(NOWHERE) as process:
        assert "ConnectionError" in str(failure(process).detail)


def test_only_requests_for_youtube_go_to_its_configured_address(youtube: LiveServer) -> None:
    with Session(youtube.url, PlayerKey(youtube.url)) as session:
        session.begin()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{NOWHERE}/watch?v=x", timeout=1)


def test_no_request_is_sent_before_an_attempt_begins(youtube: LiveServer) -> None:
    with Session(youtube.url, PlayerKey(youtube.url)) as session, pytest.raises(requests.ReadTimeout):
        session.get(WATCH, timeout=1)
    assert requests_of(youtube)["watch"] == 0


def test_a_request_that_may_not_be_sent_is_not_sent(youtube: LiveServer) -> None:
    def refuse() -> None:
        raise InterruptedError

    with Session(youtube.url, PlayerKey(youtube.url)) as session:
        session.begin(refuse)
        with pytest.raises(InterruptedError):
            session.get(WATCH)
        assert requests_of(youtube)["watch"] == 0
        session.begin()
        session.get(WATCH)
        assert requests_of(youtube)["watch"] == 1


def test_the_time_of_an_attempt_counts_from_its_first_request(youtube: LiveServer) -> None:
    with Session(youtube.url, PlayerKey(youtube.url), budget=0.5) as session:
        session.begin()
        # The database takes its time.
        sleep(0.6)
        session.get("https://www.youtube.com/api/timedtext?v=abc")
        sleep(0.6)
        with pytest.raises(requests.ReadTimeout, match="not sent"):
            session.get("https://www.youtube.com/api/timedtext?v=abc")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", WATCH),
        ("GET", "https://www.youtube.com/youtubei/v1/player?key=x"),
        ("GET", "https://www.youtube.com/api/timedtext?v=abc"),
        ("GET", f"{NOWHERE}/watch?v=abc"),
    ],
)
def test_only_the_watch_page_is_answered_with_the_known_key(method: str, url: str) -> None:
    known = PlayerKey(NOWHERE)
    known.learn(b'"INNERTUBE_API_KEY": "AIza"')
    with Session(NOWHERE, known) as session:
        session.begin()
        page = session.get(WATCH)
        assert (page.status_code, page.json()) == (200, {"INNERTUBE_API_KEY": "AIza"})
        with pytest.raises(requests.ConnectionError):
            session.request(method, url)


def test_a_key_that_was_not_used_cannot_be_given_up() -> None:
    known = PlayerKey(NOWHERE)
    with Session(NOWHERE, known) as session:
        session.begin()
        assert not session.give_up_key()
        known.learn(b'"INNERTUBE_API_KEY": "AIza"')
        session.get(WATCH)
        assert session.give_up_key()
        assert known.value is None
        session.begin()
        assert not session.give_up_key()
