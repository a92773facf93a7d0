"""Each fault of the stand-in, and what the unmodified libraries make of it."""

from __future__ import annotations

import concurrent.futures
import json
import threading
import time
import urllib.error
import xml.etree.ElementTree
from typing import Any

import pytest
import requests
import youtube_transcript_api as library
from googleapiclient.errors import HttpError

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from tests.unit.standin.support import Clients

VIDEO = generate.video_id("faults", 0, "short")
LANGUAGES = ("en", "de", "es", "fr", "pt")

EXPECTED: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"kind": "429"}, library.IpBlocked),
    ({"kind": "429", "endpoints": ["timedtext"]}, library.IpBlocked),
    ({"kind": "bot"}, library.RequestBlocked),
    ({"kind": "bot", "endpoints": ["watch"]}, library.IpBlocked),
    ({"kind": "recaptcha"}, library.IpBlocked),
    ({"kind": "rate_limited"}, library.VideoUnplayable),
    ({"kind": "5xx"}, library.YouTubeRequestFailed),
    ({"kind": "5xx", "endpoints": ["player"], "status": 500}, library.YouTubeRequestFailed),
    ({"kind": "empty"}, xml.etree.ElementTree.ParseError),
    ({"kind": "empty", "endpoints": ["player"]}, requests.exceptions.JSONDecodeError),
    ({"kind": "empty", "endpoints": ["watch"]}, library.YouTubeDataUnparsable),
    ({"kind": "truncated"}, xml.etree.ElementTree.ParseError),
    ({"kind": "truncated", "endpoints": ["player"]}, requests.exceptions.JSONDecodeError),
    ({"kind": "garbage", "endpoints": ["timedtext"]}, xml.etree.ElementTree.ParseError),
    ({"kind": "garbage", "endpoints": ["player"]}, requests.exceptions.JSONDecodeError),
    ({"kind": "garbage", "endpoints": ["watch"]}, library.YouTubeDataUnparsable),
    ({"kind": "cut", "endpoints": ["watch"]}, requests.exceptions.ChunkedEncodingError),
    ({"kind": "cut", "endpoints": ["timedtext"]}, requests.exceptions.ChunkedEncodingError),
    ({"kind": "reset"}, requests.exceptions.ConnectionError),
    ({"kind": "captions_disabled"}, library.TranscriptsDisabled),
    ({"kind": "unavailable"}, library.VideoUnavailable),
    ({"kind": "age_restricted"}, library.AgeRestricted),
    ({"kind": "private"}, library.VideoUnplayable),
    ({"kind": "deleted"}, library.VideoUnplayable),
    ({"kind": "members_only"}, library.VideoUnplayable),
    ({"kind": "premiere"}, library.VideoUnplayable),
    ({"kind": "region_blocked"}, library.VideoUnplayable),
    ({"kind": "po_token"}, library.PoTokenRequired),
    ({"kind": "consent", "forever": True}, library.FailedToCreateConsentCookie),
]


@pytest.mark.parametrize(("fault", "expected"), EXPECTED, ids=lambda value: str(value))
def test_each_fault_is_what_the_library_calls_it(
    standin: InProcess, clients: Clients, fault: dict[str, Any], expected: type[Exception]
) -> None:
    standin.control("faults", {**fault, "videos": [VIDEO], "times": 2 if fault["kind"] == "consent" else 1})
    with pytest.raises(expected) as error:
        clients.transcripts().fetch(VIDEO, LANGUAGES)
    assert type(error.value) is expected
    # Only so often: the next attempt finds the video.
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20


def test_consent_is_given_once(standin: InProcess, clients: Clients) -> None:
    standin.control("faults", {"kind": "consent"})
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
    assert standin.stats()["endpoints"]["watch"]["requests"] == 2


def test_the_reason_of_an_unplayable_video_can_be_chosen(standin: InProcess, clients: Clients) -> None:
    standin.control("faults", {"kind": "unplayable", "reason": "Not today", "subreason": "Ask tomorrow"})
    with pytest.raises(library.VideoUnplayable) as error:
        clients.transcripts().list(VIDEO)
    assert error.value.reason == "Not today"
    assert error.value.sub_reasons == ["Ask tomorrow"]


def test_a_hanging_answer_ends_with_the_client_that_gives_up(standin: InProcess, clients: Clients) -> None:
    standin.control("faults", {"kind": "hang", "endpoints": ["player"], "videos": [VIDEO]})
    with pytest.raises(requests.exceptions.ReadTimeout):
        clients.transcripts(timeout=0.3).list(VIDEO)
    deadline = time.monotonic() + 10
    while standin.stats()["in_flight"]["requests"]["current"]:
        assert time.monotonic() < deadline, "the request is still held"
        time.sleep(0.01)
    assert standin.stats()["endpoints"]["player"]["statuses"] == {"0": 1}


def test_a_slow_answer_outlasts_a_timeout_between_bytes(standin: InProcess, clients: Clients) -> None:
    standin.control("faults", {"kind": "slow", "endpoints": ["timedtext"], "seconds": 1})
    began = time.monotonic()
    assert len(clients.transcripts(timeout=0.5).fetch(VIDEO, LANGUAGES)) == 20
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_huge_answer_is_as_long_as_it_says(standin: InProcess, clients: Clients, encoding: str) -> None:
    standin.control("faults", {"kind": "huge", "endpoints": ["player"], "megabytes": 20})
    key = standin.control("settings")["innertube_key"]
    url = f"https://www.youtube.com/youtubei/v1/player?key={key}"
    headers = {"Accept-Encoding": encoding}
    answer = clients.session().post(url, json={"videoId": VIDEO}, headers=headers)
    assert 19_900_000 < len(answer.content) < 20_100_000
    assert answer.json()["playabilityStatus"] == {"status": "OK"}
    assert (standin.stats()["endpoints"]["player"]["bytes"] < 1_000_000) == (encoding == "gzip")


API_EXPECTED = [
    ("quota_exceeded", 403, "quotaExceeded"),
    ("rate_limit_exceeded", 429, "rateLimitExceeded"),
    ("key_invalid", 400, "badRequest"),
    ("auth_error", 401, "authError"),
    ("forbidden", 403, "forbidden"),
    ("insufficient_scope", 403, "insufficientPermissions"),
    ("access_not_configured", 403, "accessNotConfigured"),
    ("backend_error", 503, "backendError"),
    ("playlist_not_found", 404, "playlistNotFound"),
]


@pytest.mark.parametrize(("kind", "status", "reason"), API_EXPECTED)
def test_each_fault_of_the_data_api(
    standin: InProcess, clients: Clients, kind: str, status: int, reason: str
) -> None:
    standin.control("faults", {"kind": kind, "times": 1, "videos": ["PLgen-3-a"]})
    listing = clients.data_api().playlistItems().list(part="id", playlistId="PLgen-3-a")
    with pytest.raises(HttpError) as error:
        listing.execute()
    assert error.value.status_code == status
    assert json.loads(error.value.content)["error"]["errors"][0]["reason"] == reason
    assert len(listing.execute()["items"]) == 3


def test_faults_by_rate_do_not_depend_on_order(standin: InProcess, clients: Clients) -> None:
    ids = [generate.video_id("rate", k, "short") for k in range(60)]

    def struck(order: list[str], sticky: bool) -> set[str]:
        standin.control("reset", {})
        standin.control("faults", {"kind": "unavailable", "rate": 0.3, "seed": 7, "sticky": sticky})
        api, found = clients.transcripts(), set()
        for video_id in order:
            try:
                api.list(video_id)
            except library.VideoUnavailable:
                found.add(video_id)
        return found

    first = struck(ids, sticky=False)
    assert 8 <= len(first) <= 30
    assert struck(ids[::-1], sticky=False) == first
    always = struck(ids, sticky=True)
    assert always == struck(ids[::-1] + ids, sticky=True)


def test_a_fault_strikes_only_what_it_names_and_can_be_removed(standin: InProcess, clients: Clients) -> None:
    other = generate.video_id("faults", 1, "short")
    standin.control("faults", [{"kind": "unavailable", "videos": [other], "id": "mine"}])
    clients.transcripts().list(VIDEO)
    with pytest.raises(library.VideoUnavailable):
        clients.transcripts().list(other)
    assert standin.control("faults")["faults"][0]["struck"] == 1
    assert standin.stats()["faults"] == {"unavailable": 1}
    standin.control("faults", {"kind": "429", "total": 1})
    requests.delete(f"{standin.url}/_control/faults?id=mine", timeout=10).raise_for_status()
    with pytest.raises(library.IpBlocked):
        clients.transcripts().list(other)
    clients.transcripts().list(other)


def test_an_address_is_blocked_when_its_budget_is_spent(standin: InProcess, clients: Clients) -> None:
    standin.control("addresses", {"address": "127.0.0.1", "requests": 3, "window": 3600})
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
    with pytest.raises(library.IpBlocked):
        clients.transcripts().fetch(VIDEO, LANGUAGES)
    # Another address has a budget of its own; the Data API knows keys, not addresses.
    assert len(clients.transcripts("alice").fetch(VIDEO, LANGUAGES)) == 20
    clients.data_api().videos().list(part="id", id=VIDEO).execute()
    by_address = standin.stats()["addresses"]
    assert by_address["proxy:alice"]["requests"] == 3
    assert by_address["127.0.0.1"]["statuses"]["429"] == 1


def test_a_window_ends_and_the_address_is_free_again(standin: InProcess, clients: Clients) -> None:
    standin.control("addresses", {"address": "*", "requests": 3, "window": 0.4})
    for _ in range(2):
        assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
        deadline = time.monotonic() + 10
        with pytest.raises(library.IpBlocked):
            clients.transcripts().fetch(VIDEO, LANGUAGES)
        while standin.control("addresses")["windows"]["127.0.0.1"]["age"] < 0.4:
            assert time.monotonic() < deadline, "the window does not end"
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "expected"), [("bot", library.RequestBlocked), ("rate_limited", library.VideoUnplayable)]
)
def test_other_blocks_by_address(
    standin: InProcess, clients: Clients, kind: str, expected: type[Exception]
) -> None:
    budget = {"address": "proxy:bob", "requests": 1, "window": 600, "kind": kind, "unit": "videos"}
    standin.control("addresses", budget)
    for _ in range(2):  # The same video again costs nothing.
        assert len(clients.transcripts("bob").fetch(VIDEO, LANGUAGES)) == 20
    with pytest.raises(expected) as error:
        clients.transcripts("bob").list(generate.video_id("faults", 2, "short"))
    assert type(error.value) is expected


def test_a_fault_by_address(standin: InProcess, clients: Clients) -> None:
    standin.control("faults", {"kind": "bot", "addresses": ["127.0.0.1"]})
    with pytest.raises(library.RequestBlocked):
        clients.transcripts().list(VIDEO)
    clients.transcripts("carol").list(VIDEO)


def test_the_proxy_asks_for_a_password(standin: InProcess, clients: Clients) -> None:
    standin.control("settings", {"proxy_users": {"alice": "secret", "bob": "another"}})
    clients.transcripts("alice").list(VIDEO)
    with pytest.raises(library.YouTubeRequestFailed, match="407"):
        clients.transcripts("bob").list(VIDEO)
    with pytest.raises(requests.exceptions.ProxyError):
        clients.session("alice").get("https://elsewhere.example/")
    refused = clients.session("alice").get("http://elsewhere.example/")
    assert refused.status_code == 502


def test_latency_by_endpoint(standin: InProcess, clients: Clients) -> None:
    standin.control("latency", {"timedtext": 0.3, "watch": {"seconds": 0.1, "jitter": 0.1}})
    began = time.monotonic()
    clients.transcripts().fetch(VIDEO, LANGUAGES)
    assert 0.4 < time.monotonic() - began < 5
    assert standin.control("latency")["watch"] == {"seconds": 0.1, "jitter": 0.1}


def test_what_is_under_way_at_once_is_counted(standin: InProcess, clients: Clients) -> None:
    standin.control("latency", {"player": 0.5})
    key = standin.control("settings")["innertube_key"]
    url = f"https://www.youtube.com/youtubei/v1/player?key={key}"
    sessions = [clients.session() for _ in range(12)]
    start = threading.Barrier(12)

    def ask(number: int) -> int:
        start.wait()
        video_id = generate.video_id("parallel", number % 6, "short")
        return sessions[number].post(url, json={"videoId": video_id}).status_code

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == [200] * 12
    flight = standin.stats()["in_flight"]
    assert flight["requests"] == {"current": 0, "peak": 12}
    assert flight["videos"] == {"current": 0, "peak": 6}


def test_requests_and_bytes_are_counted_by_video(standin: InProcess, clients: Clients) -> None:
    clients.transcripts().fetch(VIDEO, LANGUAGES)
    clients.transcripts().list(VIDEO)
    stats = standin.stats()
    counts = stats["videos"][VIDEO]
    assert {name: counts[name] for name in ("watch", "player", "timedtext")} == {
        "watch": 2,
        "player": 2,
        "timedtext": 1,
    }
    assert counts["bytes"] == sum(
        stats["endpoints"][name]["bytes"] for name in ("watch", "player", "timedtext")
    )
    assert "videos" not in standin.control("stats?videos=0")
    standin.control("reset", {"what": ["stats"]})
    assert standin.stats()["video_count"] == 0


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("faults", {"kind": "explode"}, "expected a kind of"),
        ("faults", {"kind": "429", "times": "twice"}, "expected 'times'"),
        ("faults", {"kind": "429", "videos": "abc"}, "expected 'videos'"),
        ("faults", {"kind": "429", "endpoints": ["all"]}, "expected endpoints of"),
        ("faults", {"kind": "429", "colour": "red"}, "expected only the fields"),
        ("latency", {"player": "slow"}, "expected seconds for 'player'"),
        ("latency", {"everything": 1}, "expected endpoints of"),
        ("addresses", {"address": "*"}, "expected a field 'requests'"),
        ("addresses", {"address": "*", "requests": 1, "window": 1, "kind": "no"}, "expected a kind of"),
        ("reset", {"what": ["everything"]}, "expected 'what'"),
        ("settings", {"quota_limit": "none"}, "expected 'quota_limit'"),
        ("settings", {"partial_answers": "sometimes"}, "expected 'partial_answers'"),
        ("playlists", {"playlists": [{"id": "PLx", "videos": [7]}]}, "expected a video id"),
        ("playlists", {"videos": [{"id": "abcdefghijk", "status": "odd"}]}, "expected 'status'"),
        (
            "playlists",
            {"videos": [{"id": "abcdefghijk", "tracks": [{"lines": ["x"]}]}]},
            "expected a line to be",
        ),
        ("nonsense", {}, "expected one of"),
    ],
)
def test_control_says_what_it_expected(
    standin: InProcess, name: str, body: dict[str, Any], message: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        standin.control(name, body)
    assert error.value.code in (400, 404)
    assert message in json.loads(error.value.read())["error"]
    error.value.close()
