"""Each kind of fault, and the error that the unmodified libraries raise for it."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree
from typing import Any

import pytest
import requests
import youtube_transcript_api as library
from googleapiclient.errors import HttpError

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import LANGUAGES, Clients

VIDEO = generate.video_id("faults", 0, "short")

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
    ({"kind": "sign_in"}, library.VideoUnplayable),
    ({"kind": "not_on_this_app"}, library.VideoUnplayable),
    ({"kind": "unplayable", "playability": "AGE_CHECK_REQUIRED"}, library.VideoUnplayable),
    (
        {"kind": "unplayable", "playability": "ERROR", "reason": "This video is unavailable"},
        library.VideoUnavailable,
    ),
    ({"kind": "po_token"}, library.PoTokenRequired),
    ({"kind": "consent", "forever": True}, library.FailedToCreateConsentCookie),
]


@pytest.mark.parametrize(("fault", "expected"), EXPECTED, ids=lambda value: str(value))
def test_library_raises_the_error_of_the_fault(
    server: LiveServer, clients: Clients, fault: dict[str, Any], expected: type[Exception]
) -> None:
    server.control("faults", {**fault, "videos": [VIDEO], "times": 2 if fault["kind"] == "consent" else 1})
    with pytest.raises(expected) as error:
        clients.transcripts().fetch(VIDEO, LANGUAGES)
    assert type(error.value) is expected
    # The rule has applied as often as `times` says, so the next attempt succeeds.
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20


def test_library_gives_consent_and_asks_again(server: LiveServer, clients: Clients) -> None:
    server.control("faults", {"kind": "consent"})
    assert len(clients.transcripts().fetch(VIDEO, LANGUAGES)) == 20
    assert server.stats()["endpoints"]["watch"]["requests"] == 2


def test_rule_can_set_the_reason_of_an_unplayable_video(server: LiveServer, clients: Clients) -> None:
    server.control("faults", {"kind": "unplayable", "reason": "Not today", "subreason": "Ask tomorrow"})
    with pytest.raises(library.VideoUnplayable) as error:
        clients.transcripts().list(VIDEO)
    assert error.value.reason == "Not today"
    assert error.value.sub_reasons == ["Ask tomorrow"]


def test_hanging_answer_ends_when_the_client_leaves(server: LiveServer, clients: Clients) -> None:
    server.control("faults", {"kind": "hang", "endpoints": ["player"], "videos": [VIDEO]})
    with pytest.raises(requests.exceptions.ReadTimeout):
        clients.transcripts(timeout=0.3).list(VIDEO)
    deadline = time.monotonic() + 10
    while server.stats()["in_flight"]["requests"]["current"]:
        assert time.monotonic() < deadline, "the request is still in flight"
        time.sleep(0.01)
    assert server.stats()["endpoints"]["player"]["statuses"] == {"0": 1}


def test_slow_answer_takes_longer_than_the_read_timeout(server: LiveServer, clients: Clients) -> None:
    server.control("faults", {"kind": "slow", "endpoints": ["timedtext"], "seconds": 1})
    start = time.monotonic()
    assert len(clients.transcripts(timeout=0.5).fetch(VIDEO, LANGUAGES)) == 20
    assert time.monotonic() - start > 0.9


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_huge_answer_has_the_requested_size(server: LiveServer, clients: Clients, encoding: str) -> None:
    server.control("faults", {"kind": "huge", "endpoints": ["player"], "megabytes": 20})
    key = server.control("settings")["innertube_key"]
    url = f"https://www.youtube.com/youtubei/v1/player?key={key}"
    headers = {"Accept-Encoding": encoding}
    answer = clients.session().post(url, json={"videoId": VIDEO}, headers=headers)
    assert 19_900_000 < len(answer.content) < 20_100_000
    assert answer.json()["playabilityStatus"] == {"status": "OK"}
    assert (server.stats()["endpoints"]["player"]["bytes"] < 1_000_000) == (encoding == "gzip")


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
def test_data_api_answers_with_the_error_of_the_fault(
    server: LiveServer, clients: Clients, kind: str, status: int, reason: str
) -> None:
    server.control("faults", {"kind": kind, "times": 1, "videos": ["PLgen-3-a"]})
    listing = clients.data_api().playlistItems().list(part="id", playlistId="PLgen-3-a")
    with pytest.raises(HttpError) as error:
        listing.execute()
    assert error.value.status_code == status
    assert json.loads(error.value.content)["error"]["errors"][0]["reason"] == reason
    assert len(listing.execute()["items"]) == 3


def test_rate_selects_the_same_videos_in_any_order(server: LiveServer, clients: Clients) -> None:
    ids = [generate.video_id("rate", k, "short") for k in range(60)]

    def failed(order: list[str], sticky: bool) -> set[str]:
        server.control("reset", {})
        server.control("faults", {"kind": "unavailable", "rate": 0.3, "seed": 7, "sticky": sticky})
        api, found = clients.transcripts(), set()
        for video_id in order:
            try:
                api.list(video_id)
            except library.VideoUnavailable:
                found.add(video_id)
        return found

    first = failed(ids, sticky=False)
    assert 8 <= len(first) <= 30
    assert failed(ids[::-1], sticky=False) == first
    always = failed(ids, sticky=True)
    assert always == failed(ids[::-1] + ids, sticky=True)


def test_rule_applies_only_to_the_videos_it_names_until_it_is_removed(
    server: LiveServer, clients: Clients
) -> None:
    other = generate.video_id("faults", 1, "short")
    server.control("faults", [{"kind": "unavailable", "videos": [other], "id": "mine"}])
    clients.transcripts().list(VIDEO)
    with pytest.raises(library.VideoUnavailable):
        clients.transcripts().list(other)
    assert server.control("faults")["faults"][0]["struck"] == 1
    assert server.stats()["faults"] == {"unavailable": 1}
    server.control("faults", {"kind": "429", "total": 1})
    requests.delete(f"{server.url}/_control/faults?id=mine", timeout=10).raise_for_status()
    with pytest.raises(library.IpBlocked):
        clients.transcripts().list(other)
    clients.transcripts().list(other)
