"""The control API: latency, statistics, and the messages about wrong requests."""

from __future__ import annotations

import concurrent.futures
import json
import threading
import time
import urllib.error
from typing import Any

import pytest

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import LANGUAGES, Clients

VIDEO = generate.video_id("control", 0, "short")


def test_latency_delays_each_endpoint(server: LiveServer, clients: Clients) -> None:
    server.control("latency", {"timedtext": 0.3, "watch": {"seconds": 0.1, "jitter": 0.1}})
    start = time.monotonic()
    clients.transcripts().fetch(VIDEO, LANGUAGES)
    assert 0.4 < time.monotonic() - start < 5
    assert server.control("latency")["watch"] == {"seconds": 0.1, "jitter": 0.1}


def test_stats_count_requests_and_videos_in_flight(server: LiveServer, clients: Clients) -> None:
    server.control("latency", {"player": 0.5})
    key = server.control("settings")["innertube_key"]
    url = f"https://www.youtube.com/youtubei/v1/player?key={key}"
    sessions = [clients.session() for _ in range(12)]
    start = threading.Barrier(12)

    def ask(number: int) -> int:
        start.wait()
        video_id = generate.video_id("parallel", number % 6, "short")
        return sessions[number].post(url, json={"videoId": video_id}).status_code

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == [200] * 12
    in_flight = server.stats()["in_flight"]
    assert in_flight["requests"] == {"current": 0, "peak": 12}
    assert in_flight["videos"] == {"current": 0, "peak": 6}


def test_stats_count_requests_and_bytes_of_each_video(server: LiveServer, clients: Clients) -> None:
    clients.transcripts().fetch(VIDEO, LANGUAGES)
    clients.transcripts().list(VIDEO)
    stats = server.stats()
    counts = stats["videos"][VIDEO]
    assert {name: counts[name] for name in ("watch", "player", "timedtext")} == {
        "watch": 2,
        "player": 2,
        "timedtext": 1,
    }
    assert counts["bytes"] == sum(
        stats["endpoints"][name]["bytes"] for name in ("watch", "player", "timedtext")
    )
    assert "videos" not in server.control("stats?videos=0")
    server.control("reset", {"what": ["stats"]})
    assert server.stats()["video_count"] == 0


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("faults", {"kind": "explode"}, "expected 'kind' to be one of"),
        ("faults", {"kind": "429", "times": "twice"}, "expected 'times' to be an integer; found \"twice\""),
        ("faults", {"kind": "429", "videos": "abc"}, "expected 'videos'"),
        ("faults", {"kind": "429", "endpoints": ["all"]}, "expected endpoints out of"),
        ("faults", {"kind": "429", "endpoints": ["\ud800"]}, 'found ["\\ud800"]'),
        ("faults", {"kind": "429", "colour": "red"}, "expected only the fields"),
        ("latency", {"player": "slow"}, "expected 'player' to be seconds"),
        ("latency", {"everything": 1}, "expected endpoints out of"),
        ("addresses", {"address": "*"}, "expected a field 'requests'"),
        ("addresses", {"address": "*", "requests": 1, "window": 1, "kind": "no"}, "expected 'kind'"),
        ("reset", {"what": ["everything"]}, "expected 'what'"),
        ("settings", {"quota_limit": "none"}, "expected 'quota_limit'"),
        ("settings", {"partial_answers": "sometimes"}, "expected 'partial_answers'"),
        ("playlists", {"playlists": [{"id": "PLx", "videos": [7]}]}, "expected a video to be an id"),
        ("playlists", {"videos": [{"id": "abcdefghijk", "status": "odd"}]}, "expected 'status'"),
        (
            "playlists",
            {"videos": [{"id": "abcdefghijk", "tracks": [{"lines": ["x"]}]}]},
            "expected a line to be",
        ),
        ("playlists", {"videos": [{"id": "short"}]}, "expected 'id' to match"),
        (
            "playlists",
            {"videos": [{"id": "abcdefghijk", "tracks": [{"fault": "odd"}]}]},
            "expected 'fault' to be one of",
        ),
        (
            "playlists",
            {"videos": [{"id": "abcdefghijk", "audio_tracks": [{"captions": ["en"]}]}]},
            "expected 'captions' to be places",
        ),
        ("playlists", {"videos": [{"id": "abcdefghijk", "audio_tracks": [7]}]}, "expected an audio track"),
        ("playlists", {"videos": [{"id": "abcdefghijk", "starts_at": "soon"}]}, "expected 'starts_at'"),
        ("oauth", {"id_token": "odd"}, "expected 'id_token' to be one of"),
        ("oauth", {"deny": None}, "expected 'deny' to be true or false; found null"),
        ("token", {"user": "nobody"}, "expected 'user' to be one of demo, other"),
        ("nonsense", {}, "expected one of"),
    ],
)
def test_wrong_request_is_answered_with_what_was_expected(
    server: LiveServer, name: str, body: dict[str, Any], message: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        server.control(name, body)
    assert error.value.code in (400, 404)
    assert message in json.loads(error.value.read())["error"]
    error.value.close()
